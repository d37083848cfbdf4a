import type { Policy, Step } from '../../api/types';
import { t, tn } from '../../shared/i18n';
import { groupName, listOf } from '../chainwords';

/** What the service allows: seconds of a step's wait, minutes for which a taken alert is left alone. */
export const bounds = {
  wait: [15, 86_400],
  emergencyWait: 60,
  hold: [5, 1440],
  steps: 20,
} as const;

const units = [
  ['days', 86_400],
  ['hours', 3_600],
  ['minutes', 60],
  ['seconds', 1],
] as const;

/** So many seconds, in the largest unit that says them whole: "2 minuter", "90 sekunder". */
export function duration(seconds: number): string {
  const [unit, size] = units.find(([, s]) => seconds >= s && seconds % s === 0) ?? units[3];
  return tn(`duration.${unit}`, seconds / size);
}

const who = (step: Step) => listOf(step.groups.map(groupName));

/** Who is told in which order, a sentence for each step, and what follows them. */
export function policySentences({ steps, rounds, hold }: Policy): {
  steps: string[];
  then: string[];
} {
  const told = steps.map((step, i) =>
    i === 0
      ? t('policy.first', { who: who(step) })
      : t('policy.then', { wait: duration(steps[i - 1]!.wait), who: who(step) }),
  );
  const then: string[] = [];
  const last = steps.at(-1);
  if (last && rounds === 0) then.push(t('policy.forever', { wait: duration(last.wait) }));
  else if (rounds > 1) then.push(tn('policy.rounds', rounds));
  then.push(t('policy.hold', { hold: duration(hold * 60) }));
  return { steps: told, then };
}

/** What is wrong with a policy, in words; "" when the service will take it. */
export function wrongPolicy({ severity, steps, rounds, hold }: Policy): string {
  const emergency = severity === 'emergency';
  const [least, most] = bounds.wait;
  for (const [i, step] of steps.entries()) {
    const n = i + 1;
    if (step.groups.length === 0) return t('policy.bad_groups', { n });
    if (!(step.wait >= least && step.wait <= most)) return t('policy.bad_wait', { n });
    if (emergency && step.wait > bounds.emergencyWait) return t('policy.bad_emergency_wait', { n });
  }
  if (emergency && !steps.some((s) => s.groups.includes('last_resort'))) {
    return t('policy.bad_last_resort');
  }
  if (!(Number.isInteger(rounds) && rounds >= 0 && rounds <= 1000)) return t('policy.bad_rounds');
  const held = hold >= bounds.hold[0] && hold <= bounds.hold[1];
  return held ? '' : t('policy.bad_hold');
}
