import { beforeEach, describe, expect, it } from 'vitest';
import type { Home, Reading } from '../api/types';
import { language } from './i18n';
import { parse } from './router';
import {
  alertName,
  checkIn,
  inRoom,
  isMeasurement,
  kindName,
  quantity,
  roomName,
  saying,
} from './words';

beforeEach(() => (language.value = 'sv'));

const reading = (r: Partial<Reading>): Reading => ({
  t: '2026-11-21T13:00:00Z',
  device: 'd',
  kind: 'contact',
  room: 'hall',
  ...r,
});

describe('what is said of a reading', () => {
  it('is plain words for states and numbers with units for measurements', () => {
    expect(saying(reading({ v: 1 }))).toBe('Öppen');
    expect(saying(reading({ v: 0 }))).toBe('Stängd');
    expect(saying(reading({ kind: 'temperature', v: 21.44, unit: 'Cel' }))).toBe('21,4\u00a0°C');
    expect(saying(reading({ kind: 'humidity', v: 41.26 }))).toBe('41,3\u00a0%');
    expect(saying(reading({ kind: 'blood_pressure_systolic', v: 141 }))).toBe('141\u00a0mmHg');
    expect(saying(reading({ kind: 'pulse', v: 62 }))).toBe('62\u00a0slag/min');
    expect(saying(reading({ kind: 'button', s: 'double' }))).toBe('Två tryck');
  });

  it('is sensible for what is not known', () => {
    expect(saying(reading({ kind: 'radon', v: 80, unit: 'Bq/m3' }))).toBe('80\u00a0Bq/m3');
    expect(saying(reading({ kind: 'radon' }))).toBe('Radon');
    expect(saying(reading({ kind: 'mood', s: 'very_good' }))).toBe('Very good');
    expect(kindName('air_quality')).toBe('Air quality');
    expect(alertName({ kind: 'stove_left_on' })).toBe('Stove left on');
  });

  it('is in kilowatt-hours when it is many', () => {
    expect(quantity(950, 'Wh')).toBe('950\u00a0Wh');
    expect(quantity(12_340, 'Wh')).toBe('12,3\u00a0kWh');
  });

  it('makes a curve of numbers only, not of states and presses', () => {
    expect(isMeasurement({ kind: 'temperature', v: 20 })).toBe(true);
    expect(isMeasurement({ kind: 'radon', v: 20 })).toBe(true);
    expect(isMeasurement({ kind: 'contact', v: 1 })).toBe(false);
    expect(isMeasurement({ kind: 'sos', v: 1 })).toBe(false);
    expect(isMeasurement({ kind: 'radon' })).toBe(false);
  });
});

describe('a room', () => {
  it('has its name and its place, however it is written', () => {
    expect(inRoom('kitchen')).toBe('i köket');
    expect(inRoom('Living-Room')).toBe('i vardagsrummet');
    expect(inRoom('toilet')).toBe('på toaletten');
    expect(roomName('kök')).toBe('Kök');
    expect(roomName('snickarbod')).toBe('Snickarbod');
    expect(inRoom('snickarbod')).toBe('i Snickarbod');
    expect(inRoom('')).toBe('');
  });
});

describe('the check-in of the day', () => {
  const at = (clock: string) => Date.parse(`2026-11-21T${clock}:00+01:00`);
  const home = (windows: Home['check_ins'], last: string | null) =>
    ({
      check_ins: windows,
      last_check_in: last && new Date(at(last)).toISOString(),
      zone: 'Europe/Stockholm',
    }) as Home;
  const morning = [{ from: 420, by: 600 }];
  const twice = [
    { from: 420, by: 600 },
    { from: 1140, by: 1260 },
  ];
  const state = (h: Home, clock: string) => checkIn(h, at(clock)).state;

  it('is waited for, then done or missed', () => {
    expect(state(home(morning, null), '06:00')).toBe('later');
    expect(state(home(morning, null), '07:30')).toBe('waiting');
    expect(state(home(morning, null), '10:01')).toBe('missed');
    expect(checkIn(home(morning, '08:12'), at('14:00'))).toEqual({
      state: 'done',
      text: 'Incheckad kl 08:12',
      row: 'Incheckad kl 08:12',
    });
  });

  it('said early counts, said yesterday does not', () => {
    expect(state(home(morning, '06:20'), '08:00')).toBe('done');
    const yesterday = { ...home(morning, null), last_check_in: '2026-11-20T08:00:00Z' };
    expect(state(yesterday, '08:00')).toBe('waiting');
  });

  it('of the evening is another than that of the morning', () => {
    expect(state(home(twice, '08:00'), '18:00')).toBe('done');
    expect(state(home(twice, '08:00'), '19:30')).toBe('waiting');
    expect(state(home(twice, '08:00'), '21:30')).toBe('missed');
    expect(state(home(twice, '19:20'), '21:30')).toBe('done');
  });

  it('is none where none was agreed', () => {
    expect(state(home([], '08:00'), '12:00')).toBe('none');
  });
});

describe('an address', () => {
  it('leads to its screen', () => {
    expect(parse('/')).toEqual({ screen: 'now' });
    expect(parse('/homes/')).toEqual({ screen: 'homes' });
    expect(parse('/homes/a.b-1')).toEqual({ screen: 'home', id: 'a.b-1', part: 'day' });
    expect(parse('/homes/a%20b')).toEqual({ screen: 'home', id: 'a b', part: 'day' });
    expect(parse('/sign-in', '#abc')).toEqual({ screen: 'sign-in', code: 'abc' });
    expect(parse('/homes/a/b')).toEqual({ screen: 'missing' });
    expect(parse('/homes/%E0%A4%A')).toEqual({ screen: 'home', id: '%E0%A4%A', part: 'day' });
  });
});
