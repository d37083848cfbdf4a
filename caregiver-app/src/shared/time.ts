import { signal } from '@preact/signals';
import { locale, t } from './i18n';

// The server's clock less this device's, in milliseconds. A phone whose clock
// is wrong must not show an alarm as old or new.
let offset = 0;
let heard = false;

/** Whether the server has said what time it is since the page was opened. */
export const knowsServerTime = () => heard;

/** Now by the server's clock, in milliseconds since 1970; moves in steps of some seconds. */
export const now = signal(Date.now());

export const serverNow = () => Date.now() + offset;

/** Learns the server's clock. */
export function setServerTime(ms: number): void {
  if (!Number.isFinite(ms)) return;
  heard = true;
  const difference = ms - Date.now();
  offset = Math.abs(difference) > 2_000 ? difference : 0;
  now.value = serverNow();
}

/** Starts the clock that moves `now`; returns its stop. */
export function startClock(): () => void {
  const tick = () => (now.value = serverNow());
  const timer = setInterval(tick, 10_000);
  document.addEventListener('visibilitychange', tick);
  return () => {
    clearInterval(timer);
    document.removeEventListener('visibilitychange', tick);
  };
}

const formats = new Map<string, Intl.DateTimeFormat>();

// Making a formatter costs as much as a hundred uses of it.
function format(name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${name}|${locale()}|${options.timeZone ?? ''}`;
  let f = formats.get(key);
  if (!f) {
    try {
      f = new Intl.DateTimeFormat(locale(), options);
    } catch {
      // A zone that this browser does not know: show its own.
      const { timeZone: _, ...rest } = options;
      f = new Intl.DateTimeFormat(locale(), rest);
    }
    formats.set(key, f);
  }
  return f;
}

const inZone = (zone?: string) => (zone ? { timeZone: zone } : {});

/** The time of day, "14:02", in the zone (this device's when none is given). */
export const clock = (ms: number, zone?: string): string =>
  format('clock', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', ...inZone(zone) }).format(
    ms,
  );

/** The time of day to the second, "14:02:31": tells apart what came within one minute. */
export const clockSeconds = (ms: number, zone?: string): string =>
  format('seconds', {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    ...inZone(zone),
  }).format(ms);

/** "lör 21 nov." */
export const shortDate = (ms: number, zone?: string): string =>
  format('date', { weekday: 'short', day: 'numeric', month: 'short', ...inZone(zone) }).format(ms);

/** "lör" */
export const weekday = (ms: number, zone?: string): string =>
  format('weekday', { weekday: 'short', ...inZone(zone) }).format(ms);

/** "lördag 21 november" */
export const longDate = (ms: number, zone?: string): string =>
  format('long', { weekday: 'long', day: 'numeric', month: 'long', ...inZone(zone) }).format(ms);

const minute = 60_000;
const hour = 60 * minute;

/** The clock time, with the day when it is not today. */
export function moment(ms: number, at: number, zone?: string): string {
  const day = dayOf(ms, zone);
  if (day === dayOf(at, zone)) return clock(ms, zone);
  if (day === addDays(dayOf(at, zone), -1)) return t('time.yesterday', { clock: clock(ms, zone) });
  return t('time.date', { date: shortDate(ms, zone), clock: clock(ms, zone) });
}

/** The moment as it stands in a sentence: "kl 14:02", "i går kl 14:02". */
export const atMoment = (ms: number, at: number, zone?: string): string =>
  dayOf(ms, zone) === dayOf(at, zone)
    ? t('time.at', { clock: clock(ms, zone) })
    : moment(ms, at, zone);

/** How long ago, in words: "nyss", "4 min sedan", "2 tim sedan", then the day. */
export function ago(ms: number, at: number, zone?: string): string {
  const past = at - ms;
  if (past < minute) return t('time.now');
  if (past < hour) return t('time.minutes', { n: Math.floor(past / minute) });
  if (past < 12 * hour) return t('time.hours', { n: Math.floor(past / hour) });
  return moment(ms, at, zone);
}

/** A day of the calendar, "2026-11-21". */
export type Day = string;

const dayFormats = new Map<string, Intl.DateTimeFormat>();

/** The day in the zone that the instant falls on. */
export function dayOf(ms: number, zone?: string): Day {
  let f = dayFormats.get(zone ?? '');
  if (!f) {
    const options = { year: 'numeric', month: '2-digit', day: '2-digit' } as const;
    try {
      f = new Intl.DateTimeFormat('en-CA', { ...options, ...inZone(zone) });
    } catch {
      f = new Intl.DateTimeFormat('en-CA', options);
    }
    dayFormats.set(zone ?? '', f);
  }
  return f.format(ms);
}

export function addDays(day: Day, n: number): Day {
  const d = new Date(`${day}T00:00:00Z`);
  d.setUTCDate(d.getUTCDate() + n);
  return d.toISOString().slice(0, 10);
}

/**
 * The first instant of the day in the zone. A day is not always 24 hours
 * long, and in some zones does not start at midnight.
 */
export function startOfDay(day: Day, zone?: string): number {
  const utc = Date.parse(`${day}T00:00:00Z`);
  // The answer lies within 14 hours of it; halve the span until it is found.
  let before = utc - 15 * hour;
  let after = utc + 15 * hour;
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (dayOf(middle, zone) < day) before = middle;
    else after = middle;
  }
  return after;
}

/** The instant at which the clock of the zone shows so many minutes after midnight. */
export function atMinute(day: Day, minutes: number, zone?: string): number {
  const start = startOfDay(day, zone);
  const guess = start + minutes * minute;
  // On the two days a year when the clock is moved, the guess is an hour off.
  const shown = minutesShown(guess, zone) + (dayOf(guess, zone) > day ? 24 * 60 : 0);
  return guess + (minutes - shown) * minute;
}

function minutesShown(ms: number, zone?: string): number {
  const [h = 0, m = 0] = clock(ms, zone).split(':').map(Number);
  return h * 60 + m;
}
