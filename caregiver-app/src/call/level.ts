import { signal, type ReadonlySignal } from '@preact/signals';

/** How loud a track is, from 0 to 1, a few times a second; with its stop. */
export function levelOf(track: MediaStreamTrack): [ReadonlySignal<number>, () => void] {
  const level = signal(0);
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 1024;
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, s) => sum + s * s, 0) / samples.length;
    // From -60 dB, a quiet room, to -10 dB, speech near the microphone.
    const now = Math.min(1, Math.max(0, (10 * Math.log10(power + 1e-9) + 60) / 50));
    level.value = Math.max(now, level.value * 0.7);
  }, 100);
  return [
    level,
    () => {
      clearInterval(timer);
      void context.close();
    },
  ];
}
