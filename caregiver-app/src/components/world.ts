// The service as these pages see it: the invented household of the browser
// tests, answered within the page. What a home is called says how it answers.
import type { Call } from '../call/wire';
import { admin, adminApi } from '../../e2e/mock/admin.mjs';
import { care, careApi } from '../../e2e/mock/care.mjs';
import { bertil, family, familyApi } from '../../e2e/mock/family.mjs';
import { dayOfReadings, household, rolling } from '../../e2e/household.mjs';
import { team, teamApi } from '../../e2e/team.mjs';
import type { Alert, Home, HomeDetail, Me } from '../api/types';
import pictureUrl from './picture.svg?url';

/** An ordinary Saturday, twelve past two in Stockholm; milliseconds since 1970. */
export const saturday = Date.parse('2026-11-21T13:12:00Z');
export const iso = (minutesAgo: number): string =>
  new Date(saturday - minutesAgo * 60_000).toISOString();

/**
 * How all of the service answers: as it should, never, with a fault, with a
 * refusal, not at all, or with empty lists.
 */
export type Mood = 'well' | 'slow' | 'broken' | 'refusing' | 'cut' | 'empty';
const moods: readonly string[] = ['slow', 'broken', 'refusing', 'cut', 'empty'];

export interface World {
  mood: Mood;
  me: Me & { person: string };
  homes: Map<string, HomeDetail>;
  alerts: Map<string, Alert>;
  staff: ReturnType<typeof team>;
  care: ReturnType<typeof care>;
  admin: ReturnType<typeof admin>;
  family: ReturnType<typeof family>;
}

/** A name that has no room in one line. */
export const longName =
  'Anna-Margareta Wilhelmina von Schönborn-Östergren och Karl-Gustav Bartholomeus Fredriksson';

/** The household, with homes that answer in each mood. */
export function makeWorld(role: string, count = 5): World {
  const { homes, alerts } = household(count, saturday, false) as unknown as {
    homes: Map<string, HomeDetail>;
    alerts: Map<string, Alert>;
  };
  for (const id of moods) {
    homes.set(id, { ...homes.get('marta')!, id, name: 'Karin Nilsson', area: 'Norr' });
  }
  homes.set('long', { ...homes.get('marta')!, id: 'long', name: longName });
  const families = family(saturday);
  families.homes.set('sven', bertil(saturday));
  const t = new Date(saturday).toISOString();
  const marta = families.homes.get('marta')!;
  Object.assign(marta, {
    allowed: [...(marta as { allowed: string[] }).allowed, 'climate', 'contacts'],
    climate: [{ t, device: 'th', room: 'kitchen', kind: 'temperature', v: 20.5, unit: 'Cel' }],
    card: { address: 'Storgatan 4', phone: '0660-123 45', contacts: ['Maria Lindqvist'] },
  });
  const people: Record<string, [string, string]> = {
    relative: ['Maria Lindqvist', 'maria'],
    operator: ['Oskar Drift', 'oskar'],
  };
  const [name, person] = people[role] ?? ['Anna Berg', 'anna'];
  return {
    mood: 'well',
    me: {
      name,
      person,
      role,
      language: 'sv',
      areas: [],
      features: [],
      passkeys: 1,
      may: mays[role] ?? [],
    },
    homes,
    alerts,
    staff: team(saturday),
    care: care(saturday),
    admin: admin(saturday),
    family: families,
  };
}

const mays: Record<string, string[]> = {
  caregiver: ['plan_visits', 'write_card', 'read_rota'],
  operator: ['read_rota', 'manage_people', 'manage_home', 'send_commands', 'add_homes'],
  coordinator: [
    ...['plan_visits', 'write_card', 'read_rota', 'manage_people', 'manage_home', 'send_commands'],
    ...['add_homes', 'read_load', 'read_statistics'],
  ],
};

const refusal = (status: number, id: string, title: string, detail = title) =>
  new Response(JSON.stringify({ type: 'about:blank', title, status, detail, id }), {
    status,
    headers: { 'Content-Type': 'application/problem+json' },
  });

// One home, alert, person, or all of the service.
function moodOf(world: World, path: string): Mood {
  const named = /^\/(?:family\/)?(?:homes|alerts|people)\/([a-z]+)(?:\/|$)/.exec(path)?.[1];
  if (named && named !== 'empty' && moods.includes(named)) return named as Mood;
  return path === '/me' ? 'well' : world.mood;
}

const emptied = (body: unknown): unknown =>
  Object.fromEntries(
    Object.entries(body as object).map(([k, v]) => [k, Array.isArray(v) ? [] : (v as unknown)]),
  );

/** What the service answers to a request under /api/v1. */
export function answer(world: World, url: URL, init: RequestInit): Promise<Response> {
  const path = url.pathname.slice('/api/v1'.length);
  if (path === '/events') return Promise.resolve(stream());
  switch (moodOf(world, path)) {
    case 'slow':
      return new Promise(() => {});
    case 'cut':
      return Promise.reject(new TypeError('no network'));
    case 'broken':
      return Promise.resolve(refusal(500, 'LYK-0001', 'The service could not do it'));
    case 'refusing':
      return Promise.resolve(refusal(403, 'LYK-0505', 'Your role does not allow this'));
  }
  const query = url.searchParams;
  const method = init.method ?? 'GET';
  return new Promise((resolve) => {
    const json = (body: unknown) => {
      resolve(Response.json(world.mood === 'empty' ? emptied(body) : body));
      return true;
    };
    let status = 200;
    const res = {
      writeHead: (s: number) => ((status = s), res),
      end: (body?: string) => (resolve(new Response(body ?? null, { status })), true),
    };
    const says = {
      json,
      problem: (s: number, id: string, title: string, detail?: string) => (
        resolve(refusal(s, id, title, detail)),
        true
      ),
      done: () => (resolve(new Response(null, { status: 204 })), true),
      res,
    };
    const asked = {
      ...{ path, method, query, says, at: saturday, me: world.me, authorised: true },
      headers: Object.fromEntries(
        [...new Headers(init.headers)].map(([k, v]) => [k.toLowerCase(), v]),
      ),
      body: async () => JSON.parse(String(init.body ?? '{}')) as unknown,
      ...{ homes: world.homes, alerts: world.alerts, staff: world.staff },
    };
    void (async () => {
      const own = plain(world, path, query);
      if (own !== undefined) return json(own);
      const { family, care, admin, staff } = world;
      const parts = [
        () => familyApi(family, asked as never),
        () => careApi(care, asked as never),
        () => adminApi(admin, asked as never),
        () => teamApi(staff as never, asked as never),
      ];
      for (const part of parts) if ((await part()) !== undefined) return true;
      return says.problem(404, 'LYK-0502', 'Not found');
    })().catch((error: unknown) => says.problem(500, 'LYK-0001', String(error)));
  });
}

// What the mock's own server answers, beside its parts.
function plain(world: World, path: string, query: URLSearchParams): unknown {
  if (path === '/me') return world.me;
  if (path === '/homes') return { homes: [...world.homes.values()] };
  if (path === '/calls') return { calls: query.get('home') === 'marta' ? earlier() : [] };
  if (/^\/calls\/\w+\/guests$/.test(path))
    return { link: 'https://lykta.example/guest#lyk_g_7f3a91c4', expires: iso(-90) };
  if (path === '/alerts') {
    const [want, home] = [query.get('state'), query.get('home')];
    const over = want === 'resolved';
    return {
      alerts: [...world.alerts.values()].filter(
        (a) => (!home || a.home === home) && (a.state === 'resolved') === over,
      ),
    };
  }
  const [, id, readings] = /^\/homes\/([^/]+)(\/readings)?$/.exec(path) ?? [];
  const home = id && world.homes.get(id);
  if (!home) return undefined;
  if (!readings) return home;
  const [from, to] = [Date.parse(query.get('from')!), Date.parse(query.get('to')!)];
  const every = query.get('every');
  const nothing = id === 'empty';
  if (!every) {
    return { readings: nothing ? [] : dayOfReadings(home, from, Math.min(to, saturday)), next: '' };
  }
  const kind = query.get('kind');
  if (kind === 'motion' || kind === 'pressure') return nothing ? { windows: [] } : undefined;
  return { windows: nothing ? [] : rolling(home, kind, from, Math.min(to, saturday), every) };
}

/** A call by video. */
export const videoCall = (fields: Partial<Call> = {}): Call => ({
  ...{ id: 'c1', home: 'marta', home_name: 'Märta Lindqvist', visit: '', alert: '' },
  ...{ state: 'ringing', by: { id: 'person:anna', name: 'Anna Berg', role: 'staff' } },
  ...{ started: iso(8), rung: null, answered: null, how: '', ended: null, why: '' },
  ...{ outcome: '', note: '', saved_minutes: 0, people: [], here: [] },
  ...fields,
});

const earlier = (): Call[] => [
  videoCall({ id: 'c3', state: 'ended', why: 'later', started: iso(200), ended: iso(199) }),
  videoCall({
    ...{ id: 'c2', state: 'ended', why: 'done', how: 'touch', started: iso(1500) },
    ...{ answered: iso(1499), ended: iso(1487), outcome: 'well', saved_minutes: 25 },
    note: 'Pigg och glad. Har ätit.',
  }),
];

/** A live link that says that it is there. */
function stream(): Response {
  const say = new TextEncoder();
  const hello = `event: hello\ndata: ${JSON.stringify({ now: iso(0) })}\n\n`;
  const body = new ReadableStream({
    start: (to) => {
      to.enqueue(say.encode(hello));
      setInterval(() => to.enqueue(say.encode(': beat\n\n')), 10_000);
    },
  });
  return new Response(body, { headers: { 'Content-Type': 'text/event-stream' } });
}

let current: World;
let asking = 0;

/** The world that is asked from now on. */
export const live = (world: World): void => void (current = world);

/** Whether an answer is on its way. */
export const isAsking = (): boolean => asking > 0;

/** Has the page ask the world instead of a service. */
export function answerHere(): void {
  const real = window.fetch.bind(window);
  window.fetch = (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : String(input), location.href);
    if (!url.pathname.startsWith('/api/')) return real(input, init);
    const answered = answer(current, url, init);
    if (moodOf(current, url.pathname.slice('/api/v1'.length)) === 'slow') return answered;
    asking++;
    return answered.finally(() => asking--);
  };
  // Pictures are not asked for by fetch.
  const src = Object.getOwnPropertyDescriptor(HTMLImageElement.prototype, 'src')!;
  Object.defineProperty(HTMLImageElement.prototype, 'src', {
    ...src,
    set(this: HTMLImageElement, value: string) {
      const there = /\/(messages|pictures)\//.test(value) && !value.includes('lost');
      src.set!.call(this, there ? pictureUrl : value);
    },
  });
}

/** An alert with what is said of it. */
export const alert = (id: string, fields: Partial<Alert> = {}): Alert => ({
  id,
  home: 'marta',
  home_name: 'Märta Lindqvist',
  kind: 'sos',
  severity: 'emergency',
  state: 'open',
  stage: 'open',
  device: 'knapp-1',
  room: 'bedroom',
  observed: iso(4),
  raised: iso(4),
  ...fields,
});

/** What is said of an alert that somebody has. */
export const heldBy = (name: string, fields: Partial<Alert> = {}): Partial<Alert> => ({
  ...{ state: 'acknowledged', stage: 'acknowledged', observed: iso(12), raised: iso(12) },
  ...{ acknowledged_by: name, acknowledged_at: iso(10), held_by: name, held_at: iso(10) },
  ...fields,
});

export type { Alert, Home, HomeDetail };
