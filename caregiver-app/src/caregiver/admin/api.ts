import { api, json, part, post, request } from '../../api/client';
import type { Home, Time } from '../../api/types';
import { newKey } from '../../shared/queue';

// What the pages ask for that are about signing in, people's ways in, homes
// and devices, visits and statistics.

const query = (values: Record<string, string>) => `?${new URLSearchParams(values)}`;
const put = (body: unknown): RequestInit => ({ ...post(body), method: 'PUT' });
const remove: RequestInit = { method: 'DELETE' };
const once = () => ({ 'Idempotency-Key': newKey() });
const iso = (ms: number) => new Date(ms).toISOString();

/** How one can sign in to this service. */
export interface WaysIn {
  passkeys: boolean;
  oidc: { name: string } | null;
}

export const waysIn = () => json<WaysIn>(`${api}/sign-in`);

export const oidcPath = `${api}/sign-in/oidc`;

/** What an invitation is to, before it is accepted. */
export interface Invited {
  name: string;
  role: string;
  homes: string[];
  expires: Time;
}

export const lookAtInvitation = (code: string) =>
  json<Invited>(`${api}/invitation/look`, post({ code }));

export const acceptInvitation = (code: string, device: string) =>
  request(`${api}/invitation/accept`, post({ code, device }));

/** A place where one is signed in. */
export interface SignedIn {
  id: string;
  device: string;
  started: Time;
  used: Time | null;
  expires: Time | null;
  this: boolean;
}

export const sessions = async (): Promise<SignedIn[]> =>
  (await json<{ sessions: SignedIn[] }>(`${api}/me/sessions`)).sessions;

export const endSession = (id: string) => request(`${api}/me/sessions/${part(id)}`, remove);

export const endOtherSessions = () => request(`${api}/me/sessions/end-others`, post({}));

/** A link by which a person can come in, once; shown once. */
export interface Invitation {
  link: string;
  code: string;
  expires: Time;
}

export const invite = (person: string) =>
  json<Invitation>(`${api}/people/${part(person)}/invitation`, post({}, once()));

/** Ends every session of a person, and forgets their passkeys: their telephone is lost. */
export const endSignIns = (person: string) =>
  request(`${api}/people/${part(person)}/sign-ins`, remove);

/** A device in a home. Battery in percent, signal 0–255; null when it has told none. */
export interface DeviceState {
  home: string;
  home_name: string;
  device: string;
  room: string;
  kinds: string[];
  last_seen: Time | null;
  silent: boolean;
  battery: number | null;
  battery_low: boolean;
  signal: number | null;
}

/** Devices of many homes; cut when there are more homes than one answer holds. */
export interface DeviceList {
  devices: DeviceState[];
  cut?: boolean;
}

/** The devices of all homes, or of an area's. */
export const devices = (area = '') =>
  json<DeviceList>(`${api}/overview/devices${area && query({ area })}`);

/** What a day had of alarms and visits; times to take in seconds. */
export interface DayCount {
  date: string;
  emergency: number;
  attention: number;
  technical: number;
  taken_median: number | null;
  taken_p90: number | null;
  visits_done: number;
  visits_missed: number;
  /** By video, by the staff; a service without them says nothing of it. */
  calls?: number;
  calls_missed?: number;
  call_minutes?: number;
  saved_minutes?: number;
}

export interface Statistics {
  days: DayCount[];
  by_outcome: Record<string, number>;
  /** Emergencies by the hour of the day, 24 of them. */
  by_hour: number[];
  homes: number;
  protected: number;
  messages: number;
}

/** Counts with from <= t < to, in milliseconds; of every area when none is named. */
export const statistics = (from: number, to: number, area = '') =>
  json<Statistics>(
    `${api}/statistics${query({ from: iso(from), to: iso(to), ...(area ? { area } : {}) })}`,
  );

export type VisitState = 'requested' | 'planned' | 'declined' | 'done' | 'cancelled' | 'missed';

/** Somebody who comes to a home, or calls by video. */
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
  state: VisitState;
  asked: string;
  asked_by: string;
  note: string;
  changed: Time | null;
  by: string;
  /** The version: it grows with each change. */
  rev: number;
}

export const visit = (id: string) => json<Visit>(`${api}/visits/${part(id)}`);

/** Visits that overlap the time between two instants, in milliseconds. */
export const visits = async (from: number, to: number, area = ''): Promise<Visit[]> =>
  (
    await json<{ visits: Visit[] }>(
      `${api}/visits${query({ from: iso(from), to: iso(to), ...(area ? { area } : {}) })}`,
    )
  ).visits;

/** What is planned of a visit, and of which version of it one knows: 0 is a new one. */
export type VisitEntry = Pick<
  Visit,
  'home' | 'from' | 'to' | 'person' | 'what' | 'video' | 'state' | 'note' | 'rev'
>;

export const putVisit = (id: string, visit: VisitEntry) =>
  json<Visit>(`${api}/visits/${part(id)}`, put(visit));

export interface NewHome {
  id: string;
  gateway: string;
  name: string;
  area: string;
  zone: string;
}

export const addHome = (home: NewHome) => json<Home>(`${api}/homes`, post(home));

export const changeHome = (
  id: string,
  home: Pick<Home, 'name' | 'area' | 'zone' | 'check_ins'>,
): Promise<Home> => json<Home>(`${api}/homes/${part(id)}`, put(home));

/** Lets new devices in for so many seconds. */
export const pair = (home: string, seconds: number) =>
  request(`${api}/homes/${part(home)}/pair`, post({ seconds }, once()));

/** Where the devices of a home are, and what a press of each means ("*": any press). */
export interface Rooms {
  rooms: Record<string, string>;
  actions: Record<string, Record<string, string>>;
}

export const rooms = async (home: string): Promise<Rooms> => {
  const { rooms, actions } = await json<Partial<Rooms>>(`${api}/homes/${part(home)}/rooms`);
  return { rooms: rooms ?? {}, actions: actions ?? {} };
};

export const putRooms = (home: string, placed: Rooms) =>
  request(`${api}/homes/${part(home)}/rooms`, put(placed));

/** Has the box of a home show where it is. */
export const locate = (home: string) =>
  request(`${api}/homes/${part(home)}/locate`, post({}, once()));
