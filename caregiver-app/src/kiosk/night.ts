/** The dark hours, in minutes after midnight. */
const from = 22 * 60;
const to = 6 * 60;
/** So long after the last touch the screen is dark again, in milliseconds. */
export const awakeFor = 60_000;

export interface Night {
  /** Minutes after midnight; undefined when nobody knows what time it is. */
  minutes: number | undefined;
  /** Whether the resident wants it dark at night, and has made it dark by hand. */
  wanted: boolean;
  byHand: boolean;
  /** How long ago the screen was touched, in milliseconds. */
  untouched: number;
  /** Something that may not wait: an alarm, a medicine. */
  urgent: boolean;
}

/** Whether the screen is dark. An alarm always lights it. */
export function isDark({ minutes, wanted, byHand, untouched, urgent }: Night): boolean {
  if (urgent) return false;
  if (byHand) return true;
  const night = minutes !== undefined && (minutes >= from || minutes < to);
  return wanted && night && untouched >= awakeFor;
}

/** Whether it is a time at which to read letters aloud unasked. */
export const isDaytime = (minutes: number | undefined): boolean =>
  minutes !== undefined && minutes >= 8 * 60 && minutes < 21 * 60;
