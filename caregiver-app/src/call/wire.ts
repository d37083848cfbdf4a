// The messages of a call's signalling, and a call as the API has it:
// docs/protocol.md. Enumerations stay open: what is new must show sensibly.

type Open<Known extends string> = Known | (string & {});

/** An RFC 3339 time in UTC. */
type Time = string;

export type Role = Open<'home' | 'staff' | 'relative' | 'interpreter' | 'guest'>;

/** One meeting by video with a resident. */
export interface Call {
  id: string;
  home: string;
  home_name: string;
  /** The planned visit that it is, and the alert that it was begun for; "" is none. */
  visit: string;
  alert: string;
  state: Open<'ringing' | 'answered' | 'ended'>;
  by: { id: string; name: string; role: string };
  started: Time;
  /** When the home said that it rings; null until it has. */
  rung: Time | null;
  answered: Time | null;
  how: Open<'' | 'touch' | 'button' | 'automatic'>;
  ended: Time | null;
  why: Open<
    | ''
    | 'done'
    | 'declined'
    | 'later'
    | 'missed'
    | 'cancelled'
    | 'unreachable'
    | 'withdrawn'
    | 'off'
  >;
  outcome: Open<'' | 'well' | 'needs_visit' | 'technical' | 'other'>;
  note: string;
  /** The travel that it made unnecessary, in minutes. */
  saved_minutes: number;
  people: { id: string; name: string; role: Role; joined: Time; left: Time | null }[] | null;
  /** The ids of those who are in it now. */
  here: string[] | null;
}

/** Somebody else in the call, and the slots of this session that carry them; "" is none. */
export interface Seat {
  id: string;
  name: string;
  role: Role;
  mic: boolean;
  camera: boolean;
  /** Their picture rests until their line is better; absent is no. */
  paused?: boolean;
  /** Mids. */
  audio: string;
  video: string;
}

/** How the service sees the connection to this participant. */
export interface LineWord {
  video_paused: boolean;
  quality: Open<'good' | 'poor' | 'bad'>;
  /** The share of packets that is lost, 0 to 1, in the worse direction. */
  loss: number;
  kbps: number;
  /** Somebody takes this participant's picture; absent is yes. */
  watched?: boolean;
}

/** What there is of a participant for the others. */
export interface Shown {
  mic: boolean;
  camera: boolean;
  /** The picture rests until the line is better; absent is no. */
  paused?: boolean;
}

interface Offer {
  sdp: string;
  /** Comes back with its answer. */
  offer: number;
}

export type ToService =
  | ({ type: 'join' } & Offer & Shown)
  | ({ type: 'restart' } & Offer)
  | ({ type: 'state' } & Shown)
  | { type: 'leave' }
  | { type: 'ping' };

export type FromService =
  | { type: 'welcome'; me: string; call: Call; ice: RTCIceServer[] | null; slots: number }
  | { type: 'answer'; sdp: string; /** To which offer. */ offer?: number }
  | { type: 'people'; people: Seat[] | null }
  | { type: 'call'; call: Call }
  | ({ type: 'line' } & LineWord)
  | { type: 'gone' }
  | { type: 'problem'; id: string; text: string }
  | { type: 'pong' };

/** A message as it came; undefined is what is not one. */
export function read(text: unknown): FromService | undefined {
  try {
    const message = JSON.parse(String(text)) as FromService | null;
    return typeof message?.type === 'string' ? message : undefined;
  } catch {
    return undefined;
  }
}
