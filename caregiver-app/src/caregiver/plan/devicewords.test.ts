import { beforeAll, describe, expect, it } from 'vitest';
import en from '../../../i18n/admin/en.json';
import sv from '../../../i18n/admin/sv.json';
import { addTexts } from '../../shared/i18n';
import type { DeviceState } from '../admin/api';
import { batteryWords, byNeed, matches, needOf, signalWords } from './devicewords';

beforeAll(() => addTexts({ sv, en }));

const device = (fields: Partial<DeviceState>): DeviceState => ({
  home: 'marta',
  home_name: 'Märta Lindqvist',
  device: 'hall-dorr',
  room: 'hall',
  kinds: ['contact'],
  last_seen: '2026-11-21T13:00:00Z',
  silent: false,
  battery: 80,
  battery_low: false,
  signal: 150,
  ...fields,
});

describe('what devices need', () => {
  it('sorts by what needs hands: silent the longest first, then the emptiest, then the weakest', () => {
    const all = [
      device({ device: 'well' }),
      device({ device: 'weak', signal: 20 }),
      device({ device: 'low', battery: 14, battery_low: true }),
      device({ device: 'empty', battery: 3, battery_low: true }),
      device({ device: 'silent', silent: true }),
      device({ device: 'gone', silent: true, last_seen: '2026-11-20T13:00:00Z' }),
      device({ device: 'other', home_name: 'Astrid Bergström' }),
    ];
    const order = all.sort(byNeed(new Intl.Collator('sv'))).map((d) => d.device);
    expect(order).toEqual(['gone', 'silent', 'empty', 'low', 'weak', 'other', 'well']);
  });

  it('asks for one thing at a time, and for nothing of what is not known', () => {
    expect(needOf(device({ silent: true, battery: 2, battery_low: true }))).toBe('silent');
    expect(needOf(device({ battery: 15, battery_low: true, signal: 10 }))).toBe('battery');
    expect(needOf(device({ battery: null, battery_low: true }))).toBe('battery');
    // What no alert tells of is not to be changed either.
    expect(needOf(device({ battery: 18 }))).toBe('');
    expect(needOf(device({ battery: null, signal: null }))).toBe('');
  });

  it('says in words what its pictures show', () => {
    expect(batteryWords(device({ battery: 9, battery_low: true }))).toEqual({
      text: 'Nästan slut, 9 %',
      level: 0,
    });
    expect(batteryWords(device({ battery: 100 }))).toEqual({ text: 'Bra, 100 %', level: 4 });
    expect(batteryWords(device({ battery: 18 })).text).toBe('Bra, 18 %');
    expect(batteryWords(device({ battery: null })).text).toBe('Inget batteri');
    expect(batteryWords(device({ battery: null, battery_low: true })).text).not.toContain('Inget');
    expect(signalWords(39)).toEqual({ text: 'Svag', level: 1 });
    expect(signalWords(255)).toEqual({ text: 'Bra', level: 4 });
  });

  it('is found by home, room or name, in any order', () => {
    const d = device({});
    expect(matches(d, 'hall märta')).toBe(true);
    expect(matches(d, 'kök')).toBe(false);
    expect(matches(d, '')).toBe(true);
  });
});
