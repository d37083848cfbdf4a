// The texts of calls come with what shows them, in both languages: a ring is
// not to wait for a file.
import en from '../../../i18n/kiosk/call/en.json';
import sv from '../../../i18n/kiosk/call/sv.json';
import { addLater, t, type Key } from '../texts';

export type CallKey = keyof typeof sv;

addLater({ sv, en });

/** The text for a key, with {names} filled in. */
export const ct = (key: CallKey, values: Record<string, string | number> = {}): string =>
  t(key as unknown as Key, values);
