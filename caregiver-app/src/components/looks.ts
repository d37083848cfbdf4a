// The tokens follow what a device says it wants. Here that is chosen on the
// page instead: the conditions of the style sheets are rewritten.

/** What is chosen at the top of the page. */
export interface Look {
  app: 'caregiver' | 'family' | 'kiosk';
  language: 'sv' | 'en';
  scheme: 'light' | 'dark' | 'light-contrast' | 'dark-contrast';
  text: '100' | '200';
  motion: 'on' | 'off';
}

export const choices = {
  app: ['caregiver', 'family', 'kiosk'],
  language: ['sv', 'en'],
  scheme: ['light', 'dark', 'light-contrast', 'dark-contrast'],
  text: ['100', '200'],
  motion: ['on', 'off'],
} as const satisfies { [K in keyof Look]: readonly Look[K][] };

/** What an address says; what it does not say is the first of the choices, or what the device wants. */
export function lookOf(query: URLSearchParams): Look {
  const of = <K extends keyof Look>(name: K, otherwise: Look[K]): Look[K] =>
    (choices[name] as unknown as readonly Look[K][]).find((c) => c === query.get(name)) ??
    otherwise;
  return {
    app: of('app', 'caregiver'),
    language: of('language', 'sv'),
    scheme: of('scheme', wants('(prefers-color-scheme: dark)') ? 'dark' : 'light'),
    text: of('text', '100'),
    motion: of('motion', wants('(prefers-reduced-motion: reduce)') ? 'off' : 'on'),
  };
}

const wants = (condition: string) => matchMedia(condition).matches;
const yes = '(min-width: 0px)';
const no = '(max-width: 0px)';

/** Has the style sheets of the document follow the look; called again when more have come. */
export function follow(look: Look): void {
  const root = document.documentElement;
  const dark = look.scheme.startsWith('dark');
  const more = look.scheme.endsWith('contrast');
  root.style.colorScheme = dark ? 'dark' : 'light';
  if (look.app !== 'kiosk') root.style.fontSize = `${look.text}%`;
  const is = (on: boolean) => (on ? yes : no);
  const rewrite = (text: string) =>
    text
      .replaceAll('(prefers-color-scheme: dark)', is(dark))
      .replaceAll('(prefers-contrast: more)', is(more))
      .replaceAll('(prefers-reduced-motion: no-preference)', is(look.motion === 'on'))
      .replaceAll('(prefers-reduced-motion: reduce)', is(look.motion === 'off'));
  const walk = (rules: CSSRuleList) => {
    for (const rule of rules) {
      if (!(rule instanceof CSSMediaRule)) continue;
      const text = rewrite(rule.media.mediaText);
      if (text !== rule.media.mediaText) rule.media.mediaText = text;
      walk(rule.cssRules);
    }
  };
  for (const sheet of document.styleSheets) walk(sheet.cssRules);
}

const forced = { ':hover': '.is-hover', ':focus-visible': '.is-focus', ':active': '.is-active' };

/** All rules of the document for what stands in a shadow, with states that cannot be forced as classes. */
export function sheetOfAll(): CSSStyleSheet {
  const text: string[] = [];
  for (const sheet of document.styleSheets) {
    for (const rule of sheet.cssRules) {
      text.push(rule.cssText);
      if (!(rule instanceof CSSStyleRule)) continue;
      let selector = rule.selectorText;
      for (const [state, name] of Object.entries(forced)) {
        selector = selector.replaceAll(state, name);
      }
      if (selector !== rule.selectorText) text.push(`${selector} {${rule.style.cssText}}`);
    }
  }
  const all = new CSSStyleSheet();
  all.replaceSync(text.join('\n'));
  return all;
}
