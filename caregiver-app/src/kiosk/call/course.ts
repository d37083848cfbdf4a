import type { Call, Missed } from '../status';

/** What the resident says of a call. */
export type Word = 'answer' | 'decline' | 'later' | 'hang_up';

/** Why a call can be over that nobody in it has ended; devices/wire/call.go. */
export type Unforeseen = 'withdrawn' | 'off';

/** What there is to show of calls. */
export type Phase =
  | { is: 'ring'; call: Call; /** Seconds until it answers by itself. */ left?: number }
  | { is: 'talk'; call: Call }
  | { is: 'over'; by: string; talked: boolean; why?: Unforeseen }
  | { is: 'later' | 'asked'; by: string }
  | { is: 'missed'; missed: Missed };

/** What is known at a moment. */
export interface Known {
  call: Call | null | undefined;
  /** The newest that nobody has seen to. */
  missed: Missed | undefined;
  /** The right time, milliseconds since 1970; undefined when nobody knows it. */
  now: number | undefined;
  /** The page's own time in milliseconds. */
  moment: number;
}

/** How long it is said that a call is over, and that a wish was taken, in milliseconds. */
const overFor = 8_000;
/** The gateway ends a ring; without its word the page does, so long after its time. */
const late = 5_000;
/**
 * Who meant another button, or whose hand trembles and presses twice, has not
 * answered or hung up: what has just appeared is not to be pressed yet.
 */
const fresh: Partial<Record<Phase['is'], number>> = { ring: 900, talk: 2_000 };

/** The way of a call on this screen: ring, talk, over. It does nothing itself. */
export class Course {
  #word: { call: string; word: Word } | undefined;
  #talked: Call | undefined;
  /** The last that was there to be shown. */
  #last: Call | undefined;
  #why: { call: string; why: Unforeseen } | undefined;
  #note: { phase: Phase; until: number } | undefined;
  #shown = { what: '', since: 0 };

  /** What is to be shown. */
  at({ call, missed, now, moment }: Known): Phase | undefined {
    const phase = this.#phase(call, now, moment) ?? (missed && { is: 'missed', missed });
    const what = phase ? `${phase.is} ${'call' in phase ? phase.call.call : ''}` : '';
    if (what !== this.#shown.what) this.#shown = { what, since: moment };
    return phase;
  }

  /** Whether what is shown has been there long enough for a press to be meant. */
  meant(moment: number): boolean {
    const least = fresh[this.#shown.what.split(' ')[0] as Phase['is']] ?? 0;
    return moment - this.#shown.since >= least;
  }

  /** The resident's word of a call. */
  say(call: Call, word: Word, moment: number): void {
    this.#word = { call: call.call, word };
    if (word === 'later') this.#tell({ is: 'later', by: call.by }, moment);
    if (word === 'hang_up') this.#over(call, moment);
  }

  /** The service has said why a call is over: before the call is gone, or after. */
  told(call: string, why: string, moment: number): void {
    if (why !== 'withdrawn' && why !== 'off') return;
    this.#why = { call, why };
    const word = this.#word?.call === call ? this.#word.word : undefined;
    if (this.#last?.call === call && word !== 'decline' && word !== 'later')
      this.#over(this.#last, moment);
  }

  /** The gateway did not take an answer: the call is over. */
  refused(call: Call, moment: number): void {
    if (this.#word?.call !== call.call || this.#word.word !== 'answer') return;
    this.#word = { call: call.call, word: 'hang_up' };
    this.#talked = undefined;
    this.#tell({ is: 'over', by: call.by, talked: false }, moment);
  }

  /** The resident wants to be called. */
  asked(by: string, moment: number): void {
    this.#tell({ is: 'asked', by }, moment);
  }

  /** What was said has been read. */
  enough(): void {
    this.#note = undefined;
  }

  /** The word that the resident has said of this call. */
  wordOf(call: Call): Word | undefined {
    return this.#word?.call === call.call ? this.#word.word : undefined;
  }

  #phase(call: Known['call'], now: number | undefined, moment: number): Phase | undefined {
    if (this.#talked && this.#talked.call !== call?.call) this.#over(this.#talked, moment);
    if (!call && this.#word?.word === 'answer') this.#word = undefined;
    if (call) this.#last = call;
    const word = call ? this.wordOf(call) : undefined;
    const refused = word === 'decline' || word === 'later' || word === 'hang_up';
    if (call && !refused && (call.state === 'answered' || word === 'answer')) {
      this.#talked = call;
      return { is: 'talk', call };
    }
    const until = call?.until && call.until / 1_000;
    const gone = until && now !== undefined && now > until + late;
    if (call?.state === 'ringing' && !refused && !gone) return ringing(call, now);
    if (this.#note && moment >= this.#note.until) this.#note = undefined;
    return this.#note?.phase;
  }

  #over(call: Call, moment: number): void {
    this.#talked = undefined;
    const talked = call.state === 'answered';
    const why = this.#why?.call === call.call ? { why: this.#why.why } : {};
    this.#tell({ is: 'over', by: call.by, talked, ...why }, moment);
  }

  #tell(phase: Phase, moment: number): void {
    this.#note = { phase, until: moment + overFor };
  }
}

function ringing(call: Call, now: number | undefined): Phase {
  const { answers_at: at, countdown } = call;
  if (!at && !countdown) return { is: 'ring', call };
  const left = at && now !== undefined ? Math.ceil((at / 1_000 - now) / 1_000) : (countdown ?? 0);
  // The page's clock may be a moment behind: of twenty seconds there are never twenty-one left.
  return { is: 'ring', call, left: Math.max(0, Math.min(left, countdown || left)) };
}
