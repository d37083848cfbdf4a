/** How long the help button is held until it calls, in milliseconds. */
export const fullAfter = 1_200;

// Lifted, the button drains more slowly than it fills: a hand that trembles
// off it and on again goes on, and who in distress taps it again and again
// is heard too. A tap or two drain away.
const drain = 0.25;

/** Two presses of a key or a switch call when the second is meant: not a bounce of the first, and not an hour later. */
const bounce = 500;
const forgotten = 8_000;

/** What does the pressing: a finger or mouse, or a key, a switch, a screen reader. */
export type Presser = 'pointer' | 'key';

/**
 * What a lift meant: too short to call; the second short press by key, which
 * calls; or the end of a hold that has called already.
 */
export type Lift = 'short' | 'call' | 'held' | undefined;

/**
 * The guard of the help button: how full it is. Moments are milliseconds of
 * one running time; moving while pressed means nothing.
 */
export class Hold {
  #level = 0;
  #at = 0;
  #by: Presser | undefined;
  #called = false;
  #short = -Infinity;

  /** Whether something presses it. */
  get down(): boolean {
    return this.#by !== undefined;
  }

  /** How full it is, 0–1. */
  get level(): number {
    return this.#level / fullAfter;
  }

  press(by: Presser, moment: number): void {
    this.#pass(moment);
    this.#by ??= by;
  }

  /** Lets time pass; true once, when it has become full. */
  tick(moment: number): boolean {
    this.#pass(moment);
    if (this.#level < fullAfter || this.#called) return false;
    this.#called = true;
    this.#short = -Infinity;
    return true;
  }

  lift(moment: number): Lift {
    const by = this.#by;
    if (!by) return undefined;
    const called = this.tick(moment);
    this.#by = undefined;
    if (called || this.#called) {
      this.#level = 0;
      this.#called = false;
      return called ? 'call' : 'held';
    }
    const since = moment - this.#short;
    this.#short = by === 'key' ? moment : -Infinity;
    if (by === 'pointer' || since < bounce || since > forgotten) return 'short';
    this.#level = 0;
    this.#short = -Infinity;
    return 'call';
  }

  #pass(moment: number): void {
    const passed = Math.max(0, moment - this.#at);
    this.#at = moment;
    const level = this.#level + (this.#by ? passed : -passed * drain);
    this.#level = Math.min(fullAfter, Math.max(0, level));
  }
}
