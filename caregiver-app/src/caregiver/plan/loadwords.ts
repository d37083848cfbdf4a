import type { Load } from '../../api/types';
import { t } from '../../shared/i18n';
import { duration } from './policywords';

/** How alerts of a kind ended, for the picture. */
export interface Ended {
  real: number;
  /** Nothing was the matter with anybody: a wrong press, a fault, a thing that passed. */
  other: number;
  /** Not closed, or closed without saying. */
  open: number;
}

const real = new Set(['helped', 'could_not_reach']);

/** How many alerts were real: somebody was helped, or could not be reached. */
export function endedOf(kind: Load['kinds'][number]): Ended {
  let [yes, no] = [0, 0];
  for (const [outcome, n] of Object.entries(kind.outcomes)) {
    if (real.has(outcome)) yes += n;
    else no += n;
  }
  return { real: yes, other: no, open: Math.max(0, kind.raised - yes - no) };
}

/** All kinds together. */
export function totalOf(load: Load): Ended & { raised: number } {
  const sum = { raised: 0, real: 0, other: 0, open: 0 };
  for (const kind of load.kinds) {
    const ended = endedOf(kind);
    sum.raised += kind.raised;
    sum.real += ended.real;
    sum.other += ended.other;
    sum.open += ended.open;
  }
  return sum;
}

/** Until somebody took one, in words: "1 minut", "tas inte". */
export function takenWords(seconds: number | null): string {
  if (seconds === null) return t('load.never_taken');
  const rounded = seconds < 90 ? Math.round(seconds) : Math.round(seconds / 60) * 60;
  return duration(Math.max(1, rounded > 5_400 ? Math.round(rounded / 3_600) * 3_600 : rounded));
}
