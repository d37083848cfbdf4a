import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Policy, Shift } from '../../api/types';
import { language } from '../../shared/i18n';

vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => {}, removeItem: () => {} });
const { barsOf, dutiesOf, gapsIn, gapWords, mondayOf, replaced, stretchWords, weekNumber } =
  await import('./rotawords');
const { e164, idFor, readableNumber, wrongAddress } = await import('./peoplewords');
const { duration, policySentences, wrongPolicy } = await import('./policywords');
const { endedOf, takenWords } = await import('./loadwords');
const { instantOf, local } = await import('./zoned');

beforeEach(() => (language.value = 'sv'));

const zone = 'Europe/Stockholm';
const hour = 3_600_000;
const friday = Date.parse('2026-11-20T23:00:00Z') - 24 * hour; // midnight in Stockholm
const span = (from: number, to: number) => ({ from: friday + from * hour, to: friday + to * hour });
const shift = (person: string, from: number, to: number, override = false): Shift => ({
  id: `${person} ${from}`,
  area: '',
  person,
  from: new Date(friday + from * hour).toISOString(),
  to: new Date(friday + to * hour).toISOString(),
  override,
});

describe('the rota', () => {
  it('finds the times when nobody is on duty', () => {
    const duties = [span(22, 30), span(-2, 7), span(6, 15), span(14, 20)];
    expect(gapsIn(duties, span(0, 24))).toEqual([span(20, 22)]);
    expect(gapsIn([], span(0, 24))).toEqual([span(0, 24)]);
    expect(gapsIn([span(0, 24)], span(0, 24))).toEqual([]);
    expect(gapsIn([span(30, 40)], span(0, 24))).toEqual([span(0, 24)]);
  });

  it('tells of a gap in words', () => {
    expect(gapWords(span(22, 30), zone)).toBe(
      'Ingen i tjänst fre 22–lör 06: då larmas alla i området',
    );
    expect(stretchWords(span(14.5, 22), zone)).toBe('fre 14:30–22');
    expect(stretchWords(span(0, 24), zone)).toBe('fre 00–24');
  });

  it('draws what overlaps in rows of its own, and a night on both its days', () => {
    const duties = dutiesOf([shift('a', -2, 7), shift('b', 6, 12), shift('c', 12, 30)]);
    const bars = barsOf(duties, span(0, 24));
    expect(bars.map((b) => [b.what.shift.person, b.row])).toEqual([
      ['a', 0],
      ['b', 1],
      ['c', 0],
    ]);
    expect(bars[0]).toMatchObject({ left: 0, width: 7 / 24 });
    expect(bars[2]).toMatchObject({ left: 0.5, width: 0.5 });
  });

  it('knows a shift that another replaces', () => {
    const duties = dutiesOf([shift('a', 8, 12), shift('b', 7, 15, true), shift('c', 14, 20)]);
    expect(duties.map((d) => replaced(d, duties))).toEqual([true, false, false]);
  });

  it('numbers weeks as the wall calendar does', () => {
    expect(mondayOf('2026-11-22')).toBe('2026-11-16');
    expect(weekNumber('2026-11-16')).toBe(47);
    expect(weekNumber('2026-12-28')).toBe(53);
    expect(weekNumber('2027-01-04')).toBe(1);
  });

  it('reads what is entered by the clock of the home, also on the day it is moved', () => {
    expect(instantOf('2026-11-21T14:00', zone)).toBe(Date.parse('2026-11-21T13:00:00Z'));
    expect(instantOf('2026-03-29T07:00', zone)).toBe(Date.parse('2026-03-29T05:00:00Z'));
    expect(local(Date.parse('2026-07-01T12:30:00Z'), zone)).toBe('2026-07-01T14:30');
    expect(instantOf('', zone)).toBeNaN();
  });
});

describe('a telephone number', () => {
  it.each([
    ['070-174 06 01', '+46701740601'],
    ['0701740601', '+46701740601'],
    ['+46 (0)70 174 06 01', '+46701740601'],
    ['0046701740601', '+46701740601'],
    ['46701740601', '+46701740601'],
    ['+4531123456', '+4531123456'],
    ['08-12 34 56 78', '+46812345678'],
    ['ring mig', 'ring mig'],
    ['112', '112'],
  ])('%s is %s', (given, number) => expect(e164(given)).toBe(number));

  it('is told to be wrong where it cannot work', () => {
    expect(wrongAddress({ channel: 'sms', to: '112' })).toMatch(/^Skriv telefonnumret/);
    expect(wrongAddress({ channel: 'sms', to: '+46701740601' })).toBe('');
    expect(wrongAddress({ channel: 'email', to: 'anna' })).toMatch(/^Skriv en e-postadress/);
    expect(wrongAddress({ channel: 'push', to: '' })).toBe('');
    expect(readableNumber('+46701740601')).toBe('+46 70 174 06 01');
  });

  it('a new person gets an id of plain letters that nobody has', () => {
    expect(idFor('Åsa Öberg', [])).toBe('asa-oberg');
    expect(idFor('Åsa Öberg', ['asa-oberg'])).toBe('asa-oberg-2');
    expect(idFor('李', [])).toBe('person');
  });
});

describe('a policy', () => {
  const emergency: Policy = {
    severity: 'emergency',
    rounds: 0,
    hold: 30,
    steps: [
      { groups: ['on_duty'], wait: 60 },
      { groups: ['last_resort', 'contacts'], wait: 45 },
    ],
  };

  it('is told in words', () => {
    expect(policySentences(emergency)).toEqual({
      steps: ['Först larmas de som är i tjänst.', 'Efter 1 minut: sista utvägen och närstående.'],
      then: [
        'Efter 45 sekunder till börjar det om, om och om igen tills någon tar larmet.',
        'Den som tar larmet har 30 minuter på sig. Är det inte avslutat då larmas andra igen.',
      ],
    });
    expect([90, 7_200, 86_400].map(duration)).toEqual(['90 sekunder', '2 timmar', '1 dygn']);
  });

  it('of an emergency comes to the last resort, and never waits for more than a minute', () => {
    expect(wrongPolicy(emergency)).toBe('');
    const slow = { ...emergency, steps: [{ groups: ['last_resort'], wait: 61 }] };
    expect(wrongPolicy(slow)).toBe('Steg 1 av ett akut larm väntar högst 60 sekunder.');
    expect(wrongPolicy({ ...slow, severity: 'attention' })).toBe('');
    const nobody = { ...emergency, steps: [{ groups: ['on_duty'], wait: 60 }] };
    expect(wrongPolicy(nobody)).toMatch(/sista utvägen/);
    expect(wrongPolicy({ ...emergency, steps: [{ groups: [], wait: NaN }] })).toMatch(/steg 1/);
    expect(wrongPolicy({ ...emergency, hold: 4 })).toMatch(/5 minuter/);
  });
});

describe('the load of a week', () => {
  it('counts as real what somebody was helped in, or could not be reached in', () => {
    const outcomes = { helped: 4, could_not_reach: 1, false_press: 2, recovered: 1 };
    expect(endedOf({ kind: 'sos', raised: 10, outcomes, taken: 70 })).toEqual({
      real: 5,
      other: 3,
      open: 2,
    });
  });

  it('tells how long it took in words that one can use', () => {
    expect([48, 95, 2_400, 9_000].map((s) => takenWords(s))).toEqual([
      '48 sekunder',
      '2 minuter',
      '40 minuter',
      '3 timmar',
    ]);
  });
});
