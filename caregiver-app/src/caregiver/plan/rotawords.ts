import type { Shift } from '../../api/types';
import { t } from '../../shared/i18n';
import { addDays, clock, dayOf, weekday } from '../../shared/time';

/** A stretch of time, in milliseconds since 1970; from <= t < to. */
export interface Stretch {
  from: number;
  to: number;
}

/** A shift with its times as numbers. */
export interface Duty extends Stretch {
  shift: Shift;
}

export const dutiesOf = (shifts: readonly Shift[]): Duty[] =>
  shifts.map((shift) => ({ shift, from: Date.parse(shift.from), to: Date.parse(shift.to) }));

/** The times within the stretch in which nobody is on duty. */
export function gapsIn(duties: readonly Stretch[], within: Stretch): Stretch[] {
  const gaps: Stretch[] = [];
  let covered = within.from;
  for (const { from, to } of [...duties].sort((a, b) => a.from - b.from)) {
    if (from > covered && covered < within.to) {
      gaps.push({ from: covered, to: Math.min(from, within.to) });
    }
    covered = Math.max(covered, to);
  }
  if (covered < within.to) gaps.push({ from: covered, to: within.to });
  return gaps;
}

/** A shift that counts for nothing while another takes its place. */
export const replaced = (duty: Duty, all: readonly Duty[]): boolean =>
  !duty.shift.override &&
  all.some((d) => d.shift.override && d.from <= duty.from && duty.to <= d.to);

/** "fre 22:00–lör 06:00", "fre 22:00–23:00" on one day; on the hour "fre 22–lör 06". */
export function stretchWords({ from, to }: Stretch, zone?: string): string {
  const sameDay = dayOf(from, zone) === dayOf(to - 1, zone);
  const end = sameDay ? hour(to, zone, true) : `${weekday(to, zone)} ${hour(to, zone)}`;
  return `${weekday(from, zone)} ${hour(from, zone)}–${end}`;
}

// Midnight at the end of a day is 24, not the 00 of the next.
function hour(ms: number, zone: string | undefined, end = false): string {
  const shown = clock(ms, zone);
  if (end && shown === '00:00') return '24';
  return shown.endsWith(':00') ? shown.slice(0, 2) : shown;
}

/** What a gap means: "Ingen i tjänst fre 22–lör 06: då larmas alla i området". */
export const gapWords = (gap: Stretch, zone?: string): string =>
  t('rota.gap', { when: stretchWords(gap, zone) });

/** Part of a duty or gap on one day, as parts of that day from 0 to 1. */
export interface Bar<T> {
  what: T;
  left: number;
  width: number;
  /** In which row of the day it is drawn, from 0, so that none lies over another. */
  row: number;
}

/** Where the stretches are drawn on the day. */
export function barsOf<T extends Stretch>(stretches: readonly T[], day: Stretch): Bar<T>[] {
  const length = day.to - day.from;
  const rows: number[] = []; // where each row is free from
  return [...stretches]
    .filter((s) => s.from < day.to && s.to > day.from)
    .sort((a, b) => a.from - b.from)
    .map((what) => {
      const from = Math.max(what.from, day.from);
      const to = Math.min(what.to, day.to);
      let row = rows.findIndex((free) => free <= from);
      if (row < 0) row = rows.length;
      rows[row] = to;
      return { what, row, left: (from - day.from) / length, width: (to - from) / length };
    });
}

/** The areas that anybody or anything belongs to, in the order of their names; "" is no area. */
export function areasOf(named: Iterable<string>, locale: string): string[] {
  const collator = new Intl.Collator(locale);
  return [...new Set(named)].sort((a, b) => collator.compare(a, b));
}

/** An area's name; what has none is of the whole municipality when there is no other. */
export const areaName = (area: string, all: readonly string[]): string =>
  area || t(all.length > 1 ? 'area.none' : 'area.whole');

/** The Monday of the week that the day is in. */
export function mondayOf(day: string): string {
  const weekdayOf = new Date(`${day}T00:00:00Z`).getUTCDay();
  return addDays(day, -((weekdayOf + 6) % 7));
}

/** The week's number in its year, by ISO 8601: that of its Thursday. */
export function weekNumber(monday: string): number {
  const thursday = addDays(monday, 3);
  const days = Date.parse(thursday) - Date.parse(`${thursday.slice(0, 4)}-01-01`);
  return Math.floor(days / (7 * 86_400_000)) + 1;
}
