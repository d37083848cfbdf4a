import { describe, expect, it } from 'vitest';
import { Aside, asksOf, done, dueSince, notNow } from './asks';
import type { Prompt, Status } from './status';

const zone = 'Europe/Stockholm';
const minute = 60_000;
const at = (text: string) => Date.parse(`${text}:00+01:00`);
const micros = (ms: number) => ms * 1_000;
const memory = () => {
  const kept = new Map<string, string>();
  return {
    getItem: (k: string) => kept.get(k) ?? null,
    setItem: (k: string, v: string) => void kept.set(k, v),
  };
};
const pills: Prompt = { id: 'm', text: 'Alvedon', at: 8 * 60, medication: true };
const status = (fields: Partial<Status> = {}): Status => ({
  ...{ online: true, sos: { state: 'none' }, zone },
  ...fields,
});
const keys = (s: Status, now: number | undefined, aside = new Aside(memory())) =>
  asksOf(s, now, aside).map((a) => a.key);

describe('a prompt', () => {
  it.each([
    ['2026-11-21T07:59', undefined],
    ['2026-11-21T08:00', '2026-11-21'],
    ['2026-11-21T08:59', '2026-11-21'],
    ['2026-11-21T09:00', undefined],
  ])('at eight is due at %s: %s', (when, date) =>
    expect(dueSince(pills, at(when), zone)).toBe(date),
  );

  it('late in the evening is still that of the day before after midnight', () => {
    const late = { ...pills, at: 23 * 60 + 30 };
    expect(dueSince(late, at('2026-11-22T00:10'), zone)).toBe('2026-11-21');
    // Saturdays only: not from Sunday to Monday.
    expect(dueSince({ ...late, days: [6] }, at('2026-11-22T00:10'), zone)).toBe('2026-11-21');
    expect(dueSince({ ...late, days: [6] }, at('2026-11-23T00:10'), zone)).toBeUndefined();
  });

  it('has its days, and the wall clock of the home', () => {
    expect(dueSince({ ...pills, days: [1, 2] }, at('2026-11-21T08:10'), zone)).toBeUndefined();
    expect(dueSince({ ...pills, days: [6] }, at('2026-11-21T08:10'), zone)).toBe('2026-11-21');
    expect(dueSince(pills, at('2026-11-21T08:10'), 'Europe/Helsinki')).toBeUndefined();
  });

  it('is over when it was taken, for that day', () => {
    const taken = (when: string) => ({ m: micros(at(when)) });
    const now = at('2026-11-21T08:30');
    const day = { prompts: [pills] };
    expect(keys(status({ day }), now)).toEqual(['m@2026-11-21']);
    expect(keys(status({ day, taken: taken('2026-11-21T08:12') }), now)).toEqual([]);
    expect(keys(status({ day, taken: taken('2026-11-20T08:12') }), now)).toEqual(['m@2026-11-21']);
    // A late one that was taken after midnight is not that of the next evening.
    const late = { ...pills, at: 23 * 60 + 30 };
    const next = status({ day: { prompts: [late] }, taken: taken('2026-11-21T00:10') });
    expect(keys(next, at('2026-11-21T23:40'))).toEqual(['m@2026-11-21']);
  });

  it('comes back a quarter after "not now", also after a reload', () => {
    const kept = memory();
    const now = at('2026-11-21T08:05');
    const s = status({ day: { prompts: [pills] } });
    new Aside(kept).put('m@2026-11-21', notNow(now));
    expect(keys(s, now + 14 * minute, new Aside(kept))).toEqual([]);
    expect(keys(s, now + 15 * minute, new Aside(kept))).toEqual(['m@2026-11-21']);
    new Aside(kept).put('m@2026-11-21', done(now));
    expect(keys(s, now + 15 * minute, new Aside(kept))).toEqual([]);
    // The day after is another time of it.
    expect(keys(s, now + 24 * 60 * minute, new Aside(kept))).toEqual(['m@2026-11-22']);
  });

  it('is not asked for while nobody knows what time it is', () => {
    expect(keys(status({ day: { prompts: [pills], ask: 60 } }), undefined)).toEqual([]);
  });
});

it('medicines come before reminders, letters and the question', () => {
  const now = at('2026-11-21T08:30');
  const day = {
    ask: 8 * 60,
    prompts: [
      { id: 'r', text: 'Vattna', at: 8 * 60 },
      { ...pills, at: 8 * 60 + 15 },
    ],
  };
  const messages = [{ id: 'l', from: 'Maria', text: 'Hej', at: micros(now) }];
  const notice = { id: 'n', text: 'Vi kommer', at: micros(now) };
  expect(keys(status({ day, messages, notice }), now)).toEqual([
    'm@2026-11-21',
    'r@2026-11-21',
    'n',
    'letter l',
    'how@2026-11-21',
  ]);
  expect(keys(status({ day: { ask: 480 }, well_being: micros(now) }), now)).toEqual([]);
  expect(keys(status({ day: { ask: 480 } }), at('2026-11-21T12:00'))).toEqual([]);
  // An old letter waits among the others.
  expect(keys(status({ messages }), now + 4 * 24 * 60 * minute)).toEqual([]);
});
