import type { Alert } from '../api/types';
import { readable, t, tMaybe } from '../shared/i18n';
import { addDays, clock, dayOf, longDate } from '../shared/time';
import { alertName } from '../shared/names';

/** Words joined as one says them: "a, b och c". */
export const listOf = (words: readonly string[]): string =>
  words.length < 2
    ? (words[0] ?? '')
    : t('family.and', { first: words.slice(0, -1).join(', '), last: words.at(-1)! });

/** What a part of what is known is called in a sentence: "sin hälsa". */
export const fieldName = (field: string): string =>
  tMaybe(`family.field.${field}`) ?? readable(field);

/** What happened, as a sentence about the resident. */
export const alertSays = (alert: Pick<Alert, 'kind'>, name: string): string => {
  const own = tMaybe(`family.alert.${alert.kind}`);
  return own
    ? own.replace('{name}', () => name)
    : t('family.alert.other', { kind: alertName(alert), name });
};

/** "I dag", "I morgon", else the date. */
export function dayName(ms: number, at: number, zone?: string): string {
  const day = dayOf(ms, zone);
  const today = dayOf(at, zone);
  if (day === today) return t('family.today');
  if (day === addDays(today, 1)) return t('family.tomorrow');
  const date = longDate(ms, zone);
  return date.charAt(0).toLocaleUpperCase() + date.slice(1);
}

/** "16:00–16:30" */
export const span = (from: number, to: number, zone?: string): string =>
  `${clock(from, zone)}–${clock(to, zone)}`;

/** Who has the alert now; "" for nobody. */
export const holderOf = (a: Alert): string =>
  a.state === 'open' ? '' : (a.held_by ?? a.acknowledged_by ?? '');

/** Whether somebody has to act: nobody has it, or who has it has not closed it in time. */
export const needsSomebody = (a: Alert): boolean =>
  a.state === 'open' || (a.state !== 'resolved' && a.overdue === true);

/** One step of the way of an alert from its cause to its end. */
export interface Step {
  text: string;
  /** When it was taken; undefined is not yet. */
  at: number | undefined;
}

/** The way of an alert: what has happened, and what is to come. */
export function stepsOf(a: Alert, mine: string, zone?: string): Step[] {
  const time = (s: string | null | undefined) => (s ? Date.parse(s) : undefined);
  const holder = holderOf(a);
  const key = (step: string) =>
    holder === mine && mine
      ? t(`family.step.${step}_me` as never)
      : t(`family.step.${step}` as never, { name: holder || t('family.someone') });
  const steps: Step[] = [{ text: t('family.step.raised'), at: time(a.observed) }];
  const held = time(a.held_at ?? a.acknowledged_at);
  if (a.state === 'resolved') {
    if (holder) steps.push({ text: key('taken'), at: held });
    const outcome = tMaybe(`outcome.${a.outcome ?? ''}`) ?? readable(a.outcome ?? '');
    steps.push({ text: t('family.step.over', { outcome }), at: time(a.resolved_at) });
    return steps;
  }
  steps.push(
    holder ? { text: key('taken'), at: held } : { text: t('family.step.nobody'), at: undefined },
  );
  const left = time(a.left_at);
  const expected = time(a.expected);
  if (a.stage === 'on_the_way' && left !== undefined) {
    steps.push({ text: key('way'), at: left });
    const due = expected === undefined ? '' : clock(expected, zone);
    steps.push({
      text: due ? t('family.step.expected', { clock: due }) : t('family.step.not_there'),
      at: undefined,
    });
  } else steps.push({ text: t('family.step.not_left'), at: undefined });
  return steps;
}
