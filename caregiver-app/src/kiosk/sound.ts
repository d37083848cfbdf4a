import { playNotes } from '../shared/sound';

/** Two soft falling notes: heard by who is in the room, and nobody starts. */
export const softSound = (): Promise<boolean> =>
  playNotes(
    [659, 523].map((hertz, i) => ({
      hertz,
      after: i * 0.45,
      shape: 'sine' as const,
      volume: 0.3,
      rise: 0.08,
      fade: 0.9,
    })),
  );
