import { describe, expect, it } from 'vitest';
import { isDark, isDaytime, type Night } from './night';

const dark = (hour: number | undefined, more: Partial<Night> = {}) =>
  isDark({
    minutes: hour === undefined ? undefined : hour * 60,
    wanted: true,
    byHand: false,
    untouched: Infinity,
    urgent: false,
    ...more,
  });

describe('the dark', () => {
  it.each([
    [21.99, false],
    [22, true],
    [0, true],
    [5.99, true],
    [6, false],
    [14, false],
    [undefined, false],
  ])('at %s: %s', (hour, is) => expect(dark(hour)).toBe(is));

  it('is lit by a touch for a minute, and by an alarm', () => {
    expect(dark(23, { untouched: 59_000 })).toBe(false);
    expect(dark(23, { untouched: 60_000 })).toBe(true);
    expect(dark(23, { urgent: true })).toBe(false);
    expect(dark(14, { byHand: true, urgent: true })).toBe(false);
  });

  it('comes by hand at any time, and not at all to who does not want it', () => {
    expect(dark(14, { byHand: true, wanted: false })).toBe(true);
    expect(dark(23, { wanted: false })).toBe(false);
  });

  it('is not when letters are read out unasked', () => {
    expect([7.9, 8, 20.9, 21, 3].map((h) => isDaytime(h * 60))).toEqual([
      false,
      true,
      true,
      false,
      false,
    ]);
    expect(isDaytime(undefined)).toBe(false);
  });
});
