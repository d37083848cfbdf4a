import { describe, expect, it } from 'vitest';
import { fullAfter, Hold } from './hold';

/** Presses and lifts in turn, each so many milliseconds long, and says when it called. */
function press(by: 'pointer' | 'key', ...lengths: number[]) {
  const hold = new Hold();
  let now = 10_000;
  const calls: number[] = [];
  const lifts: unknown[] = [];
  lengths.forEach((length, i) => {
    const down = i % 2 === 0;
    if (down) hold.press(by, now);
    for (const end = now + length; now < end;) {
      now = Math.min(end, now + 25);
      if (hold.tick(now)) calls.push(now);
    }
    if (!down) return;
    const lift = hold.lift(now);
    lifts.push(lift);
    if (lift === 'call') calls.push(now);
  });
  return { calls: calls.length, lifts };
}

describe('the guard of the help button', () => {
  it('calls once when it is held until it is full', () => {
    expect(press('pointer', fullAfter)).toMatchObject({ calls: 1 });
    expect(press('pointer', 5_000)).toEqual({ calls: 1, lifts: ['held'] });
    expect(press('key', 5_000)).toEqual({ calls: 1, lifts: ['held'] });
  });

  it('does not call for a short tap, nor for some of them', () => {
    expect(press('pointer', 80)).toEqual({ calls: 0, lifts: ['short'] });
    expect(press('pointer', fullAfter - 50).calls).toBe(0);
    expect(press('pointer', 150, 400, 150, 400, 150, 400, 150).calls).toBe(0);
    expect(press('pointer', 1_000, 5_000, 1_000).calls).toBe(0);
  });

  it('goes on when a trembling hand leaves it for a moment', () => {
    expect(press('pointer', 500, 150, 500, 150, 500).calls).toBe(1);
  });

  it('hears who taps it again and again in distress', () => {
    const taps = Array.from({ length: 40 }, (_, i) => (i % 2 ? 250 : 200));
    expect(press('pointer', ...taps).calls).toBeGreaterThan(0);
  });

  it('calls at the second press of a key, when that is meant', () => {
    expect(press('key', 60, 900, 60)).toEqual({ calls: 1, lifts: ['short', 'call'] });
    expect(press('key', 60, 100, 60).calls).toBe(0); // a bounce of the first
    expect(press('key', 60, 20_000, 60).calls).toBe(0); // another time
    expect(press('key', 60, 900, 60, 900, 60, 900, 60).calls).toBe(2);
  });

  it('begins anew after a call', () => {
    expect(press('pointer', 2_000, 100, 500).calls).toBe(1);
    expect(press('pointer', 2_000, 100, 1_500).calls).toBe(2);
  });
});
