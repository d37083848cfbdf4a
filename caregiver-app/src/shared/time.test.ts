import { beforeEach, describe, expect, it } from 'vitest';
import { language } from './i18n';
import { addDays, ago, atMinute, clock, dayOf, moment, startOfDay } from './time';

const zone = 'Europe/Stockholm';
const hour = 3_600_000;
const at = Date.parse('2026-11-21T13:12:00Z');

beforeEach(() => (language.value = 'sv'));

describe('the day in the zone of the home', () => {
  it('changes at its own midnight', () => {
    expect(dayOf(Date.parse('2026-11-21T22:59:59Z'), zone)).toBe('2026-11-21');
    expect(dayOf(Date.parse('2026-11-21T23:00:00Z'), zone)).toBe('2026-11-22');
  });

  it('starts where the day before ends, and is as long as the clock makes it', () => {
    const length = (day: string, z = zone) =>
      (startOfDay(addDays(day, 1), z) - startOfDay(day, z)) / hour;
    expect(new Date(startOfDay('2026-11-21', zone)).toISOString()).toBe('2026-11-20T23:00:00.000Z');
    expect(length('2026-11-21')).toBe(24);
    expect(length('2026-03-29')).toBe(23);
    expect(length('2026-10-25')).toBe(25);
  });

  it('may start at one o’clock where the clock is moved at midnight', () => {
    expect(clock(startOfDay('2026-09-06', 'America/Santiago'), 'America/Santiago')).toBe('01:00');
  });

  it('has every hour where its clock shows it, on the days the clock is moved too', () => {
    for (const day of ['2026-11-21', '2026-03-29', '2026-10-25']) {
      for (const minutes of [0, 60, 300, 480, 1320]) {
        const shown = clock(atMinute(day, minutes, zone), zone);
        expect([day, shown]).toEqual([day, `${String(minutes / 60).padStart(2, '0')}:00`]);
      }
    }
  });

  it('crosses months and years', () => {
    expect(addDays('2026-12-31', 1)).toBe('2027-01-01');
    expect(addDays('2028-03-01', -1)).toBe('2028-02-29');
  });

  it('of a zone that is not known is that of the device', () => {
    expect(dayOf(at, 'Mars/Olympus')).toMatch(/^2026-11-2\d$/);
    expect(clock(at, 'Mars/Olympus')).toMatch(/^\d\d:\d\d$/);
  });
});

describe('how long ago', () => {
  const said = (ms: number) => ago(at - ms, at, zone);
  it('is said shortly, and as a time when it is long', () => {
    expect(said(59_000)).toBe('nyss');
    expect(said(-90_000)).toBe('nyss'); // a clock somewhat ahead
    expect(said(60_000)).toBe('1 min sedan');
    expect(said(59 * 60_000)).toBe('59 min sedan');
    expect(said(2.5 * hour)).toBe('2 tim sedan');
    expect(said(13 * hour)).toBe('01:12');
    expect(said(24 * hour)).toBe('i går kl 14:12');
    expect(said(72 * hour)).toBe('ons 18 nov. kl 14:12');
  });

  it('tells the day of a time that is not today', () => {
    expect(moment(at - hour, at, zone)).toBe('13:12');
    expect(moment(at - 15 * hour, at, zone)).toBe('i går kl 23:12');
    language.value = 'en';
    expect(moment(at - 15 * hour, at, zone)).toBe('yesterday at 23:12');
  });
});
