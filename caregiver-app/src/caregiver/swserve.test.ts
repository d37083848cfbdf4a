import { describe, expect, it } from 'vitest';
import { pathOf, serve, type Scope } from './swserve';

interface Shown {
  title: string;
  options: Record<string, unknown>;
}

function worker(windows: { url: string; visibilityState: string }[] = []) {
  const listeners = new Map<string, (event: never) => void>();
  const shown: Shown[] = [];
  const done: string[] = [];
  const scope = {
    location: { origin: 'https://lykta.example' },
    navigator: { language: 'sv-SE' },
    registration: {
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
  serve(scope as unknown as Scope);
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

  it('never leads to another site', () => {
    const at = 'https://lykta.example';
    expect(pathOf('https://elsewhere.example/x', at)).toBe('/');
    expect(pathOf('//elsewhere.example/x', at)).toBe('/');
    expect(pathOf(undefined, at)).toBe('/');
    expect(pathOf('http://[', at)).toBe('/');
    expect(pathOf('/alert/a2?x=1', at)).toBe('/alert/a2?x=1');
  });
});
