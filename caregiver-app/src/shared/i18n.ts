import { effect, signal } from '@preact/signals';
import type admin from '../../i18n/admin/sv.json';
import type door from '../../i18n/door/sv.json';
import type install from '../../i18n/install/sv.json';
import type call from '../../i18n/call/sv.json';
import type care from '../../i18n/care/sv.json';
import type family from '../../i18n/family/sv.json';
import type familyPages from '../../i18n/family/pages/sv.json';
import type later from '../../i18n/pages/sv.json';
import type sv from '../../i18n/sv.json';

export type Language = 'sv' | 'en';
/** Texts of pages that are fetched when they are asked for come with them: see addTexts. */
export type Key =
  | keyof typeof sv
  | keyof typeof later
  | keyof typeof care
  | keyof typeof call
  | keyof typeof admin
  | keyof typeof door
  | keyof typeof install
  | keyof typeof family
  | keyof typeof familyPages;

// Each app adds those that it needs: see texts.ts.
const texts: Record<Language, Record<string, string>> = { sv: {}, en: {} };
const locales: Record<Language, string> = { sv: 'sv-SE', en: 'en-GB' };
const remembered = 'lykta.language';

/** Adds the texts of pages that have come. */
export function addTexts(more: Record<Language, Record<string, string>>): void {
  Object.assign(texts.sv, more.sv);
  Object.assign(texts.en, more.en);
}

// Fetches the texts of a language that do not come with the app.
let bring: (l: Language) => Promise<unknown> | undefined = () => undefined;

/** Says how the texts of a language come that are fetched when somebody wants it; undefined is that they are here. */
export function bringTexts(f: typeof bring): void {
  bring = f;
}

// The texts of pages that are here, in a language that does not come with them.
const ofPages: ((l: Language) => Promise<void> | undefined)[] = [];
let fetching: Promise<unknown> = Promise.resolve();

/** Adds the texts of a page that has come: Swedish at once, English when somebody wants it. */
export function addPage(
  sv: Record<string, string>,
  english: () => Promise<{ default: Record<string, string> }>,
): void {
  addTexts({ sv, en: {} });
  let here = false;
  const bringPage = (l: Language) => {
    if (l !== 'en' || here) return undefined;
    return english().then(({ default: en }) => {
      here = true;
      addTexts({ sv: {}, en });
    });
  };
  ofPages.push(bringPage);
  if (language.value === 'en') fetching = Promise.all([fetching, bringPage('en')]);
}

/** Waits until the texts of what has come are here in the language of the screen. */
export async function pagesSpeak(): Promise<void> {
  const waiting = fetching;
  try {
    await waiting;
  } catch (error) {
    fetching = Promise.all(ofPages.map((f) => f(language.value))); // for who asks next
    fetching.catch(() => {});
    throw error;
  }
}

// The screen speaks a language from when its texts are here; without a network it goes on in the one it has.
function speak(l: Language): Promise<void> | undefined {
  const all = [bring(l), ...ofPages.map((f) => f(l))].filter((f) => f !== undefined);
  if (all.length === 0) language.value = l;
  const coming = all.length > 0 ? Promise.all(all) : undefined;
  return coming?.then(
    () => void (language.value = l),
    () => {},
  );
}

/** The language of the screen. */
export const language = signal<Language>('sv');

export const locale = () => locales[language.value];

const isLanguage = (s: unknown): s is Language => s === 'sv' || s === 'en';

/**
 * Chooses the language: what this device remembers, or else what the account
 * says. What it returns is there when its texts have to come first.
 */
export function startLanguage(): Promise<void> | undefined {
  const stored = localStorage.getItem(remembered);
  const coming = isLanguage(stored) ? speak(stored) : undefined;
  effect(() => {
    document.documentElement.lang = language.value;
  });
  return coming;
}

/** The account's language, when nobody has chosen another on this device. */
export function suggestLanguage(l: string): void {
  if (!isLanguage(localStorage.getItem(remembered)) && isLanguage(l)) void speak(l);
}

export function chooseLanguage(l: Language): void {
  localStorage.setItem(remembered, l);
  void speak(l);
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
