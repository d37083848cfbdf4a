import { beforeAll, describe, expect, it } from 'vitest';
import en from '../../../i18n/admin/en.json';
import sv from '../../../i18n/admin/sv.json';
import { addTexts } from '../../shared/i18n';
import type { DayCount } from '../admin/api';
import { alarmsOf, lasting, median, most, scaleTo, sumsOf } from './statwords';

beforeAll(() => addTexts({ sv, en }));

const day = (fields: Partial<DayCount>): DayCount => ({
  date: '2026-11-20',
  emergency: 0,
  attention: 0,
  technical: 0,
  taken_median: null,
  taken_p90: null,
  visits_done: 0,
  visits_missed: 0,
  ...fields,
});

describe('the figures', () => {
  it('are summed, and days on which nothing was taken do not count as taken at once', () => {
    const days = [
      day({ emergency: 2, attention: 1, taken_median: 40, visits_done: 5, calls: 1 }),
      day({}),
      day({ emergency: 1, technical: 3, taken_median: 80, visits_missed: 2 }),
      day({ calls: 2, call_minutes: 19.5, saved_minutes: 45 }),
    ];
    expect(sumsOf({ days })).toMatchObject({
      ...{ alarms: 7, emergency: 3, taken: 60, done: 5, missed: 2 },
      ...{ calls: 3, callMinutes: 19.5, saved: 45 },
    });
    expect(sumsOf({ days: [day({})] }).taken).toBeNull();
  });

  it('have a middle, and a most unless there is none at all', () => {
    expect(median([])).toBeNull();
    expect(median([9, 1, 5])).toBe(5);
    expect(median([1, 2, 3, 10])).toBe(2.5);
    expect(most([day({}), day({ emergency: 1 })], alarmsOf)?.emergency).toBe(1);
    expect(most([day({}), day({})], alarmsOf)).toBeUndefined();
  });

  it('stand on a scale of round steps that holds the highest', () => {
    for (const top of [1, 2, 3, 4, 5, 7, 11, 19, 24, 47, 99, 250, 1234]) {
      const scale = scaleTo(top);
      expect(scale.top).toBeGreaterThanOrEqual(top);
      expect(scale.top).toBeLessThan(2 * top + 1);
      expect(scale.steps.length).toBeLessThanOrEqual(5);
      expect(scale.steps.every(Number.isInteger)).toBe(true);
      expect(scale.steps.at(-1)).toBe(scale.top);
    }
    expect(scaleTo(0)).toEqual({ top: 1, steps: [0, 1] });
  });

  it('say a time in the unit that reads best', () => {
    expect([12, 89, 90, 600, 5400].map(lasting)).toEqual([
      '12 s',
      '89 s',
      '2 min',
      '10 min',
      '2 tim',
    ]);
  });
});
