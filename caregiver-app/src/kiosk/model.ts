import type { Ask } from './asks';
import type { Shown } from './call/model';
import type { Deeds } from './deeds';
import type { Help } from './help';
import type { View } from './seen';
import type { Settings } from './settings';
import type { Grant, Letter, Status } from './status';
import type { Language } from './texts';

/** Where the resident has gone on the screen. */
export type Page =
  | { name: 'day' | 'letters' | 'data' | 'looks' | 'settings' }
  | { name: 'party'; party: string }
  | { name: 'grant'; party: string; field: string };

/** All that is shown at a moment. */
export interface Model {
  view: View;
  status: Status | undefined;
  /** The way there, the last is shown; none is the first screen. */
  pages: Page[];
  ask: Ask | undefined;
  /** A call that rings or is under way, or one that was missed. */
  call: Shown | undefined;
  /** Said for a moment after something was answered. */
  thanks: Thanks | undefined;
  settings: Settings;
  language: Language;
  dark: boolean;
  /** The letter that is being read out, and whether there was a voice for it. */
  reading: string;
  voiceless: boolean;
  deeds: Deeds;
  help: Help;
}

export interface Thanks {
  kind: 'taken' | 'answer' | 'bad';
  /** By the page's own time in milliseconds. */
  until: number;
}

/** What the resident can do. */
export interface Acts {
  go: (page: Page) => void;
  back: () => void;
  checkIn: () => void;
  take: (ask: Ask & { kind: 'prompt' }) => void;
  notNow: (ask: Ask) => void;
  finish: (ask: Ask) => void;
  answer: (ask: Ask, value: 1 | 2 | 3) => void;
  enough: () => void;
  read: (letter: Letter) => void;
  haveRead: (letter: Letter) => void;
  decide: (grant: Grant) => void;
  set: (settings: Partial<Settings>) => void;
  darken: () => void;
  wake: () => void;
}

/** The names by which deeds are known. */
export const deedOf = {
  prompt: (key: string) => `prompt ${key}`,
  heard: (letter: string) => `heard ${letter}`,
  call: (call: string, word: string) => `call ${call} ${word}`,
  callBack: (call: string) => `call_back ${call}`,
  grant: ({ party, field }: Pick<Grant, 'party' | 'field'>) => `grant ${party} ${field}`,
};

export interface Props {
  model: Model;
  acts: Acts;
}
