import { api, json, part, post, request } from '../api/http';
import type { Alert, Time } from '../api/types';

// What the service answers to a relative. Words of it that this app does not
// know yet must show sensibly, never crash.

type Open<Known extends string> = Known | (string & {});

/** What a resident decides about. */
export type Field = Open<
  'check_in' | 'alerts' | 'visits' | 'messages' | 'activity' | 'health' | 'climate' | 'contacts'
>;

export type Light = Open<'lit' | 'waiting' | 'out' | 'unknown' | 'hidden'>;

/** One home, as far as who lives there lets this relative see it. */
export interface FamilyHome {
  home: string;
  /** What the resident is called. */
  name: string;
  /** The home's time zone; this device's where the service does not say. */
  zone?: string;
  allowed: Field[];
  /** What relatives can be shown and this one is not. */
  refused: Field[];
  light: Light;
  checked_in: Time | null;
  /** When today's check-in has to have come. */
  check_in_by: Time | null;
  /** Whether no alert is open; null is not allowed. */
  calm: boolean | null;
  /** Open ones, and those of the last seven days. */
  alerts: Alert[];
  visits: Visit[];
  activity: { today: Open<'usual' | 'less' | 'none'>; last: Time | null } | null;
  /** The newest reading of each kind. */
  health: Health[];
  /** The newest reading of each kind in each room. */
  climate?: Health[];
  /** Where the resident lives, and who is told of alarms; null is not allowed. */
  card?: { address: string; phone: string; contacts: string[] } | null;
}

export interface Health {
  t: Time;
  device: string;
  room: string;
  kind: string;
  v?: number;
  s?: string;
  unit?: string;
}

export interface Visit {
  id: string;
  home: string;
  from: Time;
  to: Time;
  person: string;
  who: string;
  what: string;
  video: boolean;
  state: Open<'requested' | 'planned' | 'declined' | 'done' | 'cancelled' | 'missed'>;
  /** The id of the relative who asked for it; "" is nobody. */
  asked: string;
  note: string;
}

export interface Message {
  id: string;
  from: string;
  person: string;
  text: string;
  picture: boolean;
  at: Time;
  until: Time | null;
  /** When the home had it. */
  reached: Time | null;
  /** When the resident had seen it. */
  heard: Time | null;
}

/** Who is signed in. */
export interface Me {
  name: string;
  role: string;
  person: string;
  language: string;
  passkeys: number;
  /** What the service can do: "video". */
  features?: string[];
}

export interface Invitation {
  name: string;
  role: string;
  homes: string[];
  expires: Time;
}

export interface Session {
  id: string;
  device: string;
  started: Time;
  used: Time;
  expires: Time;
  this: boolean;
}

/** Who was told of an alert, and who did what about it. */
export interface Chain {
  alert: Alert;
  told: { name: string; channel: string; state: string; decided: Time; changed: Time }[];
  deeds: { at: Time; actor: string; action: string }[];
}

// Go writes an empty list as null when nobody took care; both mean none.
export const tidied = (home: FamilyHome): FamilyHome => ({
  ...home,
  allowed: home.allowed ?? [],
  refused: home.refused ?? [],
  alerts: home.alerts ?? [],
  visits: home.visits ?? [],
  health: home.health ?? [],
});

export const me = () => json<Me>(`${api}/me`);

export const homes = async (): Promise<FamilyHome[]> =>
  ((await json<{ homes: FamilyHome[] | null }>(`${api}/family`)).homes ?? []).map(tidied);

export const messages = async (home: string): Promise<Message[]> =>
  (await json<{ messages: Message[] | null }>(`${api}/homes/${part(home)}/messages`)).messages ??
  [];

const once = (key: string) => ({ 'Idempotency-Key': key });

export const sendMessage = (
  home: string,
  key: string,
  message: { text: string; picture?: string; until: Time },
) => request(`${api}/family/homes/${part(home)}/messages`, post(message, once(key)));

export const askForVisit = (
  home: string,
  key: string,
  visit: { from: Time; to: Time; what: string; video: boolean },
) => request(`${api}/family/homes/${part(home)}/visits`, post(visit, once(key)));
