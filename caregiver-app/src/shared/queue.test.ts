import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Problem, Unreachable } from '../api/http';
import { Queue, type Deed } from './queue';

interface Say extends Deed {
  home: string;
  text: string;
}

class Memory {
  private readonly kept = new Map<string, string>();
  getItem = (key: string) => this.kept.get(key) ?? null;
  setItem = (key: string, value: string) => void this.kept.set(key, value);
}

function setUp(storage = new Memory()) {
  const calls: Say[] = [];
  const told: string[] = [];
  const broken = new Map<string, Error>();
  const queue = new Queue<Say, string>(
    storage,
    {
      stored: 'say.v1',
      isDeed: (deed) => typeof (deed as Partial<Say>).text === 'string',
      send: (deed) => {
        calls.push(deed);
        const error = broken.get(deed.home) ?? broken.get('');
        return error ? Promise.reject(error) : Promise.resolve(`id of ${deed.text}`);
      },
      lane: (deed) => deed.home,
      keepFor: 3_600_000,
    },
    {
      sent: (deed, answer) => told.push(`sent ${deed.text}: ${answer}`),
      refused: (deed, problem) => told.push(`refused ${deed.text} ${problem.id}`),
      signedOut: () => told.push('signed out'),
      stale: (deed) => told.push(`stale ${deed.text}`),
    },
  );
  return { queue, calls, told, broken, storage };
}

const settle = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a queue of deeds', () => {
  it('hands on what the server answered', async () => {
    const { queue, told } = setUp();
    queue.signedIn('Anna');
    queue.add({ home: 'h1', text: 'one' });
    await settle();
    expect(told).toEqual(['sent one: id of one']);
  });

  it('takes two deeds that are alike as two when nothing says that they are one', async () => {
    const { queue, told } = setUp();
    queue.signedIn('Anna');
    queue.add({ home: 'h1', text: 'again' });
    queue.add({ home: 'h1', text: 'again' });
    await settle();
    expect(told).toHaveLength(2);
  });

  it('lets what the server cannot take now hold up its own lane only, and keeps the order in it', async () => {
    const { queue, told, broken } = setUp();
    queue.signedIn('Anna');
    broken.set('h1', new Problem(503, 'LYK-0600', 'busy'));
    queue.add({ home: 'h1', text: 'first' });
    queue.add({ home: 'h1', text: 'second' });
    queue.add({ home: 'h2', text: 'other' });
    await settle();
    expect(told).toEqual(['sent other: id of other']);
    broken.clear();
    await vi.advanceTimersByTimeAsync(120_000);
    expect(told.slice(1)).toEqual(['sent first: id of first', 'sent second: id of second']);
  });

  it('asks nothing more of a network that is gone', async () => {
    const { queue, calls, broken } = setUp();
    broken.set('', new Unreachable('no network'));
    queue.signedIn('Anna');
    queue.add({ home: 'h1', text: 'one' });
    await settle();
    queue.add({ home: 'h2', text: 'two' });
    await settle();
    expect(calls.every((c) => c.text === 'one')).toBe(true);
    expect(queue.waiting.value).toHaveLength(2);
  });

  it('keeps a deed over a closed page, under one key, and sends it in nobody else’s name', async () => {
    const before = setUp();
    before.broken.set('', new Unreachable('no network'));
    before.queue.signedIn('Anna');
    const key = before.queue.add({ home: 'h1', text: 'one' });
    await settle();
    before.queue.signedIn('');
    const after = setUp(before.storage);
    after.queue.signedIn('Björn');
    await settle();
    expect(after.calls).toEqual([]);
    after.queue.signedIn('Anna');
    await settle();
    expect(after.calls.map((c) => c.key)).toEqual([key]);
  });

  it('takes a deed back that has not gone', async () => {
    const { queue, told, broken } = setUp();
    broken.set('', new Unreachable('no network'));
    queue.signedIn('Anna');
    const key = queue.add({ home: 'h1', text: 'one' });
    await settle();
    queue.takeBack(key);
    broken.clear();
    await vi.advanceTimersByTimeAsync(120_000);
    expect(told).toEqual([]);
  });

  it('says of what waited too long that it is not sent', async () => {
    const { queue, told, broken } = setUp();
    broken.set('', new Unreachable('no network'));
    queue.signedIn('Anna');
    queue.add({ home: 'h1', text: 'one' });
    await settle();
    broken.clear();
    queue.signedIn('');
    vi.setSystemTime(Date.now() + 2 * 3_600_000);
    queue.signedIn('Anna');
    await settle();
    expect(told).toEqual(['stale one']);
  });

  it('leaves out what was stored and is not one of its deeds', () => {
    const storage = new Memory();
    storage.setItem('say.v1', '[{"key":"k","who":"Anna","at":1},{"key":1},null,"x"]');
    expect(setUp(storage).queue.waiting.value).toEqual([]);
  });
});
