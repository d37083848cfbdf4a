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

interface Later {
  waitUntil(done: Promise<unknown>): void;
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
    showNotification(title: string, options: NotificationOptions): Promise<void>;
  };
  clients: {
    matchAll(options: { type: 'window'; includeUncontrolled: boolean }): Promise<readonly Client[]>;
    openWindow(url: string): Promise<unknown>;
    claim(): Promise<void>;
  };
  skipWaiting(): Promise<void>;
  addEventListener(type: 'install' | 'activate', f: (event: Later) => void): void;
  addEventListener(type: 'push', f: (event: PushEvent) => void): void;
  addEventListener(type: 'notificationclick', f: (event: ClickEvent) => void): void;
}

/** Begins to listen. */
export function serve(scope: Scope): void {
  // A new version takes over at once: nothing depends on the old one.
  scope.addEventListener('install', (event) => event.waitUntil(scope.skipWaiting()));
  scope.addEventListener('activate', (event) => event.waitUntil(scope.clients.claim()));
  scope.addEventListener('push', (event) => event.waitUntil(show(scope, read(event, scope))));
  scope.addEventListener('notificationclick', (event) => {
    event.notification.close();
    event.waitUntil(open(scope, pathOf(event.notification.data, scope.location.origin)));
  });
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
    icon: '/favicon.svg',
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

// The window that is there already goes to it; what is being written in it is not lost.
async function open(scope: Scope, path: string): Promise<void> {
  const windows = await scope.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const window = windows.find((w) => w.visibilityState === 'visible') ?? windows[0];
  if (!window) {
    await scope.clients.openWindow(path);
    return;
  }
  window.postMessage({ go: path });
  await window.focus().catch(() => {}); // not every browser lets it come to the front
}
