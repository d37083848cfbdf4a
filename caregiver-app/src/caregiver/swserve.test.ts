import { describe, expect, it } from 'vitest';
import { isOf, pathOf, serve, type Scope, type Shell } from './swserve';

interface Shown {
  title: string;
  options: Record<string, unknown>;
}

const noShell: Shell = { version: 'none', apps: {} };

function worker(windows: { url: string; visibilityState: string }[] = [], root = '/') {
  const listeners = new Map<string, (event: never) => void>();
  const shown: Shown[] = [];
  const done: string[] = [];
  const scope = {
    location: { origin: 'https://lykta.example' },
    navigator: { language: 'sv-SE' },
    registration: {
      scope: `https://lykta.example${root}`,
      showNotification: (title: string, options: object) => {
        shown.push({ title, options: { ...options } });
        return Promise.resolve();
      },
    },
    clients: {
      matchAll: () =>
        Promise.resolve(
          windows.map((w) => ({
            ...w,
            focus: () => Promise.resolve(done.push(`focus ${w.url}`)),
            postMessage: (m: { go: string }) => done.push(`go ${m.go} in ${w.url}`),
          })),
        ),
      openWindow: (url: string) => Promise.resolve(done.push(`open ${url}`)),
      claim: () => Promise.resolve(),
    },
    skipWaiting: () => Promise.resolve(),
    addEventListener: (type: string, f: (event: never) => void) => listeners.set(type, f),
  };
  serve(scope as unknown as Scope, noShell);
  const fire = async (type: string, event: object) => {
    let work: Promise<unknown> = Promise.resolve();
    const waitUntil = (p: Promise<unknown>) => (work = p);
    listeners.get(type)!({ ...event, waitUntil } as never);
    await work;
  };
  return { fire, shown, done };
}

const pushed = (message: unknown) => ({ data: { json: () => message } });
const sos = {
  key: 'k1',
  title: 'Larm',
  text: 'Någon behöver hjälp nu.',
  url: 'https://lykta.example/alert/a1',
  emergency: true,
};

describe('what is pushed', () => {
  it('stays and sounds anew when it is an emergency', async () => {
    const { fire, shown } = worker();
    await fire('push', pushed(sos));
    expect(shown[0]).toMatchObject({
      title: 'Larm',
      options: {
        body: 'Någon behöver hjälp nu.',
        tag: 'k1',
        requireInteraction: true,
        renotify: true,
      },
    });
  });

  it('comes and goes when it is none', async () => {
    const { fire, shown } = worker();
    await fire('push', pushed({ ...sos, emergency: undefined }));
    expect(shown[0]?.options).toMatchObject({ requireInteraction: false, renotify: false });
  });

  it('is told of even when it cannot be read', async () => {
    const { fire, shown } = worker();
    await fire('push', { data: null });
    await fire('push', { data: { json: () => JSON.parse('{') as unknown } });
    expect(shown.map((s) => [s.title, s.options['body']])).toEqual([
      ['Larm', 'Öppna Lykta.'],
      ['Larm', 'Öppna Lykta.'],
    ]);
  });
});

describe('a touch on it', () => {
  const touch = (data: unknown) => ({ notification: { close: () => {}, data } });

  it('opens the alert where no window is open', async () => {
    const { fire, done } = worker();
    await fire('notificationclick', touch(sos.url));
    expect(done).toEqual(['open /alert/a1']);
  });

  it('goes there in the window that is in sight', async () => {
    const { fire, done } = worker([
      { url: 'one', visibilityState: 'hidden' },
      { url: 'two', visibilityState: 'visible' },
    ]);
    await fire('notificationclick', touch(sos.url));
    expect(done).toEqual(['go /alert/a1 in two', 'focus two']);
  });

  it('opens the relatives’ own app for one of them, and leaves the staff’s windows alone', async () => {
    const alone = worker([{ url: '/homes', visibilityState: 'visible' }], '/family/');
    await alone.fire('notificationclick', touch(sos.url));
    expect(alone.done).toEqual(['open /family/alert/a1']);
    const there = worker(
      [
        { url: '/', visibilityState: 'visible' },
        { url: '/family/account', visibilityState: 'hidden' },
      ],
      '/family/',
    );
    await there.fire('notificationclick', touch('/family/alert/a2'));
    expect(there.done).toEqual(['go /family/alert/a2 in /family/account', 'focus /family/account']);
    const staff = worker([{ url: '/family/', visibilityState: 'visible' }]);
    await staff.fire('notificationclick', touch(sos.url));
    expect(staff.done).toEqual(['open /alert/a1']);
  });

  it('never leads to another site', () => {
    const at = 'https://lykta.example';
    expect(pathOf('https://elsewhere.example/x', at)).toBe('/');
    expect(pathOf('//elsewhere.example/x', at)).toBe('/');
    expect(pathOf(undefined, at)).toBe('/');
    expect(pathOf('http://[', at)).toBe('/');
    expect(pathOf('/alert/a2?x=1', at)).toBe('/alert/a2?x=1');
  });
});

// The service, and the browser's store of answers, as far as the worker uses them.
class World {
  readonly caches = new Map<string, Map<string, Response>>();
  readonly asked: string[] = [];
  network = true;
  files = new Map<string, string>();

  /** Puts a version in place of the one before. */
  deploy(version: string): Shell {
    const file = (name: string) => `/assets/${name}-${version}.js`;
    const page = (name: string) => `<script src="${file(name)}"></script>`;
    this.files = new Map([
      ['/', page('caregiver')],
      ['/family/', page('family')],
      ...['caregiver', 'family', 'home', 'visits'].map(
        (name) => [file(name), `${name} ${version}`] as const,
      ),
    ]);
    return {
      version,
      apps: {
        '/': { first: [file('caregiver')], later: [file('home')] },
        '/family/': { first: [file('family')], later: [file('visits')] },
      },
    };
  }

  async fetch(asked: string | Request): Promise<Response> {
    const path = pathnameOf(asked);
    this.asked.push(path);
    if (!this.network) throw new TypeError('no network');
    const found = this.files.get(path);
    return new Response(found ?? 'none', { status: found === undefined ? 404 : 200 });
  }

  readonly storage = {
    open: async (name: string) => {
      const kept = this.caches.get(name) ?? new Map<string, Response>();
      this.caches.set(name, kept);
      return {
        put: async (key: string, response: Response) => void kept.set(key, response),
        match: async (key: string | Request) => kept.get(pathnameOf(key))?.clone(),
      };
    },
    keys: async () => [...this.caches.keys()],
    delete: async (name: string) => this.caches.delete(name),
    match: async (key: string | Request) => {
      const found = [...this.caches.values()].map((kept) => kept.get(pathnameOf(key)));
      return found.find((r) => r !== undefined)?.clone();
    },
  };
}

const pathnameOf = (asked: string | Request) =>
  typeof asked === 'string' ? asked : new URL(asked.url).pathname;

function keeper(world: World, shell: Shell, root = '/') {
  const listeners = new Map<string, (event: never) => void>();
  let took = false;
  let looked = 0;
  const scope = {
    location: { origin: 'https://lykta.example' },
    navigator: { language: 'sv' },
    registration: {
      scope: `https://lykta.example${root}`,
      update: () => Promise.resolve(looked++),
    },
    clients: { claim: () => Promise.resolve() },
    caches: world.storage,
    fetch: (asked: string | Request) => world.fetch(asked),
    skipWaiting: () => Promise.resolve((took = true)),
    addEventListener: (type: string, f: (event: never) => void) => listeners.set(type, f),
  };
  serve(scope as unknown as Scope, shell);
  const settle = async (type: string, event: object = {}) => {
    const work: Promise<unknown>[] = [];
    listeners.get(type)!({ ...event, waitUntil: (p: Promise<unknown>) => work.push(p) } as never);
    await Promise.all(work);
  };
  /** What the page gets for a request; undefined is that the worker leaves it alone. */
  const get = async (path: string, mode = 'no-cors', method = 'GET') => {
    let answer: Promise<Response> | undefined;
    const request = { url: `https://lykta.example${path}`, mode, method };
    await settle('fetch', { request, respondWith: (p: Promise<Response>) => (answer = p) });
    return (await answer)?.text();
  };
  const install = async () => {
    await settle('install');
    await settle('activate');
  };
  return { get, install, took: () => took, looked: () => looked };
}

describe('the app without a network', () => {
  it('opens at any of its addresses, with the files of its first screen', async () => {
    const world = new World();
    const family = keeper(world, world.deploy('v1'), '/family/');
    await family.install();
    world.network = false;
    for (const path of ['/family/', '/family/homes/marta', '/family/alert/a1']) {
      expect(await family.get(path, 'navigate')).toContain('/assets/family-v1.js');
    }
    expect(await family.get('/assets/family-v1.js')).toBe('family v1');
  });

  it('has the rest too when it was opened once with one', async () => {
    const world = new World();
    const staff = keeper(world, world.deploy('v1'));
    await staff.install();
    await staff.get('/', 'navigate');
    world.network = false;
    expect(await staff.get('/assets/home-v1.js')).toBe('home v1');
  });

  it('never answers for the service, nor for the other app', async () => {
    const world = new World();
    const shell = world.deploy('v1');
    const staff = keeper(world, shell);
    const family = keeper(world, shell, '/family/');
    await staff.install();
    await family.install();
    for (const path of ['/api/v1/homes', '/api/v1/events', '/family.webmanifest', '/sw.js']) {
      expect([path, await staff.get(path)]).toEqual([path, undefined]);
    }
    for (const path of ['/api/v1/sign-in/oidc', '/docs', '/healthz', '/metrics', '/family/']) {
      expect([path, await staff.get(path, 'navigate')]).toEqual([path, undefined]);
    }
    expect(await family.get('/', 'navigate')).toBeUndefined();
    expect(await staff.get('/', 'navigate', 'POST')).toBeUndefined();
    expect([...world.caches.values()].flatMap((kept) => [...kept.keys()])).not.toContain(
      '/api/v1/homes',
    );
  });
});

describe('a new version', () => {
  it('is looked for each time the app is opened', async () => {
    const world = new World();
    const staff = keeper(world, world.deploy('v1'));
    await staff.install();
    await staff.get('/', 'navigate');
    await staff.get('/homes', 'navigate');
    expect(staff.looked()).toBe(2);
  });

  it('takes over whole, and the pages of the old one still find their files', async () => {
    const world = new World();
    const old = keeper(world, world.deploy('v1'));
    await old.install();
    await old.get('/', 'navigate');
    const fresh = keeper(world, world.deploy('v2'));
    await fresh.install();
    expect(fresh.took()).toBe(true);
    expect(await fresh.get('/', 'navigate')).toContain('caregiver-v2.js');
    expect(await fresh.get('/assets/home-v1.js')).toBe('home v1');
  });

  it('does not take over when any of it is missing, or its page is of another version', async () => {
    const world = new World();
    const old = keeper(world, world.deploy('v1'));
    await old.install();
    const half = world.deploy('v2');
    world.files.delete('/assets/caregiver-v2.js');
    const fresh = keeper(world, half);
    await expect(fresh.install()).rejects.toThrow('404');
    expect(fresh.took()).toBe(false);
    const late = world.deploy('v3');
    world.files.set('/', '<script src="/assets/caregiver-v4.js"></script>');
    await expect(keeper(world, late).install()).rejects.toThrow('another version');
    expect([...world.caches.keys()]).toEqual(['lykta / v1']);
    world.network = false;
    expect(await old.get('/', 'navigate')).toContain('caregiver-v1.js');
  });

  it('leaves two versions behind at most', async () => {
    const world = new World();
    for (const version of ['v1', 'v2', 'v3', 'v4']) {
      await keeper(world, world.deploy(version)).install();
    }
    await keeper(world, world.deploy('v4'), '/family/').install();
    expect([...world.caches.keys()]).toEqual(['lykta / v3', 'lykta / v4', 'lykta /family/ v4']);
  });
});

describe('an address', () => {
  it('is of one app, or of the service', () => {
    expect(isOf('/', '/alert/a1')).toBe(true);
    expect(isOf('/', '/family')).toBe(false);
    expect(isOf('/', '/familyish')).toBe(true);
    expect(isOf('/', '/openapi.json')).toBe(false);
    expect(isOf('/family/', '/family/visits')).toBe(true);
    expect(isOf('/family/', '/visits')).toBe(false);
  });
});
