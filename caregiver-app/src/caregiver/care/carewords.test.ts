import { beforeEach, describe, expect, it } from 'vitest';
import type { Shift, Window } from '../../api/types';
import { language } from '../../shared/i18n';
import type { Found, Grant, Note, Visit } from './api';
import {
  activeDays,
  ageOf,
  ageWords,
  bedHours,
  feltDays,
  grouped,
  handOverSpan,
  newSince,
  refusedOf,
  shiftNow,
  telOf,
  cameLate,
  threads,
  visitState,
  withSentence,
} from './carewords';
import './texts';

const zone = 'Europe/Stockholm';
const at = Date.parse('2026-11-21T13:12:00Z');
const hour = 3_600_000;
const iso = (ms: number) => new Date(ms).toISOString();

beforeEach(() => (language.value = 'sv'));

describe('who it is', () => {
  it('counts years from the birthday on, by the day at the home', () => {
    expect(ageOf('1938-11-21', at, zone)).toBe(88);
    expect(ageOf('1938-11-22', at, zone)).toBe(87);
    // Half past eleven in the evening in London is the birthday in Stockholm.
    expect(ageOf('1938-11-22', Date.parse('2026-11-21T23:30:00Z'), zone)).toBe(88);
  });
  it('does not make an age of a year', () => {
    expect(ageWords('1944', at, zone)).toBe('född 1944');
    expect(ageWords('', at, zone)).toBe('');
  });
  it('dials a number however it is written', () => {
    expect(telOf('08-746 06 10')).toBe('tel:087460610');
    expect(telOf('+46 (0)70-174 06 11')).toBe('tel:+460701740611');
  });
});

const note = (id: string, hours: number, fields: Partial<Note> = {}): Note => ({
  id,
  home: 'marta',
  at: iso(at - hours * hour),
  written: fields.at ?? iso(at - hours * hour),
  author: 'Anna Berg',
  person: 'anna',
  kind: 'visit',
  text: id,
  corrects: '',
  alert: '',
  ...fields,
});

describe('notes', () => {
  it('stand by day, newest first, with their corrections under them', () => {
    const days = threads(
      [
        note('a', 30),
        note('fix', 2, { corrects: 'a' }),
        note('b', 1),
        note('fix2', 1, { corrects: 'fix' }),
      ],
      zone,
    );
    expect(days.map(([day, list]) => [day, list.map((th) => th.note.id)])).toEqual([
      ['2026-11-21', ['b']],
      ['2026-11-20', ['a']],
    ]);
    expect(days[1]![1][0]!.corrections.map((n) => n.id)).toEqual(['fix', 'fix2']);
  });
  it('shows a correction whose note is not here, and ends where corrections go in a ring', () => {
    expect(threads([note('fix', 1, { corrects: 'old' })], zone)).toHaveLength(1);
    const ring = [note('x', 2, { corrects: 'y' }), note('y', 1, { corrects: 'x' })];
    expect(() => threads(ring, zone)).not.toThrow();
  });
  it('stand where they were written, and say when they came much later', () => {
    const offline = note('offline', 5, { at: iso(at), written: iso(at - 5 * hour) });
    const days = threads([offline, note('online', 1)], zone);
    expect(days.flatMap(([, list]) => list.map((th) => th.note.id))).toEqual(['online', 'offline']);
    expect([cameLate(offline), cameLate(note('online', 1))]).toEqual([true, false]);
  });
  it('takes a template after what was written, once', () => {
    expect(withSentence('', 'Allt väl.')).toBe('Allt väl.');
    expect(withSentence('Sov.\n', 'Allt väl.')).toBe('Sov.\nAllt väl.');
    expect(withSentence('Sov.\nAllt väl.', 'Allt väl.')).toBe('Sov.\nAllt väl.');
  });
});

describe('shifts', () => {
  const shift = (person: string, from: number, to: number): Shift => ({
    id: `${person}${from}`,
    area: 'Norr',
    person,
    from: iso(at + from * hour),
    to: iso(at + to * hour),
    override: false,
  });
  const all = [shift('anna', -30, -22), shift('anna', -6, 2), shift('bjorn', 1, 9)];

  it('hands over the shift that ends now, and without one the last eight hours', () => {
    expect(handOverSpan(all, 'anna', at)).toEqual({ from: at - 6 * hour, to: at + 2 * hour });
    expect(handOverSpan(all, 'anna', at + 5 * hour).to).toBe(at + 2 * hour);
    expect(handOverSpan(all, 'cecilia', at)).toEqual({ from: at - 8 * hour, to: at });
  });
  it('finds the shift that is on or comes soon', () => {
    expect(shiftNow(all, 'anna', at)?.id).toBe('anna-6');
    expect(shiftNow(all, 'bjorn', at)?.id).toBe('bjorn1');
    expect(shiftNow(all, 'cecilia', at)).toBeUndefined();
  });
  it('is new what came since the last shift ended', () => {
    expect(newSince(all, 'anna', at)).toBe(at - 22 * hour);
    expect(newSince(all, 'cecilia', at)).toBe(at - 24 * hour);
  });
  it('knows a visit that should have been', () => {
    const visit = { state: 'planned', from: iso(at - hour), to: iso(at + hour) } as Visit;
    expect(visitState(visit, at)).toBe('now');
    expect(visitState(visit, at + 2 * hour)).toBe('late');
    expect(visitState({ ...visit, state: 'done' }, at + 2 * hour)).toBe('done');
  });
});

describe('what is refused and found', () => {
  it('is what the staff are not let see, whatever relatives are', () => {
    const grant = (party: string, field: string, allowed: boolean) =>
      ({ party, field, allowed }) as Grant;
    const refused = refusedOf([
      grant('staff', 'activity', false),
      grant('staff', 'health', true),
      grant('relatives', 'health', false),
    ]);
    expect([...refused]).toEqual(['activity']);
  });
  it('shows homes before people before notes, and what it does not know last', () => {
    const found = ['note', 'new', 'person', 'home'].map((type) => ({ type }) as Found);
    expect(grouped(found).map(([type]) => type)).toEqual(['home', 'person', 'note', 'new']);
  });
});

describe('trends', () => {
  const window = (t: string, mean: number, count = 4): Window => ({
    t,
    mean,
    count,
    min: 0,
    max: 1,
    last: 0,
    device: 'd',
    kind: 'motion',
    room: 'kitchen',
  });
  it('count the night for the day on which it ends, and say of which days nothing is known', () => {
    const days = activeDays(
      [
        window('2026-11-20T22:00:00Z', 0.5), // 23 in Stockholm
        window('2026-11-21T03:00:00Z', 0.25),
        window('2026-11-21T08:00:00Z', 0.75),
      ],
      '2026-11-20',
      2,
      zone,
    );
    expect(days).toEqual([
      { day: '2026-11-20', day_time: 0, night: 0, unknown: true },
      { day: '2026-11-21', day_time: 3, night: 3, unknown: false },
    ]);
  });
  it('add up the hours in bed from evening to noon', () => {
    const hours = ['20', '21', '22', '23'].map((h) => window(`2026-11-20T${h}:00:00Z`, 1, 1));
    expect(bedHours(hours, '2026-11-21', 1, zone).get('2026-11-21')).toBe(4);
    expect(bedHours([], '2026-11-21', 1, zone).size).toBe(0);
  });
  it('show the latest answer of a day and the medicines that were not taken', () => {
    const rows = feltDays(
      {
        answers: [
          { t: '2026-11-21T09:00:00Z', v: 3 },
          { t: '2026-11-21T12:00:00Z', v: 1 },
        ],
        medicines: [
          { t: '2026-11-21T07:00:00Z', text: 'A', v: 1 },
          { t: '2026-11-21T07:00:00Z', text: 'B', v: 0 },
        ],
      },
      '2026-11-21',
      2,
      zone,
    );
    expect(rows[0]).toEqual({ day: '2026-11-21', felt: 1, taken: 1, missed: ['B'] });
    expect(rows[1]).toEqual({ day: '2026-11-20', felt: 0, taken: 0, missed: [] });
  });
});
