let context: AudioContext | undefined;

/** Two soft falling notes: heard by who is in the room, and nobody starts. */
export async function softSound(): Promise<boolean> {
  if (!('AudioContext' in globalThis)) return false;
  context ??= new AudioContext();
  // Where the browser wants a touch first, resume() waits for ever.
  const started = await Promise.race([
    context.resume().then(
      () => true,
      () => false,
    ),
    new Promise<boolean>((done) => setTimeout(() => done(false), 500)),
  ]);
  if (started) [659, 523].forEach((hertz, i) => note(context!, hertz, i * 0.45));
  return started;
}

function note(ctx: AudioContext, hertz: number, after: number): void {
  const begin = ctx.currentTime + after;
  const oscillator = ctx.createOscillator();
  const volume = ctx.createGain();
  oscillator.type = 'sine';
  oscillator.frequency.value = hertz;
  volume.gain.setValueAtTime(0, begin);
  volume.gain.linearRampToValueAtTime(0.3, begin + 0.08);
  volume.gain.exponentialRampToValueAtTime(0.001, begin + 0.9);
  oscillator.connect(volume).connect(ctx.destination);
  oscillator.start(begin);
  oscillator.stop(begin + 1);
}
