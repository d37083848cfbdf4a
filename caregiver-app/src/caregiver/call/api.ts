// What the app asks of the service about calls by video.
import type { Call } from '../../call/wire';
import { api, json, part, post } from '../../api/http';

const query = (values: Record<string, string>) => `?${new URLSearchParams(values)}`;
const tidy = (call: Call): Call => ({ ...call, people: call.people ?? [], here: call.here ?? [] });

/** What a call is begun with. */
export interface Start {
  home: string;
  /** The planned visit that it is, and the alert that it is about; "" is none. */
  visit: string;
  alert: string;
  /** The screen answers by itself after its countdown, as the resident has allowed. */
  automatic: boolean;
}

/** Begins a call; the same key is the same call. */
export const start = async ({ home, visit, alert, automatic }: Start, key: string): Promise<Call> =>
  tidy(
    await json<Call>(
      `${api}/homes/${part(home)}/calls`,
      post({ visit, alert, automatic }, { 'Idempotency-Key': key }),
    ),
  );

export const calls = async (wanted: { home?: string; live?: 'true' }): Promise<Call[]> =>
  ((await json<{ calls: Call[] | null }>(`${api}/calls${query(wanted)}`)).calls ?? []).map(tidy);

export const call = async (id: string): Promise<Call> =>
  tidy(await json<Call>(`${api}/calls/${part(id)}`));

export const hangUp = async (id: string): Promise<Call> =>
  tidy(await json<Call>(`${api}/calls/${part(id)}/hang-up`, { ...post({}), keepalive: true }));

export interface Invited {
  link: string;
  expires: string;
}

export const invite = (id: string, name: string, role: string): Promise<Invited> =>
  json<Invited>(
    `${api}/calls/${part(id)}/guests`,
    post({ name, role }, { 'Idempotency-Key': crypto.randomUUID() }),
  );

/** Where a call's signalling is. */
export const socketOf = (id: string): string =>
  `${location.origin.replace(/^http/, 'ws')}${api}/calls/${part(id)}/socket`;
