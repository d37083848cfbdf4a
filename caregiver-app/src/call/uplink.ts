// Whether one's own picture is sent: sound comes first on the way up, too. Pure.
import type { LineWord } from './wire';

// As the service has it for the way down: cloud/visit/media/line.go.
const pauseLoss = 0.15; // share of packets lost
const resumeLoss = 0.12;
const pauseAfter = 2_000; // milliseconds of a bad line
const resumeAfter = 4_000; // of a better one, doubled each time that it does not last
const resumeAtMost = 60_000;
const forgets = 60_000; // that it did not last
const fewPackets = 20; // a second, say nothing about loss

/** When nobody takes the picture for so long, it is not made. In milliseconds. */
const unwatchedAfter = 2_000;

/** What is known of the way up, counted from the beginning of the connection. */
export interface Sent {
  packets: number;
  /** Those of them that did not come, as the service has reported. */
  lost: number;
}

/** What one's picture does. */
export type Rest =
  | 'no' // it is sent
  | 'unwatched' // nobody takes it
  | 'line'; // until the line is better

/** Decides, look by look, about once a second, and with every word of the service. */
export class Uplink {
  #before: Sent = { packets: 0, lost: 0 };
  #loss = 0; // share, smoothed over about two seconds
  #lossy = false;
  #since: number | undefined; // when the line became bad, or better
  #resumed = -Infinity;
  #wait = resumeAfter;
  #unwatched: number | undefined;

  /** A new connection counts from the beginning again; what was lost on the one before says nothing of it. */
  renew(): void {
    this.#before = { packets: 0, lost: 0 };
    this.#loss = 0;
    this.#lossy = false;
    this.#since = undefined;
  }

  /** Takes what was counted by now. */
  count(now: Sent, at: number): void {
    const packets = now.packets - this.#before.packets;
    if (packets < fewPackets) return; // more come with the next look
    const lost = Math.max(0, now.lost - this.#before.lost);
    this.#before = now;
    this.#loss += 0.4 * (Math.min(1, lost / packets) - this.#loss);
    const news = this.#lossy ? this.#loss < resumeLoss : this.#loss > pauseLoss;
    if (!news) this.#since = undefined;
    else this.#since ??= at;
    if (this.#since === undefined) return;
    if (at - this.#since < (this.#lossy ? this.#wait : pauseAfter)) return;
    this.#since = undefined;
    this.#lossy = !this.#lossy;
    if (!this.#lossy) this.#resumed = at;
    else if (at - this.#resumed > forgets) this.#wait = resumeAfter;
    else this.#wait = Math.min(2 * this.#wait, resumeAtMost);
  }

  /** What the picture does now. `others`: how many are in the call besides. */
  rest(line: LineWord | undefined, others: number, at: number): Rest {
    const unwatched = line?.watched === false && others > 0;
    // Who comes in is watched within moments: a picture that began anew each time would come late.
    if (!unwatched) this.#unwatched = undefined;
    else this.#unwatched ??= at;
    if (this.#lossy || line?.video_paused) return 'line';
    const long = this.#unwatched !== undefined && at - this.#unwatched >= unwatchedAfter;
    return long ? 'unwatched' : 'no';
  }
}
