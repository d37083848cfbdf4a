import type { Memory } from './teller';
import type { Language } from './texts';

/** What the resident has chosen on the screen. */
export interface Settings {
  /** undefined: what the service says. */
  language: Language | undefined;
  text: 1 | 2 | 3;
  voice: boolean;
  night: boolean;
}

const kept = 'lykta.kiosk.settings';

export function loadSettings(memory: Memory): Settings {
  let saved: Partial<Settings> = {};
  try {
    saved = JSON.parse(memory.getItem(kept) || '{}') as Partial<Settings>;
  } catch {
    // not ours: as if nothing had been chosen
  }
  const { language, text, voice, night } = saved;
  return {
    language: language === 'sv' || language === 'en' ? language : undefined,
    text: text === 2 || text === 3 ? text : 1,
    voice: voice !== false,
    night: night !== false,
  };
}

export const saveSettings = (memory: Memory, settings: Settings): void =>
  memory.setItem(kept, JSON.stringify(settings));
