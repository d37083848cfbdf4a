import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Problem, Unreachable } from '../api/client';
import type { Alert } from '../api/types';
import { alertQueue, minutesLeft, type Action } from './queue';

class Memory {
  private readonly kept = new Map<string, string>();
  getItem = (key: string) => this.kept.get(key) ?? null;
  setItem = (key: string, value: string) => void this.kept.set(key, value);
}

function setUp(storage = new Memory()) {
  const calls: Action[] = [];
  const told: string[] = [];
  let answer: () => Promise<Alert> = () => Promise.resolve({ id: 'a1' } as Alert);
  const queue = alertQueue(
    storage,
    (action) => {
      calls.push(action);
      return answer();
    },
    {
      sent: (a) => told.push(`sent ${a.kind}`),
      refused: (a, p) => told.push(`refused ${a.kind} ${p.id}`),
      signedOut: () => told.push('signed out'),
      stale: (a) => told.push(`stale ${a.kind}`),
    },
  );
  const failWith = (error: Error) => (answer = () => Promise.reject(error));
  const work = () => (answer = () => Promise.resolve({ id: 'a1' } as Alert));
  return { queue, calls, told, failWith, work, storage };
}

const settle = () => vi.advanceTimersByTimeAsync(0);
const noNetwork = new Unreachable('no network');

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('the queue of what a person did', () => {
  it('sends at once when it can', async () => {
    const { queue, told } = setUp();
    queue.signedIn('Anna');
    queue.add({ alert: 'a1', kind: 'acknowledge' });
    await settle();
    expect(told).toEqual(['sent acknowledge']);
    expect(queue.waiting.value).toEqual([]);
  });

  it('takes the latest word of when somebody is there, and counts on from when it was said', async () => {
    const { queue, calls, failWith, work } = setUp();
    queue.signedIn('Anna');
    failWith(noNetwork);
    queue.add({ alert: 'a1', kind: 'on_the_way', minutes: 30 });
    await settle();
    queue.add({ alert: 'a1', kind: 'on_the_way', minutes: 10 });
    await settle();
    expect(queue.waiting.value.map((a) => a.minutes)).toEqual([10]);
    const [action] = queue.waiting.value;
    expect([0, 4, 20].map((n) => minutesLeft(action!, action!.at + n * 60_000))).toEqual([
      10, 6, 0,
    ]);
    work();
    await queue.flush();
    expect(calls.at(-1)).toMatchObject({ kind: 'on_the_way', minutes: 10 });
    expect(queue.waiting.value).toEqual([]);
  });

  it('keeps an act over a lost network and a closed page, under one key', async () => {
    const before = setUp();
    before.queue.signedIn('Anna');
    before.failWith(noNetwork);
    before.queue.add({ alert: 'a1', kind: 'acknowledge' });
    await settle();
    expect(before.queue.waiting.value).toHaveLength(1);

    const after = setUp(before.storage);
    after.queue.signedIn('Anna');
    await settle();
    expect(after.told).toEqual(['sent acknowledge']);
    expect(after.calls[0]!.key).toBe(before.calls[0]!.key);
    expect(setUp(before.storage).queue.waiting.value).toEqual([]);
  });

  it('tries again by itself, with the same key and in order', async () => {
    const { queue, calls, told, failWith, work } = setUp();
    queue.signedIn('Anna');
    failWith(new Problem(503, '', 'busy'));
    queue.add({ alert: 'a1', kind: 'acknowledge' });
    queue.add({ alert: 'a1', kind: 'resolve', outcome: 'helped', note: '' });
    await settle();
    expect(queue.waiting.value).toHaveLength(2);
    work();
    await vi.advanceTimersByTimeAsync(120_000);
    expect(told).toEqual(['sent acknowledge', 'sent resolve']);
    expect(new Set(calls.filter((c) => c.kind === 'acknowledge').map((c) => c.key)).size).toBe(1);
  });

  it('takes two presses on the same button as one act', async () => {
    const { queue, failWith } = setUp();
    queue.signedIn('Anna');
    failWith(noNetwork);
    queue.add({ alert: 'a1', kind: 'acknowledge' });
    queue.add({ alert: 'a1', kind: 'acknowledge' });
    await settle();
    expect(queue.waiting.value).toHaveLength(1);
  });

  it('gives up what the server refuses for good, and goes on with the next', async () => {
    const { queue, told, failWith, work } = setUp();
    queue.signedIn('Anna');
    failWith(new Problem(409, 'LYK-0501', 'already resolved'));
    queue.add({ alert: 'a1', kind: 'resolve', outcome: 'helped' });
    await settle();
    work();
    queue.add({ alert: 'a2', kind: 'acknowledge' });
    await settle();
    expect(told).toEqual(['refused resolve LYK-0501', 'sent acknowledge']);
  });

  it('never sends in another person’s name', async () => {
    const { queue, calls, told, failWith, work } = setUp();
    queue.signedIn('Anna');
    failWith(noNetwork);
    queue.add({ alert: 'a1', kind: 'acknowledge' });
    await settle();
    work();
    queue.signedIn('Björn');
    await vi.advanceTimersByTimeAsync(600_000);
    expect(told).toEqual([]);
    expect(calls.every((c) => c.who === 'Anna')).toBe(true);
    queue.signedIn('Anna');
    await settle();
    expect(told).toEqual(['sent acknowledge']);
  });

  it('keeps the act when the session has ended', async () => {
    const { queue, told, failWith } = setUp();
    queue.signedIn('Anna');
    failWith(new Problem(401, 'LYK-0400', ''));
    queue.add({ alert: 'a1', kind: 'acknowledge' });
    await settle();
    expect(told).toEqual(['signed out']);
    expect(queue.waiting.value).toHaveLength(1);
  });

  it('does not say "I have it" half a day late', async () => {
    const before = setUp();
    before.queue.signedIn('Anna');
    before.failWith(noNetwork);
    before.queue.add({ alert: 'a1', kind: 'acknowledge' });
    await settle();
    before.queue.signedIn('');
    vi.setSystemTime(Date.now() + 13 * 3_600_000);
    const after = setUp(before.storage);
    after.queue.signedIn('Anna');
    await settle();
    expect(after.told).toEqual(['stale acknowledge']);
    expect(after.calls).toEqual([]);
  });

  it('begins empty when what was stored is not readable', () => {
    const storage = new Memory();
    storage.setItem('lykta.queue.v1', '[{"key":1},null,"x"');
    expect(setUp(storage).queue.waiting.value).toEqual([]);
    storage.setItem('lykta.queue.v1', '[{"key":1},null,"x"]');
    expect(setUp(storage).queue.waiting.value).toEqual([]);
  });
});
