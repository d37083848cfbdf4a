import type { Alert } from '../api/types';
import { t, tn } from '../shared/i18n';
import { atMoment, clock } from '../shared/time';
import { outcomeName } from '../shared/words';
import { holderOf } from './state';

const minute = 60_000;

/** Who has the alert and when they are expected, in words; of a closed one how it ended. */
export function standing(alert: Alert, me: string, at: number, zone?: string): string {
  const when = (s?: string | null) => (s ? atMoment(Date.parse(s), at, zone) : '');
  const name = holderOf(alert);
  switch (alert.state) {
    case 'open':
      if (alert.test) return t('alert.open_test');
      return t(alert.severity === 'technical' ? 'alert.open_technical' : 'alert.open');
    case 'resolved': {
      const values = {
        when: when(alert.resolved_at),
        outcome: outcomeName(alert.outcome ?? ''),
      };
      return alert.resolved_by
        ? t('alert.resolved', { ...values, name: alert.resolved_by })
        : t('alert.resolved_self', values);
    }
  }
  if (!name) return t('alert.taken_unknown');
  const mine = name === me;
  if (alert.stage !== 'on_the_way') {
    const values = { name, when: when(alert.held_at ?? alert.acknowledged_at) };
    return t(mine ? 'alert.taken_me' : 'alert.taken', values);
  }
  if (!alert.expected) {
    return t(mine ? 'alert.way_me' : 'alert.way', { name, when: when(alert.left_at) });
  }
  const left = Date.parse(alert.expected) - at;
  const values = { name, clock: clock(Date.parse(alert.expected), zone) };
  if (left < 0) return t(mine ? 'alert.way_late_me' : 'alert.way_late', values);
  const n = Math.max(1, Math.round(left / minute));
  return tn(mine ? 'alert.way_in_me' : 'alert.way_in', n, values);
}

// Homes wait for an answer to these, and show it to who pressed.
const answered = new Set(['sos', 'fall']);

/** Whether the person in the home knows who has it: "Visat för Karin"; "" where it is not asked. */
export function wordBack(alert: Alert, me: string, at: number, zone?: string): string {
  const by = holderOf(alert);
  if (alert.state !== 'acknowledged' || !by || !answered.has(alert.kind)) return '';
  const when = (s: string) => atMoment(Date.parse(s), at, zone);
  if (alert.heard) {
    return t('alert.heard', { name: alert.home_name, when: when(alert.heard) });
  }
  if (!alert.reached) return t('alert.not_reached');
  return t(by === me ? 'alert.reached_me' : 'alert.reached', { by, when: when(alert.reached) });
}

/** What is wrong with how an alert is looked after, for all to see; "" when nothing is. */
export function trouble(alert: Alert): string {
  if (alert.state === 'resolved') return '';
  if (alert.unheard) return t('alert.unheard');
  return alert.overdue ? t('alert.overdue') : '';
}
