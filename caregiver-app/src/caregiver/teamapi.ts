import { api, json, part, post, request } from '../api/client';
import type {
  Address,
  Chain,
  Load,
  Member,
  People,
  Policy,
  Shift,
  Shifts,
  Silence,
  TestAlarm,
} from '../api/types';

// What the pages ask for that are fetched when they are asked for.

const query = (values: Record<string, string>) => `?${new URLSearchParams(values)}`;
const put = (body: unknown): RequestInit => ({ ...post(body), method: 'PUT' });

export const chain = (alert: string) => json<Chain>(`${api}/alerts/${part(alert)}/chain`);

export const people = () => json<People>(`${api}/people`);

export interface PersonEntry {
  name: string;
  language: string;
  away: boolean;
  addresses: Address[];
  /** What they may do when they sign in; "" is that they cannot. */
  role: string;
  /** The areas whose homes they see; none is every area. */
  areas: string[];
}

export const putPerson = (id: string, person: PersonEntry) =>
  request(`${api}/people/${part(id)}`, put(person));

const memberPath = (m: Pick<Member, 'group' | 'person' | 'scope'>) =>
  `${api}/groups/${part(m.group)}/members/${part(m.person)}${query({ scope: m.scope })}`;

export const putMember = (m: Member) => request(memberPath(m), put({ alerts: m.alerts }));

export const deleteMember = (m: Member) => request(memberPath(m), { method: 'DELETE' });

/** Shifts of an area that overlap the time between two instants, in milliseconds. */
export const shifts = (area: string, from: number, to: number) =>
  json<Shifts>(
    `${api}/shifts${query({ area, from: new Date(from).toISOString(), to: new Date(to).toISOString() })}`,
  );

export const putShift = ({ id, ...shift }: Shift) =>
  request(`${api}/shifts/${part(id)}`, put(shift));

export const deleteShift = (id: string) =>
  request(`${api}/shifts/${part(id)}`, { method: 'DELETE' });

/** Somebody else goes on with a shift, from an instant in milliseconds; `next` is the id of theirs. */
export const handOver = (id: string, person: string, at: number, next: string) =>
  request(
    `${api}/shifts/${part(id)}/hand-over`,
    post({ person, at: new Date(at).toISOString(), next }),
  );

export const policies = async (area: string): Promise<Policy[]> =>
  (await json<{ policies: Policy[] }>(`${api}/policies${query({ area })}`)).policies;

export const putPolicy = (area: string, { severity, ...policy }: Policy) =>
  request(`${api}/policies/${part(severity)}${query({ area })}`, put(policy));

/** Silences in force or to come; of every home when none is named. */
export const silences = async (home = ''): Promise<Silence[]> =>
  (await json<{ silences: Silence[] }>(`${api}/silences${query(home ? { home } : {})}`)).silences;

export const addSilence = (
  home: string,
  silence: { kinds: string[]; to: string; reason: string },
) => json<Silence>(`${api}/homes/${part(home)}/silences`, post(silence));

export const endSilence = (id: string) => request(`${api}/silences/${part(id)}/end`, post({}));

/** The tests of a home, the newest first. */
export const tests = async (home: string): Promise<TestAlarm[]> =>
  (await json<{ tests: TestAlarm[] }>(`${api}/homes/${part(home)}/tests`)).tests;

export const startTest = (home: string) =>
  json<TestAlarm>(`${api}/homes/${part(home)}/tests`, post({}));

export const endTest = (home: string) =>
  request(`${api}/homes/${part(home)}/tests`, { method: 'DELETE' });

export const load = (from: number, to: number) =>
  json<Load>(
    `${api}/load${query({ from: new Date(from).toISOString(), to: new Date(to).toISOString() })}`,
  );
