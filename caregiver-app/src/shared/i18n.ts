import { effect, signal } from '@preact/signals';
import en from '../../i18n/en.json';
import type later from '../../i18n/pages/sv.json';
import sv from '../../i18n/sv.json';

export type Language = 'sv' | 'en';
/** Texts of pages that are fetched when they are asked for come with them: see addTexts. */
export type Key = keyof typeof sv | keyof typeof later;

const texts: Record<Language, Record<string, string>> = { sv: { ...sv }, en: { ...en } };
const locales: Record<Language, string> = { sv: 'sv-SE', en: 'en-GB' };
const remembered = 'lykta.language';

/** Adds the texts of pages that have come. */
export function addTexts(more: Record<Language, Record<string, string>>): void {
  Object.assign(texts.sv, more.sv);
  Object.assign(texts.en, more.en);
}

/** The language of the screen. */
export const language = signal<Language>('sv');

export const locale = () => locales[language.value];

const isLanguage = (s: unknown): s is Language => s === 'sv' || s === 'en';

/** Chooses the language: what this device remembers, or else what the account says. */
export function startLanguage(): void {
  const stored = localStorage.getItem(remembered);
  if (isLanguage(stored)) language.value = stored;
  effect(() => {
    document.documentElement.lang = language.value;
  });
}

/** The account's language, when nobody has chosen another on this device. */
export function suggestLanguage(l: string): void {
  if (!isLanguage(localStorage.getItem(remembered)) && isLanguage(l)) language.value = l;
}

export function chooseLanguage(l: Language): void {
  localStorage.setItem(remembered, l);
  language.value = l;
}

type Values = Record<string, string | number>;

const fill = (text: string, values: Values) =>
  text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));

/** The text for a key, with {names} filled in. */
export function t(key: Key, values: Values = {}): string {
  return fill(texts[language.value][key] ?? key, values);
}

type Counted = Key extends infer K ? (K extends `${infer Stem}.one` ? Stem : never) : never;

const plurals: Record<Language, Intl.PluralRules> = {
  sv: new Intl.PluralRules('sv'),
  en: new Intl.PluralRules('en'),
};

/** The text for a count; the key has the forms .one and .other. */
export function tn(stem: Counted, n: number, values: Values = {}): string {
  const form = plurals[language.value].select(n) === 'one' ? 'one' : 'other';
  return fill(texts[language.value][`${stem}.${form}`] ?? stem, {
    n: new Intl.NumberFormat(locale()).format(n),
    ...values,
  });
}

/** The text for a key made from what the server said, or undefined when this app does not know it. */
export function tMaybe(key: string): string | undefined {
  return texts[language.value][key];
}

/** A server's word that this app does not know, made as readable as it can be. */
export function readable(word: string): string {
  const spaced = word.replace(/[_-]+/g, ' ').trim();
  return spaced.charAt(0).toLocaleUpperCase() + spaced.slice(1);
}
