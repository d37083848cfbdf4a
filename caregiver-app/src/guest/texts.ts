// The texts of who comes by a link. Both languages come with the page: it is
// fetched once, by a telephone that nobody knows.
import en from '../../i18n/guest/en.json';
import sv from '../../i18n/guest/sv.json';
import { addTexts, t, type Key } from '../shared/i18n';

export type GuestKey = keyof typeof sv;

addTexts({ sv, en });

/** The text for a key, with {names} filled in. */
export const gt = (key: GuestKey, values: Record<string, string> = {}): string =>
  t(key as unknown as Key, values);
