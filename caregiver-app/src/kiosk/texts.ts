import english from '../../i18n/kiosk/en.json?url';
import sv from '../../i18n/kiosk/sv.json';

export type Key = keyof typeof sv;
export type Counted = Key extends infer K ? (K extends `${infer Stem}.one` ? Stem : never) : never;
export type Language = 'sv' | 'en';

// English is a file of its own, read when somebody chooses it.
const texts: Record<Language, Record<string, string> | undefined> = { sv, en: undefined };
const locales: Record<Language, string> = { sv: 'sv-SE', en: 'en-GB' };

let chosen: Language = 'sv';

/** The screen's language, and how it writes numbers and times. */
export const language = (): Language => chosen;
export const locale = (): string => locales[chosen];

/** Chooses the language; false when its texts are not here (see fetchTexts). */
export function setLanguage(l: Language): boolean {
  if (!texts[l]) return false;
  chosen = l;
  return true;
}

/** Adds the texts of a language. */
export const addTexts = (l: Language, more: Record<string, string>): void => void (texts[l] = more);

// The texts of what is fetched later come with it, in both languages.
const later: typeof texts = { sv: undefined, en: undefined };
export const addLater = (more: typeof texts): void => void Object.assign(later, more);

let fetching: Promise<void> | undefined;

/** Brings the texts of the other language; tried again when it did not work. */
export function fetchTexts(): Promise<void> {
  fetching ??= fetch(english)
    .then(async (r) => addTexts('en', (await r.json()) as Record<string, string>))
    .catch(() => void (fetching = undefined));
  return fetching;
}

const fill = (text: string, values: Record<string, string | number>) =>
  text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));

/** The text for a key, with {names} filled in. */
export const t = (key: Key, values: Record<string, string | number> = {}): string =>
  fill(tMaybe(key) ?? key, values);

/** The text for a key made from what the gateway said, or undefined when there is none. */
export const tMaybe = (key: string): string | undefined =>
  texts[chosen]![key] ?? later[chosen]?.[key];

/** The text for a count; the key has the forms .one and .other. */
export const tn = (stem: Counted, n: number, values: Record<string, string | number>): string =>
  t(`${stem}.${n === 1 ? 'one' : 'other'}` as Key, { n, ...values });

/** The first letter as a sentence has it. */
export const capital = (text: string): string =>
  text.charAt(0).toLocaleUpperCase(locale()) + text.slice(1);
