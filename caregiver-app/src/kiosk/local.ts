import { locale } from './texts';

/** A moment as the clock on the wall of the home has it. */
export interface Local {
  /** YYYY-MM-DD */
  date: string;
  /** ISO 8601: 1 Monday to 7 Sunday. */
  weekday: number;
  /** After midnight, 0–1439. */
  minutes: number;
}

const day = 86_400_000;
const formats = new Map<string, Intl.DateTimeFormat>();

/** A formatter; making one costs as much as a hundred uses of it. */
export function format(
  tag: string,
  zone: string | undefined,
  options: Intl.DateTimeFormatOptions,
): Intl.DateTimeFormat {
  const key = `${tag}|${zone}|${JSON.stringify(options)}`;
  let found = formats.get(key);
  if (!found) {
    try {
      found = new Intl.DateTimeFormat(tag, zone ? { ...options, timeZone: zone } : options);
    } catch {
      found = new Intl.DateTimeFormat(tag, options); // a zone that this browser does not know
    }
    formats.set(key, found);
  }
  return found;
}

/** The wall clock of the zone (the browser's own when none is given) at `ms` since 1970. */
export function local(ms: number, zone?: string): Local {
  const parts = format('en-GB', zone, {
    ...{ year: 'numeric', month: '2-digit', day: '2-digit' },
    ...{ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  }).formatToParts(ms);
  const of = (type: string) => parts.find((p) => p.type === type)!.value;
  const date = `${of('year')}-${of('month')}-${of('day')}`;
  return {
    date,
    weekday: ((new Date(`${date}T12:00:00Z`).getUTCDay() + 6) % 7) + 1,
    minutes: Number(of('hour')) * 60 + Number(of('minute')),
  };
}

/** The date so many days later, or earlier when negative. */
export const addDays = (date: string, days: number): string =>
  new Date(Date.parse(`${date}T12:00:00Z`) + days * day).toISOString().slice(0, 10);

/** How many days the second date is after the first. */
export const daysBetween = (from: string, to: string): number =>
  Math.round((Date.parse(to) - Date.parse(from)) / day);

/** The time of day, "14:02". */
export const clock = (ms: number, zone?: string): string =>
  format(locale(), zone, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(ms);

/** "14:02" of minutes after midnight. */
export const clockOf = (minutes: number): string =>
  `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
