import { batch, computed, signal } from '@preact/signals';
import * as api from '../api/client';
import { Stream } from '../api/live';
import type { Alert, Home, HomeDetail, Me, Reading } from '../api/types';
import { wholes } from '../api/whole';
import { suggestLanguage, t } from '../shared/i18n';
import { now, serverNow, setServerTime } from '../shared/time';
import { alertName, inRoom, outcomeName } from '../shared/words';
import { careQueue, Refusals } from './carequeue';
import { alertQueue, minutesLeft, type Action } from './queue';
import * as sound from './sound';

/** Where the person stands with the server. */
export type Session =
  | { state: 'starting' }
  | { state: 'signed-out'; expired: boolean }
  | { state: 'signed-in'; me: Me }
  | { state: 'failed'; id: string; network: boolean };

export const session = signal<Session>({ state: 'starting' });
export const me = computed(() => (session.value.state === 'signed-in' ? session.value.me : null));

/** All homes by id, and the alerts that are not resolved by id. */
export const homes = signal<ReadonlyMap<string, Home>>(new Map());
export const alerts = signal<ReadonlyMap<string, Alert>>(new Map());
/** Whether the first answer is here. */
export const loaded = signal(false);

/** The home on screen, with its devices; null while it is fetched. */
export const detail = signal<HomeDetail | null>(null);
/** Why the home on screen could not be fetched. */
export const detailProblem = signal<{ status: number; id: string } | null>(null);
/** Readings of the home on screen as they come in; replaced, never grown without bound. */
export const fresh = signal<readonly Reading[]>([]);

/** Whether the live link is up, and when something was last heard on it. */
export const link = signal<{ up: boolean; heard: number }>({ up: true, heard: 0 });

/** What was just done, for the person to see and hear read out. */
export const notice = signal<{ text: string; bad: boolean } | null>(null);
/** The latest emergency, for screen readers; a new text is read out at once. */
export const announcement = signal('');

const severities = ['emergency', 'attention', 'technical'];
const rank = (severity: string) => {
  const i = severities.indexOf(severity);
  return i < 0 ? severities.length : i;
};

/** Who has the alert now; "" for nobody. */
export const holderOf = (a: Alert): string =>
  a.state === 'open' ? '' : (a.held_by ?? a.acknowledged_by ?? '');

/** Whether somebody has to act: nobody has it, or who has it has not closed it in time. */
export const needsSomebody = (a: Alert): boolean =>
  !a.test && (a.state === 'open' || (a.state !== 'resolved' && a.overdue === true));

/** Most urgent first, tests last; among equals those nobody has, then the oldest. */
export function byUrgency(a: Alert, b: Alert): number {
  return (
    Number(a.test ?? false) - Number(b.test ?? false) ||
    rank(a.severity) - rank(b.severity) ||
    Number(!needsSomebody(a)) - Number(!needsSomebody(b)) ||
    Date.parse(a.observed) - Date.parse(b.observed) ||
    a.id.localeCompare(b.id)
  );
}

export const activeAlerts = computed(() => [...alerts.value.values()].sort(byUrgency));

/** How many alerts there are; tests are not counted among them. */
export const alertCount = computed(() => activeAlerts.value.filter((a) => !a.test).length);

/** Emergencies that need somebody, the acts that still wait to be sent included. */
export const unmet = computed(() =>
  activeAlerts.value.filter((a) => a.severity === 'emergency' && needsSomebody(a)),
);

/** Which of its kind an emergency is among those of its home; of one alone nothing is said. */
export const turns = computed(() => {
  const alike = new Map<string, Alert[]>();
  for (const a of activeAlerts.value) {
    if (a.severity !== 'emergency' || a.test) continue;
    const key = `${a.home}\u0000${a.kind}`;
    const group = alike.get(key);
    if (group) group.push(a);
    else alike.set(key, [a]);
  }
  const out = new Map<string, { n: number; of: number }>();
  for (const group of alike.values()) {
    if (group.length < 2) continue;
    group.sort((a, b) => Date.parse(a.observed) - Date.parse(b.observed));
    group.forEach((a, i) => out.set(a.id, { n: i + 1, of: group.length }));
  }
  return out;
});

const progress: Record<string, number> = { open: 0, acknowledged: 1, resolved: 2 };

const heldSince = (a: Alert) => Date.parse(a.held_at ?? '') || 0;

/** The later of two versions of an alert: it never goes backwards. */
export function later(known: Alert | undefined, came: Alert): Alert {
  if (!known) return came;
  const step = (progress[came.state] ?? 0) - (progress[known.state] ?? 0);
  if (step !== 0) return step > 0 ? came : known;
  return heldSince(came) >= heldSince(known) ? came : known;
}

const followers = new Set<(alert: Alert) => void>();

/** Calls back with every change of an alert, resolved ones included; returns its stop. */
export function follow(changed: (alert: Alert) => void): () => void {
  followers.add(changed);
  return () => void followers.delete(changed);
}

/** Somebody has written or changed something of a home. */
export interface Change {
  kind: 'visit' | 'note' | 'message' | 'call';
  home: string;
  /** Of the visit, note, message or call that was changed last. */
  id: string;
}

const heeding = new Set<(change?: Change) => void>();
const changed = (change?: Change) => heeding.forEach((heed) => heed(change));

/** Calls back with what others change, with nothing when that may be anything; returns its stop. */
export function onChange(heed: (change?: Change) => void): () => void {
  heeding.add(heed);
  return () => void heeding.delete(heed);
}

const nameOf = (alert: string) => alerts.value.get(alert)?.home_name ?? '';

function send(action: Action): Promise<Alert> {
  switch (action.kind) {
    case 'acknowledge':
      return api.acknowledge(action.alert, action.key);
    case 'take_over':
      return api.takeOver(action.alert, action.key);
    case 'on_the_way':
      return api.onTheWay(action.alert, action.key, minutesLeft(action, Date.now()));
    case 'resolve':
      return api.resolve(action.alert, action.key, action.outcome ?? 'other', action.note ?? '');
  }
}

export const queue = alertQueue(localStorage, send, {
  sent(action, alert) {
    step(() => put(alert));
    const name = alert.home_name;
    if (action.kind === 'resolve') {
      say(t('done.closed', { name, outcome: outcomeName(alert.outcome ?? '') }));
    } else if (holderOf(alert) !== me.value?.name) {
      say(t('done.taken_by', { name, by: holderOf(alert) || t('done.someone') }));
    } else {
      say(t(action.kind === 'on_the_way' ? 'done.on_the_way' : 'done.taken', { name }));
    }
  },
  refused(action, problem) {
    if (problem.status === 409) void sayWhoClosed(action);
    else say(t('done.refused', { detail: described(problem) }), true);
    void refresh();
  },
  signedOut: () => expired(),
  stale: (action) => say(t('done.stale', { name: nameOf(action.alert) }), true),
});

/** What the server said no to of what was written, kept until its author has seen to it. */
export const refusals = new Refusals(localStorage);

/** Counts what was written and has arrived: what is shown of it is asked for anew. */
export const arrivals = signal(0);

/** What is written and done about residents and has not arrived. */
export const written = careQueue(localStorage, {
  sent(deed) {
    arrivals.value++;
    say(t('done.care', { what: deed.what }));
  },
  refused(deed, problem) {
    refusals.add(deed, problem);
    arrivals.value++;
    say(t('done.care_refused', { what: deed.what, detail: described(problem) }), true);
  },
  signedOut: () => expired(),
  stale(deed) {
    refusals.add(deed);
    say(t('done.care_refused', { what: deed.what, detail: '' }), true);
  },
});

/** How much this person did that the server does not know yet. */
export const unsent = computed(() => {
  const own = (d: { who: string }) => d.who === me.value?.name;
  return queue.waiting.value.filter(own).length + written.waiting.value.filter(own).length;
});

const described = (p: api.Problem) => [p.detail, p.id && `(${p.id})`].filter(Boolean).join(' ');

async function sayWhoClosed(action: Action): Promise<void> {
  const known = alerts.value.get(action.alert);
  const name = known?.home_name ?? '';
  let by = '';
  try {
    const closed = await api.alerts({ state: 'resolved', ...(known ? { home: known.home } : {}) });
    by = closed.find((a) => a.id === action.alert)?.resolved_by ?? '';
  } catch {
    // Then it is said without the name.
  }
  say(by ? t('done.already', { name, by }) : t('done.already_unknown', { name }), true);
}

/** Says what was done. */
export function say(text: string, bad = false): void {
  notice.value = { text, bad };
}

// Which alerts were read out, and which anew as not closed in time; they are
// not again when the link comes back.
const announced = new Set<string>();

function announce(alert: Alert): void {
  if (alert.severity !== 'emergency' || !needsSomebody(alert)) return;
  const key = `${alert.id}${alert.state === 'open' ? '' : ` ${alert.held_at}`}`;
  if (announced.has(key)) return;
  announced.add(key);
  const place = inRoom(alert.room);
  announcement.value = t('alert.announce', {
    kind: alertName(alert),
    name: alert.home_name,
    place: place && `, ${place}`,
  });
  sound.alarm();
}

function put(came: Alert): void {
  const known = alerts.value.get(came.id);
  const alert = later(known, came);
  const next = new Map(alerts.value);
  if (alert.state === 'resolved') next.delete(alert.id);
  else next.set(alert.id, alert);
  alerts.value = next;
  for (const changed of followers) changed(alert);
}

function alertEvent(came: Alert): void {
  const known = alerts.value.get(came.id);
  announce(came);
  put(came);
  // Tell what somebody else did; one's own acts are told when they are sent.
  const own = queue.waiting.value.some((a) => a.alert === came.id);
  if (!known || own) return;
  const name = came.home_name;
  if (came.state === 'resolved' && came.resolved_by !== me.value?.name) {
    say(
      came.resolved_by
        ? t('done.closed_by', { by: came.resolved_by, name })
        : t('done.ended', { name }),
    );
  } else if (
    came.state === 'acknowledged' &&
    holderOf(came) !== holderOf(known) &&
    holderOf(came) !== me.value?.name
  ) {
    say(t('done.taken_by', { by: holderOf(came) || t('done.someone'), name }));
  }
}

// A municipality's homes together may speak a thousand times a second; the
// screen is drawn a few times a second at most.
const pendingHomes = new Map<string, Home>();
let pendingReadings: Reading[] = [];
let drawing: ReturnType<typeof setTimeout> | undefined;

function drawSoon(): void {
  drawing ??= setTimeout(() => {
    drawing = undefined;
    batch(() => {
      if (pendingHomes.size > 0) {
        const next = new Map(homes.value);
        for (const [id, home] of pendingHomes) next.set(id, home);
        const shown = detail.value && pendingHomes.get(detail.value.id);
        if (detail.value && shown) {
          const { fault: _, ...known } = detail.value; // absent is none
          detail.value = { ...known, ...shown };
        }
        pendingHomes.clear();
        homes.value = next;
      }
      if (pendingReadings.length > 0) {
        const readings = pendingReadings;
        pendingReadings = [];
        if (detail.value) detail.value = withLast(detail.value, readings);
        fresh.value = readings;
      }
    });
  }, 250);
}

/** The home with its latest readings brought up to date. */
export function withLast(home: HomeDetail, readings: readonly Reading[]): HomeDetail {
  const last = new Map(home.last.map((r) => [`${r.device}\u0000${r.kind}`, r]));
  for (const r of readings) {
    const key = `${r.device}\u0000${r.kind}`;
    const known = last.get(key);
    if (!known || Date.parse(known.t) <= Date.parse(r.t)) last.set(key, r);
  }
  return { ...home, last: [...last.values()] };
}

let shownHome = '';

function onEvent(name: string, data: unknown): void {
  if (typeof data !== 'object' || data === null) return;
  // What comes while a snapshot is under way is newer than it, and put on top of it.
  if (name === 'hello' || name === 'reset') apply(name, data);
  else step(() => apply(name, data));
}

function apply(name: string, data: object): void {
  switch (name) {
    case 'hello': {
      const { now } = data as { now?: string };
      if (now) setServerTime(Date.parse(now));
      void refresh();
      break;
    }
    case 'reset':
      void refresh();
      changed(undefined);
      break;
    case 'change':
      changed(data as Change);
      break;
    case 'call':
      changed({ ...(data as Change), kind: 'call' }); // the whole of it, as the API has it
      break;
    case 'alert':
      alertEvent(data as Alert);
      break;
    case 'home': {
      const home = data as Home;
      pendingHomes.set(home.id, { ...home, check_ins: home.check_ins ?? [] });
      drawSoon();
      break;
    }
    case 'reading': {
      const { home, readings } = data as { home: string; readings: Reading[] | null };
      if (home !== shownHome) break;
      pendingReadings.push(...(readings ?? []));
      drawSoon();
      break;
    }
  }
}

const { refresh, step } = wholes(async () => {
  const [allHomes, active] = await Promise.all([api.homes(), api.alerts({ state: 'active' })]);
  return (since) => {
    batch(() => {
      homes.value = new Map(allHomes.map((h) => [h.id, h]));
      alerts.value = new Map(active.map((a) => [a.id, later(alerts.value.get(a.id), a)]));
      loaded.value = true;
      now.value = serverNow();
      if (link.value.heard === 0) link.value = { ...link.value, heard: serverNow() };
      since();
    });
    for (const alert of [...active].sort(byUrgency).reverse()) announce(alert);
    if (shownHome) void fetchDetail(shownHome);
  };
}, failed);
/** Fetches everything anew; one at a time. */
export { refresh };

async function fetchDetail(id: string): Promise<void> {
  try {
    const home = await api.home(id);
    if (id !== shownHome) return;
    detail.value = home;
    detailProblem.value = null;
  } catch (error) {
    if (id !== shownHome || detail.value) return; // an old picture is better than none
    if (error instanceof api.Problem) {
      if (error.status === 401) expired();
      detailProblem.value = { status: error.status, id: error.id };
    } else {
      detailProblem.value = { status: 0, id: '' };
    }
  }
}

function failed(error: unknown): void {
  if (error instanceof api.Problem && error.status === 401) {
    expired();
    return;
  }
  if (loaded.value) return; // the link's state says that what is shown is old
  const id = error instanceof api.Problem ? error.id : '';
  stream.close(); // the next start opens it, and its first word fetches everything
  session.value = { state: 'failed', id, network: !(error instanceof api.Problem) };
}

function expired(): void {
  stop();
  session.value = { state: 'signed-out', expired: true };
}

let downTimer: ReturnType<typeof setTimeout> | undefined;

const stream = new Stream({
  event: onEvent,
  heard() {
    clearTimeout(downTimer);
    downTimer = undefined;
    const wasDown = !link.value.up;
    link.value = { up: true, heard: serverNow() };
    if (wasDown) flush();
  },
  down() {
    // A change of link lasting a blink is not worth a word.
    downTimer ??= setTimeout(() => {
      link.value = { ...link.value, up: false };
      if (!loaded.value) void refresh();
    }, 1_500);
  },
  refused: expired,
});

/** Says which home is on screen, "" for none; its readings then come live. */
export function show(home: string): void {
  if (home === shownHome) return;
  shownHome = home;
  detail.value = null;
  detailProblem.value = null;
  pendingReadings = [];
  fresh.value = [];
  if (home && me.value) void fetchDetail(home);
  if (me.value) stream.open(home);
}

/** Begins: who is it, then the live link, and with its first word the whole picture. */
export async function start(): Promise<void> {
  try {
    const person = await api.me();
    // Relatives have an app of their own, which also has a page of the alarm that they were told of.
    if (person.role === 'relative') {
      return location.replace(
        /^\/alert\//.test(location.pathname) ? `/family${location.pathname}` : '/family/',
      );
    }
    suggestLanguage(person.language);
    session.value = { state: 'signed-in', me: person };
    stream.open(shownHome);
    if (shownHome) void fetchDetail(shownHome);
    queue.signedIn(person.name);
    written.signedIn(person.name);
  } catch (error) {
    if (error instanceof api.Problem && error.status === 401) {
      session.value = { state: 'signed-out', expired: false };
    } else {
      failed(error);
    }
  }
}

/** Signs out: the server forgets the session, and this page what it showed. */
export async function signOut(): Promise<void> {
  await api.signOut();
  stop();
  session.value = { state: 'signed-out', expired: false };
}

function stop(): void {
  stream.close();
  clearTimeout(downTimer);
  downTimer = undefined;
  queue.signedIn('');
  written.signedIn('');
  announced.clear();
  batch(() => {
    homes.value = new Map();
    alerts.value = new Map();
    detail.value = null;
    loaded.value = false;
    notice.value = null;
    announcement.value = '';
    link.value = { up: true, heard: 0 };
  });
}

function flush(): void {
  void queue.flush();
  void written.flush();
}

/** Tries everything again now: the network or the screen is back. */
export function wake(): void {
  if (session.value.state === 'failed') {
    void start();
    return;
  }
  stream.nudge();
  flush();
}
