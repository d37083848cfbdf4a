// The texts of the component page, which is none of the apps: both languages
// come with it.
import en from '../../i18n/components/en.json';
import sv from '../../i18n/components/sv.json';

export type TextKey = keyof typeof sv;
type Named<Prefix extends string> = TextKey extends infer K
  ? K extends `${Prefix}.${infer Name}`
    ? Name
    : never
  : never;
/** The name of a state. */
export type StateKey = Named<'components.state'>;

const texts: Record<string, Record<string, string>> = { sv, en };
let language = 'sv';

export function speak(l: 'sv' | 'en'): void {
  language = l;
}

export const say = (key: TextKey): string => texts[language]![key] ?? key;
/** The text for a key made from a name; undefined when there is none. */
export const sayMaybe = (key: string): string | undefined => texts[language]![key];
