import type {
  Alert,
  Home,
  HomeDetail,
  Me,
  Outcome,
  ProblemDocument,
  Reading,
  Silence,
  Window,
} from './types';

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

// Go writes an empty list as null when nobody took care; both mean none.
const tidy = <H extends Home>(home: H): H => ({ ...home, check_ins: home.check_ins ?? [] });

export const me = () => json<Me>(`${api}/me`);

export async function signIn(token: string): Promise<void> {
  await request(`${api}/session`, post({ token }));
}

export async function signOut(): Promise<void> {
  await request(`${api}/session`, { method: 'DELETE' });
}

export async function homes(): Promise<Home[]> {
  const answer = await json<{ homes: Home[] | null }>(`${api}/homes`);
  return (answer.homes ?? []).map(tidy);
}

export async function home(id: string): Promise<HomeDetail> {
  const answer = await json<HomeDetail>(`${api}/homes/${part(id)}`);
  const devices = (answer.devices ?? []).map((d) => ({ ...d, kinds: d.kinds ?? [] }));
  return tidy({ ...answer, devices, last: answer.last ?? [] });
}

export async function alerts(query: { state: string; home?: string }): Promise<Alert[]> {
  const answer = await json<{ alerts: Alert[] | null }>(
    `${api}/alerts?${new URLSearchParams(query)}`,
  );
  return answer.alerts ?? [];
}

/** All readings with from <= t < to, however many pages they take. */
export async function readings(home: string, from: Date, to: Date): Promise<Reading[]> {
  const all: Reading[] = [];
  const query = new URLSearchParams({ from: from.toISOString(), to: to.toISOString() });
  for (;;) {
    const page = await json<{ readings: Reading[] | null; next?: string }>(
      `${api}/homes/${part(home)}/readings?${query}`,
    );
    all.push(...(page.readings ?? []));
    if (!page.next || page.next === query.get('after')) return all;
    query.set('after', page.next);
  }
}

/** The numbers of one kind in steps; `every` is a Go duration such as "15m". */
export async function windows(
  home: string,
  kind: string,
  from: Date,
  to: Date,
  every: string,
): Promise<Window[]> {
  const query = new URLSearchParams({
    from: from.toISOString(),
    to: to.toISOString(),
    kind,
    every,
  });
  const answer = await json<{ windows: Window[] | null }>(
    `${api}/homes/${part(home)}/readings?${query}`,
  );
  return answer.windows ?? [];
}

/** The homes of which something is silenced at an instant, in milliseconds. */
export async function silencedHomes(at: number): Promise<string[]> {
  const { silences } = await json<{ silences: Silence[] }>(`${api}/silences`);
  return silences.filter((s) => Date.parse(s.from) <= at).map((s) => s.home);
}

/** Acts on an alert. A repeated call with the same key is the same act, done once. */
const act = (id: string, what: string, key: string, body: object) =>
  json<Alert>(`${api}/alerts/${part(id)}/${what}`, post(body, { 'Idempotency-Key': key }));

export const acknowledge = (id: string, key: string) => act(id, 'acknowledge', key, {});

export const takeOver = (id: string, key: string) => act(id, 'take-over', key, {});

/** Minutes until the person is there; 0 is not said. */
export const onTheWay = (id: string, key: string, minutes: number) =>
  act(id, 'on-the-way', key, { minutes });

export const resolve = (id: string, key: string, outcome: Outcome, note: string) =>
  act(id, 'resolve', key, { outcome, note });
