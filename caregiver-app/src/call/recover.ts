// When a session helps itself. Pure: the session says how things stand, this
// says what is to be done.

/** How far the connection for picture and sound is. */
export type Link = 'new' | 'connecting' | 'connected' | 'disconnected' | 'failed' | 'closed';

export interface Situation {
  link: Link;
  /** For how long it has been so, in milliseconds; of what was asked for, since. */
  since: number;
  /** The service has welcomed this line: it can be asked. */
  welcome: boolean;
  /** What was asked for and is not answered, and for how long. */
  asked: 'join' | 'restart' | undefined;
  waited: number;
  /** The last that was answered; undefined is nothing since the link was last good. */
  tried: 'join' | 'restart' | undefined;
  /** Milliseconds since that answer. */
  after: number;
  /** How many joins there were since the link was last good. */
  joins: number;
  /** For how long nothing was heard on a link that is good, though somebody has their microphone on. */
  silent: number;
  /** How often that was tried to be helped. */
  helped: number;
}

export type Cure = 'join' | 'restart' | 'reopen';

/** A blink of the network heals by itself; after this a restart is quicker. In milliseconds. */
export const blink = 2_500;
/** So long is an answer waited for. */
export const patience = 5_000;
/** So long may a connection take that was answered. */
const settling = 6_000;

/** After so long a silence another way is looked for. In milliseconds. */
export const deafAfter = 6_000;
/**
 * When a silence is helped for the nth time (from 0): at 6 s, at 18 s, and then
 * after twice as long each time, because it may be the other's, whom a new
 * connection of one's own does not help.
 */
const helpAt = (n: number): number => 2 * deafAfter * 2 ** n - deafAfter;

/** How long nothing has been heard that should be. */
export class Silence {
  #packets = 0;
  #at = 0;
  /** In milliseconds; 0 when all is well. */
  lasts = 0;
  helped = 0;

  /**
   * What has come in all of those who should be heard; undefined is that nobody
   * should. A page that was put to sleep has not listened: a look counts for
   * two seconds at most.
   */
  look(packets: number | undefined, at: number): void {
    const passed = Math.min(2_000, at - this.#at);
    this.#at = at;
    if (packets === undefined || (packets > 0 && packets !== this.#packets)) {
      this.lasts = this.helped = 0;
    } else this.lasts += passed;
    this.#packets = packets ?? 0;
  }

  /** A new connection counts from the beginning again. */
  renew(): void {
    this.#packets = 0;
  }
}

/** What is to be done now; undefined is to wait. */
export function cure(s: Situation): Cure | undefined {
  if (!s.welcome) return undefined; // the next welcome begins it
  if (s.asked) return s.waited > patience ? 'reopen' : undefined;
  if (s.link === 'connected') {
    if (s.silent < helpAt(s.helped)) return undefined;
    return s.helped === 0 ? 'restart' : 'join';
  }
  // Each join that led to nothing is followed by a longer wait, up to 8 s.
  const rest = s.joins < 2 ? 0 : Math.min(8_000, 500 * 2 ** s.joins);
  if (s.link === 'failed' || s.link === 'closed') return s.after >= rest ? 'join' : undefined;
  if (s.tried) return s.after > Math.max(settling, rest) ? 'join' : undefined;
  if (s.link === 'disconnected') return s.since >= blink ? 'restart' : undefined;
  return undefined;
}
