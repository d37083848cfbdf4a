import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Problem, Unreachable } from '../api/http';
import { serverNow, setServerTime } from '../shared/time';
import { familyQueue, minutesLeft, type FamilyDeed } from './deeds';

function setUp() {
  const kept = new Map<string, string>();
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  };
  const calls: FamilyDeed[] = [];
  const told: string[] = [];
  let broken: (deed: FamilyDeed) => Error | undefined = () => undefined;
  const queue = familyQueue(
    storage,
    {
      sent: (deed) => told.push(`sent ${deed.kind}`),
      refused: (deed, problem) => told.push(`refused ${deed.kind} ${problem.id}`),
      signedOut: () => told.push('signed out'),
      stale: (deed) => told.push(`stale ${deed.kind}`),
    },
    (deed) => {
      calls.push(deed);
      const error = broken(deed);
      return error ? Promise.reject(error) : Promise.resolve();
    },
  );
  queue.signedIn('maria');
  return { queue, calls, told, breakWith: (f: typeof broken) => (broken = f) };
}

const settle = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => {
  vi.useFakeTimers();
  setServerTime(Date.now());
});
afterEach(() => void vi.useRealTimers());

describe('what a relative does', () => {
  it('about an alert never waits for a picture that the service cannot take', async () => {
    const { queue, told, breakWith } = setUp();
    breakWith((d) => (d.kind === 'message' ? new Problem(503, 'LYK-0600', '') : undefined));
    queue.add({ kind: 'message', home: 'h1', text: 'Hej', until: Date.now() + 86_400_000 });
    queue.add({ kind: 'acknowledge', home: 'h1', alert: 'a1' });
    await settle();
    expect(told).toEqual(['sent acknowledge']);
    expect(queue.waiting.value.map((d) => d.kind)).toEqual(['message']);
  });

  it('is sent also by a telephone whose clock is days wrong', async () => {
    const { queue, told } = setUp();
    const day = 86_400_000;
    for (const wrong of [3 * day, -3 * day]) {
      setServerTime(Date.now() - wrong);
      queue.add({ kind: 'message', home: 'h1', text: 'Hej', until: serverNow() + day });
      queue.add({ kind: 'visit', home: 'h1', from: serverNow() + day });
      await settle();
      expect(told.splice(0)).toEqual(['sent message', 'sent visit']);
      queue.add({ kind: 'message', home: 'h1', text: 'Hej', until: serverNow() - 1 });
      await settle();
      expect(told.splice(0)).toEqual(['stale message']);
    }
    setServerTime(Date.now());
  });

  it('twice about the same alert is done once, and two greetings are two', async () => {
    const { queue, breakWith } = setUp();
    breakWith(() => new Unreachable('no network'));
    for (const _ of [1, 2]) queue.add({ kind: 'acknowledge', home: 'h1', alert: 'a1' });
    for (const _ of [1, 2]) queue.add({ kind: 'message', home: 'h1', text: 'Hej', until: 1e15 });
    for (const minutes of [30, 10]) {
      queue.add({ kind: 'on_the_way', home: 'h1', alert: 'a1', minutes });
    }
    await settle();
    expect(queue.waiting.value.map((d) => d.minutes ?? d.kind)).toEqual([
      'acknowledge',
      'message',
      'message',
      10,
    ]);
  });

  it('is not sent when what it asks for has been', async () => {
    const { queue, told, breakWith } = setUp();
    breakWith(() => new Unreachable('no network'));
    const from = Date.now() + 3_600_000;
    queue.add({ kind: 'visit', home: 'h1', from, to: from + 3_600_000, what: '', video: false });
    await settle();
    queue.signedIn('');
    breakWith(() => undefined);
    vi.setSystemTime(from + 1);
    queue.signedIn('maria');
    await settle();
    expect(told).toEqual(['stale visit']);
  });

  it('counts the minutes from when they were said', () => {
    const deed = { at: 0, minutes: 20 } as FamilyDeed;
    expect([0, 5, 30].map((n) => minutesLeft(deed, n * 60_000))).toEqual([20, 15, 0]);
  });
});
