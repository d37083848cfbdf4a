import { describe, expect, it } from 'vitest';
import { judge, look, stillAfter, type Sight } from './quality';

const counted = { frames: 100, energy: 1, samples: 48_000, concealed: 0, packets: 0 };
const good = { video_paused: false, quality: 'good', loss: 0, kbps: 900 };

describe('a picture', () => {
  it('is still when nothing new has come for three seconds, and moves again with the first', () => {
    let sight = look(undefined, counted, true, 0);
    sight = look(sight, counted, true, stillAfter - 1);
    expect(sight.still).toBe(false);
    sight = look(sight, counted, true, stillAfter);
    expect(sight.still).toBe(true);
    sight = look(sight, { ...counted, frames: 101 }, true, stillAfter + 1_000);
    expect(sight.still).toBe(false);
  });

  it('is not still when none is shown', () => {
    let sight = look(undefined, counted, false, 0);
    sight = look(sight, counted, false, 60_000);
    expect(sight.still).toBe(false);
    // Nor at once when it is shown again.
    expect(look(sight, counted, true, 61_000).still).toBe(false);
  });

  it('moves when a new connection counts from the beginning', () => {
    const sight = look(undefined, counted, true, 0);
    expect(look(sight, { ...counted, frames: 1 }, true, 9_000).still).toBe(false);
  });
});

describe('the sound', () => {
  it('tells how much of it was invented since the last look', () => {
    const sight = look(undefined, counted, true, 0);
    const now = { ...counted, samples: 96_000, concealed: 4_800 };
    expect(look(sight, now, true, 1_000).invented).toBeCloseTo(0.1);
  });
});

describe('the quality in one word', () => {
  const sight = (fields: Partial<Sight>): Sight => ({
    ...look(undefined, counted, true, 0),
    ...fields,
  });
  it.each([
    ['good', judge(true, good, [sight({})])],
    ['good', judge(true, undefined, [])],
    ['poor', judge(true, { ...good, quality: 'poor' }, [sight({})])],
    ['poor', judge(true, good, [sight({ invented: 0.2 })])],
    ['still', judge(true, good, [sight({ still: true })])],
    ['paused', judge(true, { ...good, video_paused: true }, [sight({ still: true })])],
    ['paused', judge(true, good, [sight({})], { paused: true })],
    ['held', judge(true, { ...good, quality: 'bad' }, [sight({})], { held: true })],
    ['lost', judge(false, good, [])],
  ])('is %s', (wanted, is) => expect(is).toBe(wanted));
});
