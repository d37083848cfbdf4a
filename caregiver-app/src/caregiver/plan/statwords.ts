import { t } from '../../shared/i18n';
import type { DayCount, Statistics } from '../admin/api';

/** Severities in the order in which a column stacks them, from the bottom. */
export const stacked = ['emergency', 'attention', 'technical'] as const;

export const alarmsOf = (d: DayCount): number => d.emergency + d.attention + d.technical;

/** The middle of the numbers; null of none. */
export function median(numbers: readonly number[]): number | null {
  if (numbers.length === 0) return null;
  const sorted = [...numbers].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** What the days come to together. */
export interface Sums {
  alarms: number;
  emergency: number;
  /** The middle of the days' medians, in seconds: their alarms one by one are not told. */
  taken: number | null;
  done: number;
  missed: number;
  /** Calls by video that were answered, how long they lasted in all, and the travel that they saved; in minutes. */
  calls: number;
  callMinutes: number;
  saved: number;
}

export function sumsOf({ days }: Pick<Statistics, 'days'>): Sums {
  const sum = (of: (d: DayCount) => number) => days.reduce((n, d) => n + of(d), 0);
  return {
    alarms: sum(alarmsOf),
    emergency: sum((d) => d.emergency),
    taken: median(days.flatMap((d) => d.taken_median ?? [])),
    done: sum((d) => d.visits_done),
    missed: sum((d) => d.visits_missed),
    calls: sum((d) => d.calls ?? 0),
    callMinutes: sum((d) => d.call_minutes ?? 0),
    saved: sum((d) => d.saved_minutes ?? 0),
  };
}

/** The item with the most of something, the first of equals; undefined when none has any. */
export function most<T>(items: readonly T[], of: (item: T) => number): T | undefined {
  let best: T | undefined;
  for (const item of items) if (of(item) > (best === undefined ? 0 : of(best))) best = item;
  return best;
}

/** A round number at least as large, for the top of a scale, and the steps up to it. */
export function scaleTo(top: number): { top: number; steps: number[] } {
  if (!(top > 0)) return { top: 1, steps: [0, 1] };
  const power = 10 ** Math.floor(Math.log10(top / 3));
  const step = Math.max(1, [1, 2, 5, 10].find((n) => n * power * 3.999 >= top)! * power);
  const n = Math.ceil(top / step);
  return { top: n * step, steps: Array.from({ length: n + 1 }, (_, i) => i * step) };
}

/** A time in words: "45 s", "3 min", "2 tim"; in the unit that reads best. */
export function lasting(seconds: number): string {
  if (seconds < 90) return t('stats.seconds', { n: Math.round(seconds) });
  if (seconds < 90 * 60) return t('stats.minutes', { n: Math.round(seconds / 60) });
  return t('stats.hours_long', { n: Math.round(seconds / 3600) });
}
