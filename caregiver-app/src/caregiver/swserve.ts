// What the service worker does, apart from the browser, so that it can be
// tested. The types are those parts of the browser's that it uses; the page's
// own library of types has no service worker in it.

/** What the service pushes: no name, and nothing of anybody's health. */
export interface Message {
  /** The same for the same message, however often it comes. */
  key: string;
  title: string;
  text: string;
  /** Where it leads, in this app. */
  url: string;
  emergency: boolean;
}

/** The files of one version of the apps, by the address beneath which each app lives. */
export interface Shell {
  version: string;
  apps: Record<string, AppFiles | undefined>;
}

export interface AppFiles {
  /** What the app's first screen takes. */
  first: string[];
  /** What it fetches when it is asked for. */
  later: string[];
}

interface Later {
  waitUntil(done: Promise<unknown>): void;
}

interface FetchEvent extends Later {
  request: Request;
  respondWith(answer: Promise<Response>): void;
}

interface PushEvent extends Later {
  data: { json(): unknown } | null;
}

interface ClickEvent extends Later {
  notification: { close(): void; data: unknown };
}

interface Client {
  url: string;
  visibilityState: string;
  focus(): Promise<unknown>;
  postMessage(message: unknown): void;
}

/** The service worker's global scope, as far as it is used here. */
export interface Scope {
  location: { origin: string };
  navigator: { language: string };
  registration: {
    /** The address beneath which this app lives: https://host/ or https://host/family/. */
    scope: string;
    update(): Promise<unknown>;
    showNotification(title: string, options: NotificationOptions): Promise<void>;
  };
  clients: {
    matchAll(options: { type: 'window'; includeUncontrolled: boolean }): Promise<readonly Client[]>;
    openWindow(url: string): Promise<unknown>;
    claim(): Promise<void>;
  };
  caches: Pick<CacheStorage, 'open' | 'keys' | 'delete' | 'match'>;
  fetch(address: string | Request, options?: RequestInit): Promise<Response>;
  skipWaiting(): Promise<void>;
  addEventListener(type: 'install' | 'activate', f: (event: Later) => void): void;
  addEventListener(type: 'fetch', f: (event: FetchEvent) => void): void;
  addEventListener(type: 'push', f: (event: PushEvent) => void): void;
  addEventListener(type: 'notificationclick', f: (event: ClickEvent) => void): void;
}

/** Begins to listen. */
export function serve(scope: Scope, shell: Shell): void {
  const root = new URL(scope.registration.scope).pathname;
  const keeper = new Keeper(scope, root, shell);
  // A new version takes over at once, but not before the whole of it is here.
  scope.addEventListener('install', (event) =>
    event.waitUntil(keeper.fill().then(() => scope.skipWaiting())),
  );
  scope.addEventListener('activate', (event) =>
    event.waitUntil(keeper.tidy().then(() => scope.clients.claim())),
  );
  scope.addEventListener('fetch', (event) => keeper.answer(event));
  scope.addEventListener('push', (event) => event.waitUntil(show(scope, read(event, scope))));
  scope.addEventListener('notificationclick', (event) => {
    event.notification.close();
    const path = pathOf(event.notification.data, scope.location.origin);
    event.waitUntil(open(scope, root, beneath(root, path)));
  });
}

// What the service answers itself, at addresses that look like an app's.
const services = /^\/(api|callbacks|docs|openapi|schemas|healthz|readyz|metrics)(\/|\.|$)/;

/** Whether an address is one of the app that lives beneath `root`. */
export function isOf(root: string, path: string): boolean {
  if (root !== '/') return path.startsWith(root);
  return !/^\/family(\/|$)/.test(path) && !services.test(path) && !/\.\w+$/.test(path);
}

/**
 * Keeper keeps one app as it was built. What is kept is of one version: a page
 * and the files that it names. It is shown at once, and a newer version looked
 * for meanwhile, which is fetched whole beside it and shown the next time.
 */
class Keeper {
  private readonly family: string;
  private readonly name: string;
  private readonly files: AppFiles;

  constructor(
    private readonly scope: Scope,
    private readonly root: string,
    shell: Shell,
  ) {
    this.family = `lykta ${root} `;
    this.name = this.family + shell.version;
    this.files = shell.apps[root] ?? { first: [], later: [] };
  }

  /** Fetches this version; rejects, and keeps nothing of it, when any of it is missing. */
  async fill(): Promise<void> {
    if (this.files.first.length === 0) return;
    const cache = await this.scope.caches.open(this.name);
    try {
      const page = await this.fetched(this.root, { cache: 'no-cache' });
      // While the service is being replaced its page may be of another version than this list.
      const named = (await page.clone().text()).match(/\/assets\/[^"'\s]+/g) ?? [];
      if (named.length === 0 || named.some((file) => !this.files.first.includes(file))) {
        throw new Error(`the page at ${this.root} is of another version`);
      }
      await Promise.all([
        cache.put(this.root, page),
        ...this.files.first.map(async (file) => cache.put(file, await this.file(file))),
      ]);
    } catch (error) {
      await this.scope.caches.delete(this.name);
      throw error;
    }
  }

  /** Forgets old versions, but for the one before this: its pages may be open still. */
  async tidy(): Promise<void> {
    const own = (await this.scope.caches.keys()).filter((key) => key.startsWith(this.family));
    const others = own.filter((key) => key !== this.name);
    await Promise.all(others.slice(0, -1).map((key) => this.scope.caches.delete(key)));
  }

  /** Answers for the app's page and files; all else, and first of all the API, goes its own way. */
  answer(event: FetchEvent): void {
    const { request } = event;
    const { origin, pathname } = new URL(request.url);
    if (request.method !== 'GET' || origin !== this.scope.location.origin) return;
    if (request.mode === 'navigate') {
      if (!isOf(this.root, pathname)) return;
      event.respondWith(this.page(request));
      event.waitUntil(this.freshen());
    } else if (pathname.startsWith('/assets/')) {
      event.respondWith(this.file(request));
    }
  }

  private async page(request: Request): Promise<Response> {
    const cache = await this.scope.caches.open(this.name);
    return (await cache.match(this.root)) ?? this.scope.fetch(request);
  }

  // A file's name changes with its content: any version's cache may have it.
  private async file(file: string | Request): Promise<Response> {
    return (await this.scope.caches.match(file)) ?? this.fetched(file);
  }

  private async fetched(file: string | Request, options?: RequestInit): Promise<Response> {
    const response = await this.scope.fetch(file, options);
    if (typeof file === 'string' && !response.ok) throw new Error(`${file}: ${response.status}`);
    return response;
  }

  // Looks for a newer version, and fetches of this one what is not needed at once.
  private async freshen(): Promise<void> {
    await this.scope.registration.update().catch(() => {}); // without a network: another time
    const cache = await this.scope.caches.open(this.name);
    for (const file of this.files.later) {
      if (await cache.match(file)) continue;
      try {
        await cache.put(file, await this.file(file));
      } catch {
        return; // the network is gone, or this version from the service
      }
    }
  }
}

// What cannot be read is told of all the same: browsers take the right to push
// from who shows nothing, and somebody may be waiting for help.
function read({ data }: PushEvent, scope: Scope): Message {
  let came: Partial<Record<keyof Message, unknown>> = {};
  try {
    came = (data?.json() ?? {}) as typeof came;
  } catch {
    // Then only that there is something.
  }
  const text = (s: unknown) => (typeof s === 'string' ? s : '');
  const swedish = !scope.navigator.language.startsWith('en');
  return {
    key: text(came.key) || 'lykta',
    title: text(came.title) || (swedish ? 'Larm' : 'Alert'),
    text: text(came.text) || (swedish ? 'Öppna Lykta.' : 'Open Lykta.'),
    url: text(came.url),
    emergency: came.emergency === true,
  };
}

function show(scope: Scope, message: Message): Promise<void> {
  const options: NotificationOptions & { renotify: boolean; vibrate: number[] } = {
    body: message.text,
    tag: message.key,
    data: message.url,
    icon: '/icon-192.png',
    // One about an emergency stays until somebody has touched it, and sounds anew when it comes again.
    requireInteraction: message.emergency,
    renotify: message.emergency,
    vibrate: message.emergency ? [400, 150, 400, 150, 400, 150, 800] : [200],
  };
  return scope.registration.showNotification(message.title, options);
}

/** The address within this app that a message leads to; elsewhere it never leads. */
export function pathOf(url: unknown, origin: string): string {
  try {
    const to = new URL(typeof url === 'string' ? url : '/', origin);
    return to.origin === origin ? to.pathname + to.search : '/';
  } catch {
    return '/';
  }
}

/** The address in the app beneath `root` of what a message leads to: one for a relative opens their own app. */
const beneath = (root: string, path: string): string =>
  path.startsWith(root) ? path : root + path.slice(1);

// The window that is there already goes to it; what is being written in it is not lost.
async function open(scope: Scope, root: string, path: string): Promise<void> {
  const all = await scope.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const windows = all.filter((w) => isOf(root, new URL(w.url, scope.location.origin).pathname));
  const window = windows.find((w) => w.visibilityState === 'visible') ?? windows[0];
  if (!window) {
    await scope.clients.openWindow(path);
    return;
  }
  window.postMessage({ go: path });
  await window.focus().catch(() => {}); // not every browser lets it come to the front
}
