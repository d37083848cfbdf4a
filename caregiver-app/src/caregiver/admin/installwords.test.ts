import { beforeAll, describe, expect, it } from 'vitest';
import en from '../../../i18n/install/en.json';
import sv from '../../../i18n/install/sv.json';
import type { Device, HomeDetail } from '../../api/types';
import { addTexts } from '../../shared/i18n';
import { boxOf, countdown, lacks, nextOf, progressOf, toPlace, whatIs } from './installwords';

beforeAll(() => addTexts({ sv, en }));

const device = (name: string, kinds: string[], room = ''): Device => ({
  device: name,
  room,
  kinds: kinds as Device['kinds'],
  last_seen: '2026-11-21T13:00:00Z',
  silent: false,
  battery: 90,
  battery_low: false,
});
const home = (fields: Partial<HomeDetail>) =>
  ({ last_heard: null, devices: [], protection: 'never_tested', ...fields }) as HomeDetail;
const none = { rooms: {}, actions: {} };
const next = (fields: Partial<HomeDetail>, placed = none as Parameters<typeof progressOf>[1]) =>
  nextOf(progressOf(home(fields), placed));

describe('the next step of a home', () => {
  const heard = { last_heard: '2026-11-21T13:00:00Z' };
  const button = device('knapp', ['button']);

  it('follows from what is true of it, whoever did it', () => {
    expect(next({})).toBe('box');
    expect(next(heard)).toBe('devices');
    expect(next({ ...heard, devices: [button] })).toBe('devices');
    const placed = { rooms: { knapp: 'hall' }, actions: { knapp: { '*': 'sos' } } };
    expect(next({ ...heard, devices: [button] }, placed)).toBe('test');
    expect(next({ ...heard, devices: [button], protection: 'test_due' }, placed)).toBe('test');
    expect(next({ ...heard, devices: [button], protection: 'protected' })).toBeUndefined();
  });

  it('waits for every room and for a button that calls for help', () => {
    const motion = device('rorelse', ['motion'], 'kitchen');
    expect(lacks([motion], none)).toEqual({ button: true, rooms: 0 });
    expect(lacks([device('sos', ['sos'], 'hall'), device('x', ['contact'])], none)).toEqual({
      button: false,
      rooms: 1,
    });
    const ok = { rooms: { knapp: 'hall' }, actions: { knapp: { '*': 'check_in' } } };
    expect(lacks([button], ok)).toEqual({ button: true, rooms: 0 });
  });

  it('takes the resident’s screen for no device to be placed, and for no alarm button', () => {
    const screen = device('kiosk', ['sos', 'check_in']);
    expect(lacks([screen], none)).toEqual({ button: true, rooms: 0 });
    expect(lacks([screen, device('sos', ['sos'], 'hall')], none)).toBeUndefined();
    expect(next({ ...heard, devices: [screen] })).toBe('devices');
    expect(toPlace([screen, button])).toEqual([button]);
  });
});

describe('what an installer reads', () => {
  it('names a device by what tells most of it', () => {
    expect(whatIs(device('a', ['temperature', 'motion']))).toBe('Rörelsesensor');
    expect(whatIs(device('a', ['battery', 'sos']))).toBe('Knapp');
    expect(whatIs(device('a', ['battery', 'link_quality']))).toBe('Knapp');
    expect(whatIs(device('a', ['sound']))).toBe('Enhet');
  });

  it('takes the id of a box out of what its label says', () => {
    expect(boxOf(' lykta-7f3a ')).toBe('lykta-7f3a');
    expect(boxOf('https://lykta.example/box/lykta-7f3a')).toBe('lykta-7f3a');
    expect(boxOf('ID: lykta-7f3a')).toBe('lykta-7f3a');
    expect(boxOf('')).toBe('');
    expect(boxOf('låda ett!')).toBe('');
  });

  it('counts down to nothing and no further', () => {
    expect(countdown(120_000, 0)).toBe('2:00');
    expect(countdown(61_500, 0)).toBe('1:02');
    expect(countdown(0, 5_000)).toBe('0:00');
  });
});
