let context: AudioContext | undefined;

/** One note. Times are seconds, the volume 0–1. */
export interface Note {
  hertz: number;
  /** When it begins, from now. */
  after: number;
  shape: OscillatorType;
  volume: number;
  /** How long until it is as loud as it gets, and until it has faded. */
  rise: number;
  fade: number;
}

/** Plays notes; false when the browser keeps them from being heard. */
export async function playNotes(notes: Note[]): Promise<boolean> {
  if (!('AudioContext' in globalThis)) return false;
  const ctx = (context ??= new AudioContext());
  // Until somebody has touched the page the browser may keep it silent, and
  // resume() waits for ever.
  const started = await Promise.race([
    ctx.resume().then(
      () => true,
      () => false,
    ),
    new Promise<boolean>((done) => setTimeout(() => done(false), 500)),
  ]);
  if (started) for (const note of notes) play(ctx, note);
  return started;
}

function play(ctx: AudioContext, { hertz, after, shape, volume, rise, fade }: Note): void {
  const begin = ctx.currentTime + after;
  const oscillator = ctx.createOscillator();
  const gain = ctx.createGain();
  oscillator.type = shape;
  oscillator.frequency.value = hertz;
  gain.gain.setValueAtTime(0, begin);
  gain.gain.linearRampToValueAtTime(volume, begin + rise);
  gain.gain.exponentialRampToValueAtTime(0.001, begin + fade);
  oscillator.connect(gain).connect(ctx.destination);
  oscillator.start(begin);
  oscillator.stop(begin + fade + 0.1);
}
