import { beforeAll, describe, expect, it } from 'vitest';
import { addTexts } from '../../shared/i18n';
import en from '../../../i18n/admin/en.json';
import sv from '../../../i18n/admin/sv.json';
import type { Visit } from '../admin/api';
import {
  changedWords,
  copiesOf,
  entryOf,
  minutesOf,
  overlapping,
  rowsOf,
  stateWords,
} from './visitwords';

const zone = 'Europe/Stockholm';
const sorted = new Intl.Collator('sv');

beforeAll(() => addTexts({ sv, en }));

function visit(fields: Partial<Visit>): Visit {
  return {
    id: 'v1',
    home: 'marta',
    home_name: 'Märta Lindqvist',
    from: '2026-11-17T06:30:00Z',
    to: '2026-11-17T07:15:00Z',
    person: 'anna',
    who: 'Anna Berg',
    what: 'Morgonhjälp',
    video: false,
    state: 'planned',
    asked: '',
    asked_by: '',
    note: '',
    changed: null,
    by: '',
    rev: 0,
    ...fields,
  };
}

describe('a week of visits', () => {
  it('has a row for each person, first what nobody has, and the day is that of the homes', () => {
    const late = visit({ id: 'v2', from: '2026-11-17T23:30:00Z', to: '2026-11-18T00:00:00Z' });
    const open = visit({ id: 'v3', person: '', who: '' });
    const always = [{ id: 'bjorn', name: 'Björn Falk' }];
    const rows = rowsOf([late, visit({}), open], 'person', '2026-11-16', zone, always, sorted);
    expect(rows.map((r) => r.name)).toEqual(['Ingen bestämd', 'Anna Berg', 'Björn Falk']);
    // Half past midnight in Stockholm is the Wednesday's.
    expect(rows[1]!.days.map((d) => d.map((v) => v.id))).toEqual([
      [],
      ['v1'],
      ['v2'],
      [],
      [],
      [],
      [],
    ]);
    const homes = rowsOf([visit({}), late], 'home', '2026-11-16', zone, [], sorted);
    expect(homes.map((r) => r.name)).toEqual(['Märta Lindqvist']);
  });

  it('leaves out what is only asked for or was declined, and keeps what was cancelled', () => {
    const states = ['requested', 'declined', 'cancelled', 'missed'] as const;
    const all = states.map((state) => visit({ id: state, state }));
    const [row] = rowsOf(all, 'person', '2026-11-16', zone, [], sorted);
    expect(row!.days[1]!.map((v) => v.id)).toEqual(['cancelled', 'missed']);
    expect(all.map((v) => stateWords(v.state))).toEqual(['önskat', 'nej', 'inställt', 'uteblev']);
  });

  it('says what somebody else did to a visit meanwhile', () => {
    const known = visit({ by: 'Eva Ek', rev: 1 });
    const now = (change: Partial<Visit>) =>
      changedWords({ ...known, by: 'Anna Berg', rev: 2, ...change }, known, zone);
    expect(now({ from: '2026-11-17T15:00:00Z', to: '2026-11-17T15:45:00Z' })).toBe(
      'Anna Berg har flyttat besöket till tis 17 nov. 16:00–16:45.',
    );
    expect(now({ person: 'bjorn', who: 'Björn Falk' })).toBe(
      'Anna Berg har gett besöket till Björn Falk.',
    );
    expect(now({ what: 'Dusch' })).toBe('Anna Berg har ändrat besöket.');
    expect(now({ state: 'cancelled' })).toBe('Anna Berg har ställt in besöket.');
    expect(now({ state: 'missed', by: '' })).toBe('Tjänsten har sagt att besöket inte blev av.');
  });

  it('tells of what the same person has at the same time', () => {
    const v = visit({});
    const at = (from: string, to: string, person = 'anna') =>
      overlapping([v], { person, from: `2026-11-17T${from}Z`, to: `2026-11-17T${to}Z` }, 'new');
    expect(at('07:00:00', '07:30:00')).toBe(v);
    expect(at('07:15:00', '07:30:00')).toBeUndefined();
    expect(at('07:00:00', '07:30:00', 'bjorn')).toBeUndefined();
    expect(at('07:00:00', '07:30:00', '')).toBeUndefined();
    expect(overlapping([v], entryOf(v), 'v1')).toBeUndefined();
    expect(minutesOf(v)).toBe(45);
  });
});

describe('copying the week before', () => {
  it('keeps day and clock, also when summer time has begun', () => {
    // Stockholm's clocks go forward on 29 March 2026: 07:30 is then 05:30 UTC.
    const v = visit({ from: '2026-03-24T06:30:00Z', to: '2026-03-24T07:15:00Z', state: 'done' });
    const { fresh } = copiesOf([v], [], '2026-03-30', zone);
    expect(fresh).toEqual([
      [
        'v1.20260331',
        entryOf(v, {
          from: '2026-03-31T05:30:00.000Z',
          to: '2026-03-31T06:15:00.000Z',
          state: 'planned',
        }),
      ],
    ]);
  });

  it('adds nothing twice, and nothing back that was cancelled since', () => {
    const v = visit({});
    const [[id, entry]] = copiesOf([v], [], '2026-11-23', zone).fresh as [[string, never]];
    const copied = visit({ ...(entry as object), id, state: 'cancelled' });
    expect(copiesOf([v], [copied], '2026-11-23', zone)).toEqual({ fresh: [], there: 1 });
    // The copy of a copy has one date on its id, not two.
    const next = copiesOf(
      [visit({ id, from: entry['from'], to: entry['to'] })],
      [],
      '2026-11-30',
      zone,
    );
    expect(next.fresh[0]![0]).toBe('v1.20261201');
  });

  it('copies what took place or was to, and not what was called off or asked for', () => {
    const states = ['planned', 'done', 'missed', 'cancelled', 'requested', 'declined'] as const;
    const all = states.map((state, i) =>
      visit({ id: state, state, from: `2026-11-17T0${i}:30:00Z`, to: `2026-11-17T0${i}:45:00Z` }),
    );
    const { fresh } = copiesOf(all, [], '2026-11-23', zone);
    expect(fresh.map(([id]) => id)).toEqual([
      'planned.20261124',
      'done.20261124',
      'missed.20261124',
    ]);
  });
});
