import { en, sv } from 'virtual:kiosk-texts';

// Only this screen's texts are in its build (vite.config.ts): all of them
// would be half of what it may weigh.
type All = keyof typeof import('../../i18n/sv.json');
export type Key = Extract<All, `kiosk.${string}`>;
export type Counted = Key extends infer K ? (K extends `${infer Stem}.one` ? Stem : never) : never;
export type Language = 'sv' | 'en';

const texts: Record<Language, Record<string, string>> = { sv, en };
const locales: Record<Language, string> = { sv: 'sv-SE', en: 'en-GB' };

/** The screen's language: Swedish, or what its address asks for (?language=en). */
export const language: Language =
  new URLSearchParams(globalThis.location?.search ?? '').get('language') === 'en' ? 'en' : 'sv';
export const locale = locales[language];

/** The text for a key, with {names} filled in. */
export const t = (key: Key, values: Record<string, string | number> = {}): string =>
  (texts[language][key] ?? key).replace(/\{(\w+)\}/g, (whole, name: string) =>
    String(values[name] ?? whole),
  );

/** The text for a count; the key has the forms .one and .other. */
export const tn = (stem: Counted, n: number, values: Record<string, string | number>): string =>
  t(`${stem}.${n === 1 ? 'one' : 'other'}` as Key, { n, ...values });
