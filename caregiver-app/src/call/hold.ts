// For how long the sound of the others waits before it is played. The browser
// finds the shortest time that will do; where a line loses much, what is lost is
// asked for again and comes too late for that. Pure.

const step = 80; // milliseconds
const most = 240; // with what the network takes it stays a conversation
const much = 0.012; // share of the sound that is invented
const little = 0.003;
const outage = 0.5; // of which nothing is learned
const patience = 3_000; // milliseconds between two steps up
const calm = 20_000; // of a good line until a step down, doubled each time that it did not last
const calmAtMost = 160_000;

export class Hold {
  #invented = 0; // smoothed over some five seconds
  #time = 0;
  #changed = -Infinity;
  #wait = calm;
  #good: number | undefined; // since when little is invented
  #lowered = -Infinity;

  /** Takes the share that was invented since the last look, about once a second, 0 to 1; returns the time in milliseconds, 0 is the browser's own. */
  look(invented: number, at: number): number {
    if (invented > outage) return this.#time;
    this.#invented += 0.2 * (invented - this.#invented);
    if (this.#invented >= little) this.#good = undefined;
    else this.#good ??= at;
    if (this.#invented > much && this.#time < most && at - this.#changed >= patience) {
      if (at - this.#lowered < this.#wait) this.#wait = Math.min(2 * this.#wait, calmAtMost);
      this.#set(this.#time + step, at);
    } else if (this.#good !== undefined && this.#time > 0 && at - this.#good >= this.#wait) {
      this.#lowered = this.#good = at;
      this.#set(this.#time - step, at);
    }
    return this.#time;
  }

  #set(time: number, at: number): void {
    this.#time = time;
    this.#changed = at;
  }
}
