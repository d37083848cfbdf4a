import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Problem, Unreachable } from '../api/client';
import { bodyOf, careQueue, Refusals, type CareDeed } from './carequeue';

class Memory {
  private readonly kept = new Map<string, string>();
  getItem = (key: string) => this.kept.get(key) ?? null;
  setItem = (key: string, value: string) => void this.kept.set(key, value);
}

const visit = (note: string) => ({
  kind: 'visit' as const,
  home: 'marta',
  what: 'Besök hos Märta',
  method: 'POST' as const,
  path: '/visits/v1/went',
  body: { state: 'done', note },
});

const setUp = (storage = new Memory()) => {
  const sent: CareDeed[] = [];
  const refusals = new Refusals(storage);
  let error: Error | undefined;
  const queue = careQueue(
    storage,
    {
      sent: () => {},
      refused: (deed, problem) => refusals.add(deed, problem),
      signedOut: () => {},
      stale: (deed) => refusals.add(deed),
    },
    (deed) => {
      sent.push(deed);
      return error ? Promise.reject(error) : Promise.resolve();
    },
  );
  queue.signedIn('Anna');
  return { queue, sent, refusals, storage, failWith: (e?: Error) => void (error = e) };
};

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('what is written about residents', () => {
  it('sends of a visit the latest word only', async () => {
    const { queue, sent, failWith } = setUp();
    failWith(new Unreachable('no network'));
    queue.add(visit('Allt väl'));
    await vi.advanceTimersByTimeAsync(0);
    queue.add(visit('Allt väl. Åt.'));
    await vi.advanceTimersByTimeAsync(0);
    failWith();
    await vi.advanceTimersByTimeAsync(120_000);
    expect(queue.waiting.value).toEqual([]);
    expect(sent.at(-1)!.body['note']).toBe('Allt väl. Åt.');
  });

  it('keeps the words of what was refused, over a closed page, until they are seen to', async () => {
    const { queue, failWith, storage } = setUp();
    failWith(new Problem(403, 'LYK-0505', 'no'));
    queue.add(visit('Hon var glad'));
    await vi.advanceTimersByTimeAsync(0);
    const later = new Refusals(storage);
    expect(later.all.value).toMatchObject([{ id: 'LYK-0505', deed: visit('Hon var glad') }]);
    later.remove(later.all.value[0]!.deed.key);
    expect(new Refusals(storage).all.value).toEqual([]);
  });

  it('says of a note when it was written, by the clock of the server', () => {
    const deed = { kind: 'note', at: 60_000, body: { text: 'Sov gott.' } } as unknown as CareDeed;
    expect(bodyOf(deed, 0)).toEqual({ text: 'Sov gott.', written: '1970-01-01T00:01:00.000Z' });
    // A telephone that is an hour behind.
    expect(bodyOf(deed, 3_600_000)['written']).toBe('1970-01-01T01:01:00.000Z');
    expect(bodyOf({ ...deed, kind: 'visit' }, 0)).toEqual({ text: 'Sov gott.' });
  });
});
