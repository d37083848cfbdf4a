import { batch, computed, signal } from '@preact/signals';
import { Problem, signOut as endThis } from '../api/http';
import type { Listener, Stream } from '../api/live';
import type { Alert } from '../api/types';
import type { Call } from '../call/wire';
import { suggestLanguage, t, type Key } from '../shared/i18n';
import { now, serverNow, setServerTime } from '../shared/time';
import * as api from './api';
import { familyQueue, type FamilyDeed } from './deeds';

/** Where the person stands with the service. */
export type Session =
  | { state: 'starting' }
  | { state: 'signed-out'; expired: boolean }
  | { state: 'signed-in'; me: api.Me }
  | { state: 'other-role' }
  | { state: 'failed'; id: string; network: boolean };

export const session = signal<Session>({ state: 'starting' });
export const me = computed(() => (session.value.state === 'signed-in' ? session.value.me : null));

/** The homes of the relative, in the order of the service; null until the first answer. */
export const homes = signal<readonly api.FamilyHome[] | null>(null);
export const homeOf = (id: string) => homes.value?.find((h) => h.home === id);

/** The messages of a home that were asked for. */
export const messages = signal<ReadonlyMap<string, readonly api.Message[]>>(new Map());

/** The newest call of each home that the live link has told of. */
export const calls = signal<Readonly<Record<string, Call>>>({});

/** Whether the live link is up, and when something was last heard on it. */
export const link = signal<{ up: boolean; heard: number }>({ up: true, heard: 0 });

/** The service says something every 15 s: what it said before this is old, in milliseconds. */
const oldAfter = 45_000;

/** Since when what is shown may have changed, in milliseconds since 1970; 0 while it is kept up to date. */
export const oldSince = computed(() => {
  const { up, heard } = link.value;
  return heard && (!up || now.value - heard > oldAfter) ? heard : 0;
});

/** What was just done, for the person to see and hear read out. */
export const notice = signal<{ text: string; bad: boolean } | null>(null);

export function say(text: string, bad = false): void {
  notice.value = { text, bad };
}

/** Grows with each change of an alert, for what shows its chain. */
export const alertsChanged = signal(0);

/** What went wrong, as far as a person can use it. */
export function inWords(error: unknown): string {
  if (!(error instanceof Problem)) return t('error.network');
  const byStatus: Record<number, Key> = {
    403: 'family.error.not_allowed',
    404: 'family.error.gone',
    409: 'family.error.late',
    410: 'family.error.gone',
  };
  const text = t(byStatus[error.status] ?? 'error.title');
  return error.id ? `${text} (${t('error.id', { id: error.id })})` : text;
}

const name = (home: string) => homeOf(home)?.name ?? '';

const done: Record<FamilyDeed['kind'], Key> = {
  acknowledge: 'family.done.acknowledge',
  on_the_way: 'family.done.on_the_way',
  message: 'family.done.message',
  visit: 'family.done.visit',
};

export const queue = familyQueue(localStorage, {
  sent(deed) {
    say(t(done[deed.kind], { name: name(deed.home) }));
    void refresh();
    if (deed.kind === 'message') void askMessages(deed.home);
  },
  refused(deed, problem) {
    const late = problem.status === 409 && deed.alert;
    say(late ? t('family.done.late') : t('family.done.refused', { why: inWords(problem) }), true);
    void refresh();
  },
  signedOut: () => expired(),
  stale: (deed) => say(t('family.done.stale', { name: name(deed.home) }), true),
});

/** The deeds for a home that the service does not have yet. */
export const waitingFor = (home: string) =>
  queue.waiting.value.filter((d) => d.home === home && d.who === me.value?.person);

/** Fetches the messages of a home; what is shown stays when that fails. */
export async function askMessages(home: string): Promise<void> {
  try {
    const came = await api.messages(home);
    messages.value = new Map(messages.value).set(home, came);
  } catch (error) {
    if (error instanceof Problem && error.status === 401) expired();
    // Not allowed any more: what was shown goes.
    else if (error instanceof Problem && error.status < 500) {
      messages.value = new Map(messages.value).set(home, []);
    }
  }
}

const progress: Record<string, number> = { open: 0, acknowledged: 1, resolved: 2 };

/** The later of two versions of an alert: it never goes backwards. */
function later(known: Alert | undefined, came: Alert): Alert {
  if (!known) return came;
  const step = (progress[came.state] ?? 0) - (progress[known.state] ?? 0);
  if (step !== 0) return step > 0 ? came : known;
  return Date.parse(came.held_at ?? '') < Date.parse(known.held_at ?? '') ? known : came;
}

function putHome(came: api.FamilyHome): void {
  const list = homes.value ?? [];
  const there = list.some((h) => h.home === came.home);
  homes.value = there ? list.map((h) => (h.home === came.home ? came : h)) : [...list, came];
}

function putAlert(came: Alert): void {
  const home = homeOf(came.home);
  if (!home || !home.allowed.includes('alerts')) return;
  const known = home.alerts.find((a) => a.id === came.id);
  const alert = later(known, came);
  const alerts = known
    ? home.alerts.map((a) => (a.id === alert.id ? alert : a))
    : [alert, ...home.alerts];
  putHome({ ...home, alerts, calm: !alerts.some((a) => a.state !== 'resolved' && !a.test) });
  alertsChanged.value++;
}

function onEvent(kind: string, data: unknown): void {
  if (typeof data !== 'object' || data === null) return;
  switch (kind) {
    case 'hello': {
      const { now: at } = data as { now?: string };
      if (at) setServerTime(Date.parse(at));
      void refresh();
      break;
    }
    case 'reset':
      void refresh();
      break;
    case 'alert':
      step(() => putAlert(data as Alert));
      break;
    case 'call':
      calls.value = { ...calls.value, [(data as Call).home]: data as Call };
      break;
    case 'family': {
      const came = data as { home?: api.FamilyHome } & api.FamilyHome;
      const home = typeof came.home === 'object' ? (came.home as api.FamilyHome) : came;
      step(() => putHome(api.tidied(home)));
      if (messages.value.has(home.home)) void askMessages(home.home);
      break;
    }
  }
}

// What came while everything was fetched, whose answer may be older than it.
let during: (() => void)[] | undefined;
let again = false;

function step(does: () => void): void {
  during?.push(does);
  does();
}

/** Fetches everything anew; one at a time. */
export async function refresh(): Promise<void> {
  if (during) {
    again = true;
    return;
  }
  during = [];
  try {
    const came = await api.homes();
    const since = during;
    batch(() => {
      homes.value = came;
      for (const does of since) does();
      now.value = serverNow();
      alertsChanged.value++;
      if (link.value.heard === 0) link.value = { ...link.value, heard: serverNow() };
    });
    for (const home of messages.value.keys()) void askMessages(home);
  } catch (error) {
    failed(error);
  } finally {
    during = undefined;
    if (again) {
      again = false;
      void refresh();
    }
  }
}

function failed(error: unknown): void {
  if (error instanceof Problem && error.status === 401) {
    expired();
    return;
  }
  if (homes.value) return; // the link's state says that what is shown is old
  const problem = error instanceof Problem ? error : undefined;
  hush();
  session.value = { state: 'failed', id: problem?.id ?? '', network: !problem };
}

function expired(): void {
  stop();
  session.value = { state: 'signed-out', expired: true };
}

function hush(): void {
  listening = false;
  stream?.close();
}

function stop(): void {
  hush();
  queue.signedIn('');
  homes.value = null;
  messages.value = new Map();
  link.value = { up: true, heard: 0 };
}

let downTimer: ReturnType<typeof setTimeout> | undefined;

const listener: Listener = {
  event: onEvent,
  heard() {
    clearTimeout(downTimer);
    downTimer = undefined;
    const wasDown = !link.value.up;
    link.value = { up: true, heard: serverNow() };
    if (wasDown) void queue.flush();
  },
  down() {
    // A change of link lasting a blink is not worth a word.
    downTimer ??= setTimeout(() => {
      link.value = { ...link.value, up: false };
      if (!homes.value) void refresh();
    }, 1_500);
  },
  refused: expired,
};

// The first picture does not wait for what keeps it fresh.
let stream: Stream | undefined;
let listening = false;

async function listen(): Promise<void> {
  listening = true;
  try {
    const { Stream } = await import('../api/live');
    stream ??= new Stream(listener);
    if (listening) stream.open('');
  } catch {
    listener.down(); // its file did not come: see wake
  }
}

/** Begins: who is it, then the live link, and with its first word the whole picture. */
export async function start(): Promise<void> {
  try {
    const person = await api.me();
    suggestLanguage(person.language);
    if (person.role !== 'relative') {
      session.value = { state: 'other-role' };
      return;
    }
    session.value = { state: 'signed-in', me: person };
    void refresh();
    void listen();
    queue.signedIn(person.person);
  } catch (error) {
    if (error instanceof Problem && error.status === 401) {
      session.value = { state: 'signed-out', expired: false };
    } else failed(error);
  }
}

/** Signs out: the service forgets the session, and this page what it showed. */
export async function signOut(): Promise<void> {
  await endThis();
  stop();
  session.value = { state: 'signed-out', expired: false };
}

/** The screen or the network is back. */
export function wake(): void {
  now.value = serverNow();
  if (session.value.state === 'failed') void start();
  else if (me.value) {
    if (stream) stream.nudge();
    else void listen();
    void queue.flush();
  }
}
