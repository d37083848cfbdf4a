import { expect, test } from 'vitest';
import { Hold } from './hold';

/** Looks once a second for so long; returns what the last look said. */
function live(hold: Hold, from: number, seconds: number, invented: number): number {
  let time = 0;
  for (let i = 0; i < seconds; i++) time = hold.look(invented, from + i * 1_000);
  return time;
}

test('sound that is played as it comes is left to the browser', () => {
  expect(live(new Hold(), 0, 600, 0.003)).toBe(0);
});

test('a lost word now and then changes nothing', () => {
  const hold = new Hold();
  for (let i = 0; i < 20; i++) {
    expect(hold.look(0.05, i * 30_000)).toBe(0);
    expect(live(hold, i * 30_000 + 1_000, 29, 0)).toBe(0);
  }
});

test('where much is lost it waits for what is sent again, and never so long that nobody can talk', () => {
  const hold = new Hold();
  expect(live(hold, 0, 6, 0.08)).toBeGreaterThan(0);
  expect(live(hold, 6_000, 60, 0.08)).toBe(240);
});

test('an outage says nothing of the line after it', () => {
  expect(live(new Hold(), 0, 40, 1)).toBe(0);
});

test('on a line that has become good it goes back, step by step; when that does not last, more slowly', () => {
  const hold = new Hold();
  live(hold, 0, 60, 0.08);
  expect(live(hold, 60_000, 40, 0)).toBe(160);
  expect(live(hold, 100_000, 20, 0.08)).toBe(240);
  expect(live(hold, 120_000, 40, 0)).toBe(240);
  expect(live(hold, 160_000, 400, 0)).toBe(0);
});
