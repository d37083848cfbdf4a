// How good the call is, in as many words as a person needs. Pure.
import type { LineWord } from './wire';

/**
 * From the best to the worst. `still` is a picture that does not move, though it
 * should; `held` is one's own picture that rests until the line is better,
 * `paused` somebody else's.
 */
export type Quality = 'good' | 'poor' | 'still' | 'held' | 'paused' | 'lost';

/** What the connection has decoded of one participant, counted from its beginning. */
export interface Decoded {
  /** Pictures. */
  frames: number;
  /** Energy of the sound (RTCInboundRtpStreamStats.totalAudioEnergy). */
  energy: number;
  /** Samples of sound that were played, and those of them that had to be invented. */
  samples: number;
  concealed: number;
  /** Packets of sound that came. */
  packets: number;
}

export interface Sight extends Decoded {
  /** When the number of pictures last grew, in milliseconds. */
  movedAt: number;
  /** The picture has been still for too long. */
  still: boolean;
  /** The share of the sound that was invented since the last look, 0 to 1. */
  invented: number;
  speaks: boolean;
}

/** After how many milliseconds without a new picture it is called still. */
export const stillAfter = 3_000;

/** What is seen of somebody now, from what was before. `shown`: they send a picture, and nothing has paused it. */
export function look(before: Sight | undefined, now: Decoded, shown: boolean, at: number): Sight {
  // A new connection counts from the beginning again.
  const moved = !before || now.frames !== before.frames || !shown;
  const movedAt = moved ? at : before.movedAt;
  const samples = before ? now.samples - before.samples : 0;
  const invented = samples > 0 && before ? (now.concealed - before.concealed) / samples : 0;
  return {
    ...now,
    movedAt,
    still: shown && at - movedAt >= stillAfter,
    invented: Math.min(1, Math.max(0, invented)),
    speaks: before !== undefined && now.energy - before.energy > 0.0005,
  };
}

/** Sound of which so much is invented is not good. */
const poorSound = 0.08;

/** One word for the call, from all that is known of it. */
export function judge(
  connected: boolean,
  line: LineWord | undefined,
  sights: readonly Sight[],
  { paused = false, held = false }: { paused?: boolean; held?: boolean } = {},
): Quality {
  if (!connected) return 'lost';
  if (line?.video_paused || paused) return 'paused';
  if (held) return 'held';
  if (sights.some((s) => s.still)) return 'still';
  const bad = line !== undefined && line.quality !== 'good';
  return bad || sights.some((s) => s.invented > poorSound) ? 'poor' : 'good';
}
