import { signal } from '@preact/signals';
import { playNotes } from '../shared/sound';

const remembered = 'lykta.sound';

/** Whether this person wants a sound when an emergency comes. */
export const wanted = signal(localStorage.getItem(remembered) === 'on');
/** Whether the browser kept the last sound from being heard. */
export const blocked = signal(false);

export function want(on: boolean): void {
  localStorage.setItem(remembered, on ? 'on' : 'off');
  wanted.value = on;
  if (on) void play();
}

/** Sounds for a new emergency, if the person wants it. */
export function alarm(): void {
  if (wanted.value) void play();
}

/** Three rising notes, twice: noticed across a room, not mistaken for a telephone; and a shaking pocket. */
export async function play(): Promise<void> {
  navigator.vibrate?.([400, 150, 400, 150, 900]);
  const notes = [0, 0.9].flatMap((later) =>
    [659, 784, 988].map((hertz, i) => ({ hertz, after: later + i * 0.2 })),
  );
  const heard = await playNotes(
    notes.map((n) => ({ ...n, shape: 'triangle' as const, volume: 0.5, rise: 0.02, fade: 0.35 })),
  );
  blocked.value = !heard;
}
