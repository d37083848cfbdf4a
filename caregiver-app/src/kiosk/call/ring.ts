import { playNotes, type Note } from '../../shared/sound';
import type { Say } from '../voice';

/** What sounds while somebody calls. */
export interface Ringing {
  /** Names the ring: the same goes on. */
  key: string;
  /** What is said between; "" is nothing. */
  words: string;
  /** It answers by itself: another sound than that of a ring, heard to its end before. */
  chime: boolean;
}

const note = (hertz: number, after: number, shape: OscillatorType, fade: number): Note => ({
  ...{ hertz, after, shape, fade },
  ...{ volume: 0.7, rise: 0.02 },
});
const ring = [0, 0.22, 0.44, 0.66, 1.1, 1.32, 1.54, 1.76].map((after, i) =>
  note(i % 2 ? 988 : 784, after, 'triangle', 0.2),
);
const chime = [523, 659, 784].map((hertz, i) => note(hertz, i * 0.4, 'sine', 1.1));

const saidAfter = 2_300; // milliseconds from where the sound begins
const again = 2_000; // from the end of the words to the next sound

export interface Ringer {
  say: Say;
  /** Whether nothing else is being said: of an alarm, say. */
  quiet: () => boolean;
  play?: (notes: Note[]) => Promise<boolean>;
}

/** Rings, and says who calls, again and again, for as long as it is told to. */
export function makeRinger({ say, quiet, play = playNotes }: Ringer) {
  let now: Ringing | undefined;
  let heard = false;
  let speaking = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const round = async () => {
    const own = now;
    if (!own) return;
    const sounded = await play(own.chime ? chime : ring);
    if (now?.key !== own.key) return;
    heard ||= sounded;
    timer = setTimeout(() => void speak(own), saidAfter);
  };
  const speak = async (own: Ringing) => {
    if (own.words && quiet()) {
      speaking = true;
      await say(own.words);
      speaking = false;
    }
    if (now?.key === own.key) timer = setTimeout(() => void round(), again);
  };

  return {
    /** What is to sound from now on; undefined is nothing. */
    sound(wanted: Ringing | undefined): void {
      const goesOn = wanted?.key === now?.key;
      now = wanted;
      if (goesOn) return;
      clearTimeout(timer);
      heard = false;
      if (speaking && 'speechSynthesis' in globalThis) speechSynthesis.cancel();
      if (wanted) void round();
    },
    /** Whether what sounds now was let through by the browser. */
    heard: () => heard,
  };
}
