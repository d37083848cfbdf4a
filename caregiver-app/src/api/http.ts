// Asking the service, and what staff and relatives both ask of it.
import { language } from '../shared/i18n';
import type { Alert, ProblemDocument } from './types';

/** The server answered, and said no. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    /** Such as LYK-0501; empty when the answer carried none. */
    readonly id: string,
    readonly detail: string,
  ) {
    super(detail || id || `HTTP ${status}`);
  }
}

/** The server was not reached, or its answer did not come through. */
export class Unreachable extends Error {}

/** How long a request may take before the network counts as gone, in milliseconds. */
const patience = 20_000;

export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, {
      ...init,
      // What is wrong is told in the language of who reads it, not of the browser.
      headers: { ...init.headers, 'Accept-Language': language.value },
      credentials: 'same-origin',
      signal: init.signal ?? AbortSignal.timeout(patience),
    });
  } catch (cause) {
    throw new Unreachable(`asking for ${path}`, { cause });
  }
  if (response.ok) return response;
  let problem: ProblemDocument = {};
  try {
    problem = (await response.json()) as ProblemDocument;
  } catch {
    // A proxy's own page: the status has to do.
  }
  throw new Problem(response.status, problem.id ?? '', problem.detail ?? problem.title ?? '');
}

export async function json<T>(path: string, init?: RequestInit): Promise<T> {
  const response = await request(path, init);
  try {
    return (await response.json()) as T;
  } catch (cause) {
    throw new Unreachable(`reading the answer for ${path}`, { cause });
  }
}

/** A request that brings something; of every method but GET. */
export function post(body: unknown, headers: Record<string, string> = {}): RequestInit {
  return {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
  };
}

export const api = '/api/v1';
export const part = encodeURIComponent;

export async function signOut(): Promise<void> {
  await request(`${api}/session`, { method: 'DELETE' });
}

/** Acts on an alert. A repeated call with the same key is the same act, done once. */
export const act = (id: string, what: string, key: string, body: object) =>
  json<Alert>(`${api}/alerts/${part(id)}/${what}`, post(body, { 'Idempotency-Key': key }));

export const acknowledge = (id: string, key: string) => act(id, 'acknowledge', key, {});

/** Minutes until the person is there; 0 is not said. */
export const onTheWay = (id: string, key: string, minutes: number) =>
  act(id, 'on-the-way', key, { minutes });
