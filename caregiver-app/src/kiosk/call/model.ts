import type { ComponentType } from 'preact';
import type { Aloud } from '../teller';
import type { Props } from '../model';
import type { Deed } from '../deeds';
import type { Phase } from './course';

/** What the screen has to show of a call. */
export interface Shown {
  phase: Phase;
  /** Over everything but an alarm's own state; else it waits for its turn. */
  first: boolean;
  /** What is said of it once. */
  aloud?: Aloud;
  /** How the call itself goes, while there is one. */
  talk?: Talk;
  /** How the gateway takes the resident's word. */
  deed?: Deed;
  acts: CallActs;
  View: ComponentType<Props & { shown: Shown }>;
}

/** What the resident can do about a call. */
export interface CallActs {
  answer: () => void;
  decline: () => void;
  later: () => void;
  hangUp: () => void;
  callBack: () => void;
  noNeed: () => void;
  close: () => void;
  /** It could not be shown. */
  broken: (error: unknown) => void;
}

/** A call as the screen shows it. */
export interface Talk {
  /** lost: it was on, and is being brought back. */
  state: 'joining' | 'on' | 'lost';
  people: Person[];
  own: MediaStream | undefined;
  /** What this screen has not got, or may not use. */
  missing: '' | 'camera' | 'microphone' | 'both';
  line: 'good' | 'poor' | 'held' | 'paused';
}

export interface Person {
  id: string;
  name: string;
  role: string;
  mic: boolean;
  picture: MediaStream | undefined;
  sound: MediaStream | undefined;
}
