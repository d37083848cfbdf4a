import type { ComponentChildren } from 'preact';
import { useMemo } from 'preact/hooks';
import { say, sayMaybe } from './texts';

/** What lies on what, and the contrast that WCAG 2.2 asks of it: 4.5 of text, 3 of what is drawn. */
const pairs: readonly [string, string, number][] = [
  ...['ground', 'surface', 'surface-2'].flatMap((on): [string, string, number][] => [
    ['ink', on, 4.5],
    ['ink-soft', on, 4.5],
    ['link', on, 4.5],
    ['danger-text', on, 4.5],
    ['good', on, 4.5],
    ['edge', on, 3],
    ['focus', on, 3],
  ]),
  ['accent-ink', 'accent', 4.5],
  ['ink', 'accent-soft', 4.5],
  ['danger-ink', 'danger', 4.5],
  ['danger-text', 'danger-soft', 4.5],
  ['warn', 'surface', 4.5],
  ['warn', 'warn-soft', 4.5],
  ['ink', 'warn-soft', 4.5],
  ['accent', 'surface', 3],
  ['danger', 'surface', 3],
  ['warn-line', 'surface', 3],
  ['tl-motion', 'surface', 3],
  ['tl-contact', 'surface', 3],
  ['tl-power', 'surface', 3],
  ...[0, 1, 2, 3, 4, 5].map((n): [string, string, number] => [`curve-${n}`, 'surface', 3]),
];

/** What one may count on: colours with their contrast, sizes, shadows. */
export function Tokens() {
  const all = useMemo(() => tokensOf(), []);
  const colours = all.filter(({ colour }) => colour);
  const others = all.filter(({ colour }) => !colour);
  const meaning = (name: string) => sayMaybe(`components.token.${name}`) ?? '?';
  return (
    <section aria-labelledby="cp-tokens">
      <h2 id="cp-tokens">{say('components.tokens')}</h2>
      <p class="cp-what">{say('components.tokens_lead')}</p>
      <Table title="colours" heads={['name', 'colour', 'meaning']}>
        {colours.map(({ name, value }) => (
          <tr key={name}>
            <th scope="row">
              <code>--{name}</code>
            </th>
            <td>
              <span class="cp-swatch" style={{ background: value }} />
              <code>{value}</code>
            </td>
            <td>{meaning(name)}</td>
          </tr>
        ))}
      </Table>
      <Table
        title="contrast"
        heads={['pair', 'ratio', 'at_least']}
        lead={say('components.contrast_lead')}
      >
        {pairs.map(([over, on, least]) => {
          const ratio = contrast(over, on);
          return (
            <tr key={`${over} ${on}`} data-enough={ratio >= least}>
              <th scope="row">{say('components.over').replace('{a}', over).replace('{b}', on)}</th>
              <td>
                {ratio.toFixed(1)}
                {ratio < least && ` – ${say('components.too_little')}`}
              </td>
              <td>{least}</td>
            </tr>
          );
        })}
      </Table>
      <Table title="measures" heads={['name', 'value', 'meaning']}>
        {others.map(({ name, value }) => (
          <tr key={name}>
            <th scope="row">
              <code>--{name}</code>
            </th>
            <td>
              <code>{value}</code>
              {name === 'tap' && <span class="cp-bar" style={{ width: value }} />}
            </td>
            <td>{meaning(name)}</td>
          </tr>
        ))}
        {steps().map(([what, value, times]) => (
          <tr key={`${what} ${value}`}>
            <th scope="row">
              <code>{what}</code>
            </th>
            <td>
              <code>{value}</code>
            </td>
            <td>{say('components.used').replace('{n}', String(times))}</td>
          </tr>
        ))}
      </Table>
    </section>
  );
}

interface Token {
  name: string;
  value: string;
  colour: boolean;
}

interface TableProps {
  title: 'colours' | 'contrast' | 'measures';
  heads: readonly ('name' | 'colour' | 'meaning' | 'pair' | 'ratio' | 'at_least' | 'value')[];
  lead?: string;
  children: ComponentChildren;
}

/** Some of the tokens, a row each; wider than a phone it moves sideways by itself. */
function Table({ title, heads, lead, children }: TableProps) {
  const name = say(`components.${title}`);
  return (
    <section class="cp-component">
      <h3>{name}</h3>
      {lead && <p class="cp-what">{lead}</p>}
      <div class="cp-table" tabIndex={0} role="region" aria-label={name}>
        <table>
          <thead>
            <tr>
              {heads.map((head) => (
                <th scope="col" key={head}>
                  {say(`components.${head}`)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>{children}</tbody>
        </table>
      </div>
    </section>
  );
}

/** The custom properties of the root, in the order in which they are defined. */
function tokensOf(): Token[] {
  const names = new Set<string>();
  const walk = (rules: CSSRuleList) => {
    for (const rule of rules) {
      if (rule instanceof CSSStyleRule && rule.selectorText === ':root') {
        for (const property of rule.style) {
          // Those of the tool that makes the styles are nobody's tokens.
          if (/^--(?!lightningcss)/.test(property)) names.add(property);
        }
      }
    }
  };
  for (const sheet of document.styleSheets) walk(sheet.cssRules);
  const style = getComputedStyle(document.documentElement);
  return [...names].map((name) => {
    const value = style.getPropertyValue(name).trim();
    return { name: name.slice(2), value, colour: CSS.supports('color', value) };
  });
}

/** The relative luminance of an opaque colour (WCAG 2.2). */
function luminance(name: string): number {
  const canvas = document.createElement('canvas');
  const pen = canvas.getContext('2d', { willReadFrequently: true })!;
  pen.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`);
  pen.fillRect(0, 0, 1, 1);
  const [r, g, b] = [...pen.getImageData(0, 0, 1, 1).data].map((v) => {
    const part = v / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

/** The contrast ratio of two tokens, 1–21 (WCAG 2.2). */
function contrast(over: string, on: string): number {
  const [a, b] = [luminance(over), luminance(on)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

/** The sizes of text and the gaps that the style sheets use most, with how often. */
function steps(): [string, string, number][] {
  const counts = new Map<string, number>();
  const walk = (rules: CSSRuleList) => {
    for (const rule of rules) {
      if (rule instanceof CSSGroupingRule) walk(rule.cssRules);
      if (!(rule instanceof CSSStyleRule) || rule.selectorText.includes('.cp')) continue;
      for (const what of ['font-size', 'column-gap'] as const) {
        const value = rule.style.getPropertyValue(what);
        if (!/^[\d.]+rem$/.test(value)) continue;
        const key = `${what === 'column-gap' ? 'gap' : what} ${value}`;
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
    }
  };
  for (const sheet of document.styleSheets) walk(sheet.cssRules);
  const size = (key: string) => parseFloat(key.split(' ')[1]!);
  return [...counts]
    .filter(([, n]) => n >= 4)
    .sort(([a], [b]) => a.split(' ')[0]!.localeCompare(b.split(' ')[0]!) || size(a) - size(b))
    .map(([key, n]) => [key.split(' ')[0]!, key.split(' ')[1]!, n]);
}
