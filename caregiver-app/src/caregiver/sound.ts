import { signal } from '@preact/signals';

const remembered = 'lykta.sound';

/** Whether this person wants a sound when an emergency comes. */
export const wanted = signal(localStorage.getItem(remembered) === 'on');
/** Whether the browser kept the last sound from being heard. */
export const blocked = signal(false);

let context: AudioContext | undefined;

export function want(on: boolean): void {
  localStorage.setItem(remembered, on ? 'on' : 'off');
  wanted.value = on;
  if (on) void play();
}

/** Sounds for a new emergency, if the person wants it. */
export function alarm(): void {
  if (wanted.value) void play();
}

/** Three rising notes, twice: noticed across a room, not mistaken for a telephone. */
export async function play(): Promise<void> {
  context ??= new AudioContext();
  // Until the person has touched the page the browser keeps it silent, and
  // resume() may wait for ever.
  const started = await Promise.race([
    context.resume().then(() => true),
    new Promise<boolean>((done) => setTimeout(() => done(false), 500)),
  ]);
  blocked.value = !started;
  if (!started) return;
  [0, 0.9].forEach((later) =>
    [659, 784, 988].forEach((hertz, i) => note(context!, hertz, later + i * 0.2)),
  );
}

function note(ctx: AudioContext, hertz: number, after: number): void {
  const begin = ctx.currentTime + after;
  const oscillator = ctx.createOscillator();
  const volume = ctx.createGain();
  oscillator.type = 'triangle';
  oscillator.frequency.value = hertz;
  volume.gain.setValueAtTime(0, begin);
  volume.gain.linearRampToValueAtTime(0.5, begin + 0.02);
  volume.gain.exponentialRampToValueAtTime(0.001, begin + 0.35);
  oscillator.connect(volume).connect(ctx.destination);
  oscillator.start(begin);
  oscillator.stop(begin + 0.4);
}
