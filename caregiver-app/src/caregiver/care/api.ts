import { api, json, part, post, request } from '../../api/client';
import type { Alert, Silence, Time } from '../../api/types';

// What is written about residents, and what the pages about them ask for.

const query = (values: Record<string, string>) => `?${new URLSearchParams(values)}`;
const put = (body: unknown): RequestInit => ({ ...post(body), method: 'PUT' });
const iso = (ms: number) => new Date(ms).toISOString();

export interface Contact {
  person: string;
  name: string;
  phone: string;
  /** The kinds of alert that they are told of; none named is all. */
  told: string[];
}

export interface Card {
  name: string;
  called: string;
  /** A year, or YYYY-MM-DD. */
  born: string;
  phone: string;
  address: string;
  entry: string;
  language: string;
  important: string;
  wishes: string;
  /** When the screen asks how they are, in minutes after midnight; 0 is never. */
  ask: number;
}

export type Resident = Card & { changed: Time | null; changed_by: string; contacts: Contact[] };

export const resident = (home: string) => json<Resident>(`${api}/homes/${part(home)}/resident`);

export const putCard = (home: string, card: Card) =>
  request(`${api}/homes/${part(home)}/resident`, put(card));

export interface Note {
  id: string;
  home: string;
  /** When it came, and when it was written: earlier where there was no network. */
  at: Time;
  written: Time;
  /** In a hand-over: it came after its shift had been handed over. */
  late?: boolean;
  author: string;
  person: string;
  kind: string;
  text: string;
  /** The id of the note that it corrects; "" is none. */
  corrects: string;
  alert: string;
}

export const notes = async (home: string, before = ''): Promise<Note[]> =>
  (
    await json<{ notes: Note[] }>(
      `${api}/homes/${part(home)}/notes${query({ limit: '50', ...(before ? { before } : {}) })}`,
    )
  ).notes;

export interface Visit {
  id: string;
  home: string;
  home_name: string;
  from: Time;
  to: Time;
  person: string;
  who: string;
  what: string;
  video: boolean;
  state: string;
  asked: string;
  asked_by: string;
  note: string;
  changed: Time | null;
  /** Who changed it last; "" is the service itself. */
  by: string;
}

export const visit = (id: string) => json<Visit>(`${api}/visits/${part(id)}`);

export const visitsOf = async (home: string, from: number, to: number): Promise<Visit[]> =>
  (
    await json<{ visits: Visit[] }>(
      `${api}/homes/${part(home)}/visits${query({ from: iso(from), to: iso(to) })}`,
    )
  ).visits;

export const visitsBy = async (person: string, from: number, to: number): Promise<Visit[]> =>
  (
    await json<{ visits: Visit[] }>(
      `${api}/visits${query({ from: iso(from), to: iso(to), person })}`,
    )
  ).visits;

export interface Reminder {
  id: string;
  text: string;
  /** Minutes after midnight. */
  at: number;
  /** 1 Monday to 7 Sunday; empty is every day. */
  days: number[];
  medication: boolean;
}

export const reminders = async (home: string): Promise<Reminder[]> =>
  (await json<{ reminders: Reminder[] }>(`${api}/homes/${part(home)}/reminders`)).reminders;

const reminderPath = (home: string, id: string) =>
  `${api}/homes/${part(home)}/reminders/${part(id)}`;

export const putReminder = (home: string, { id, ...reminder }: Reminder) =>
  request(reminderPath(home, id), put(reminder));

export const deleteReminder = (home: string, id: string) =>
  request(reminderPath(home, id), { method: 'DELETE' });

export interface Message {
  id: string;
  from: string;
  person: string;
  family: boolean;
  text: string;
  picture: boolean;
  at: Time;
  until: Time | null;
  /** When the home had it. */
  reached: Time | null;
  /** When the resident had seen or heard it. */
  heard: Time | null;
}

export const messages = async (home: string): Promise<Message[]> =>
  (await json<{ messages: Message[] }>(`${api}/homes/${part(home)}/messages`)).messages;

export const picture = (home: string, id: string) =>
  `${api}/homes/${part(home)}/messages/${part(id)}/picture`;

export const deleteMessage = (home: string, id: string) =>
  request(`${api}/homes/${part(home)}/messages/${part(id)}`, { method: 'DELETE' });

export interface Grant {
  party: string;
  name: string;
  field: string;
  allowed: boolean;
  /** Not for the resident to decide: what home care needs for its task, or is never for relatives. */
  fixed?: boolean;
  at: Time | null;
  until: Time | null;
  purpose: string;
  by: string;
  how: string;
}

export interface Consents {
  grants: Grant[];
  history: Grant[];
}

export const consent = (home: string) => json<Consents>(`${api}/homes/${part(home)}/consent`);

export interface Decision {
  party: string;
  field: string;
  allowed: boolean;
  purpose: string;
  /** Left out when it holds until further notice. */
  until?: Time;
  how: string;
}

export const decide = (home: string, decision: Decision, key: string) =>
  request(`${api}/homes/${part(home)}/consent`, post(decision, { 'Idempotency-Key': key }));

export interface WellBeing {
  answers: { t: Time; v: number }[];
  medicines: { t: Time; text: string; v: number }[];
}

export const wellBeing = (home: string, days: number) =>
  json<WellBeing>(`${api}/homes/${part(home)}/well-being${query({ days: String(days) })}`);

export interface Found {
  type: string;
  home: string;
  home_name: string;
  title: string;
  text: string;
  at: Time | null;
}

export const search = async (words: string, signal: AbortSignal): Promise<Found[]> =>
  (await json<{ results: Found[] }>(`${api}/search${query({ q: words })}`, { signal })).results;

export interface HandOver {
  from: Time;
  to: Time;
  alerts: Alert[];
  open: Alert[];
  notes: Note[];
  visits: { done: number; missed: Visit[]; open: Visit[] };
  silences: Silence[];
  silent_homes: { home: string; name: string; since: Time | null }[];
  /** There was more than one answer holds. */
  cut?: boolean;
}

export const handOver = (from: number, to: number, area = '') =>
  json<HandOver>(
    `${api}/hand-over${query({ from: iso(from), to: iso(to), ...(area ? { area } : {}) })}`,
  );
