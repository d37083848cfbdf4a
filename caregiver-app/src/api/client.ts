// What the staff's app asks of the service.
import { act, api, json, part, post, request } from './http';
import type { Home, HomeDetail, Alert, Me, Outcome, Reading, Silence, Window } from './types';

export * from './http';

// Go writes an empty list as null when nobody took care; both mean none.
const tidy = <H extends Home>(home: H): H => ({ ...home, check_ins: home.check_ins ?? [] });

export const me = () => json<Me>(`${api}/me`);

export async function signIn(token: string): Promise<void> {
  await request(`${api}/session`, post({ token }));
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

export const takeOver = (id: string, key: string) => act(id, 'take-over', key, {});

export const resolve = (id: string, key: string, outcome: Outcome, note: string) =>
  act(id, 'resolve', key, { outcome, note });
