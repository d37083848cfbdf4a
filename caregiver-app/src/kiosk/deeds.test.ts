import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Deeds, help, type Reply } from './deeds';

const memory = () => {
  const kept = new Map<string, string>();
  return {
    getItem: (k: string) => kept.get(k) ?? null,
    setItem: (k: string, v: string) => void kept.set(k, v),
  };
};

/** A gateway that answers as the test says. */
function gateway(replies: Reply[], kept = memory()) {
  let keys = 0;
  const posted: { path: string; body: Record<string, unknown> }[] = [];
  const deeds = new Deeds({
    post: async (path, body) => {
      posted.push({ path, body: body as Record<string, unknown> });
      return replies.length > 1 ? replies.shift()! : replies[0]!;
    },
    key: () => `key${++keys}`,
    memory: kept,
    changed: () => {},
  });
  return { deeds, posted, kept, keysOf: () => posted.map((p) => p.body['key']) };
}

const ok: Reply = { ok: true };
const later: Reply = { ok: false, again: true, id: 'LYK-0423' };
const never: Reply = { ok: false, again: false, id: 'LYK-0427' };
const press = { kind: 'check_in', value: 1 };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a deed', () => {
  it('is repeated with its one key until it is stored', async () => {
    const g = gateway([later, later, ok]);
    g.deeds.do('check_in', '/press', press);
    await vi.advanceTimersByTimeAsync(0);
    expect(g.deeds.of('check_in')).toMatchObject({ state: 'trouble', id: 'LYK-0423' });
    g.deeds.do('check_in', '/press', press); // pressed again meanwhile: the same deed
    await vi.advanceTimersByTimeAsync(10_000);
    expect(g.deeds.of('check_in')?.state).toBe('stored');
    expect(g.keysOf()).toEqual(['key1', 'key1', 'key1']);
    g.deeds.do('check_in', '/press', press);
    await vi.advanceTimersByTimeAsync(0);
    expect(g.keysOf()).toEqual(['key1', 'key1', 'key1', 'key2']);
  });

  it('that is refused is over, is said, and is forgotten after a while', async () => {
    const g = gateway([never]);
    g.deeds.do('grant', '/consent', {});
    await vi.advanceTimersByTimeAsync(0);
    expect(g.deeds.of('grant')).toMatchObject({ state: 'failed', id: 'LYK-0427' });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(g.deeds.of('grant')).toBeUndefined();
    expect(g.posted).toHaveLength(1);
  });

  it('is given up while it still means what was meant, but a call for help is not', async () => {
    const g = gateway([later]);
    g.deeds.do('check_in', '/press', press);
    g.deeds.do(help, '/press', { kind: 'sos', value: 1 });
    await vi.advanceTimersByTimeAsync(6 * 60_000);
    expect(g.deeds.of('check_in')?.state).not.toBe('trouble');
    expect(g.deeds.of(help)?.state).toBe('trouble');
  });
});

describe('a call for help', () => {
  it('survives that the page is loaded again, with the same key', async () => {
    const first = gateway([later]);
    first.deeds.do(help, '/press', { kind: 'sos', value: 1 });
    await vi.advanceTimersByTimeAsync(0);
    const second = gateway([ok], first.kept);
    expect(second.deeds.of(help)?.state).toBe('saving');
    await vi.advanceTimersByTimeAsync(0);
    expect(second.posted).toEqual([
      { path: '/press', body: { kind: 'sos', value: 1, key: 'key1' } },
    ]);
    expect(gateway([ok], first.kept).deeds.of(help)).toBeUndefined();
  });

  it('of yesterday is not sent today', async () => {
    const first = gateway([later]);
    first.deeds.do(help, '/press', { kind: 'sos', value: 1 });
    await vi.advanceTimersByTimeAsync(0);
    vi.setSystemTime(Date.now() + 13 * 3_600_000);
    expect(gateway([ok], first.kept).deeds.of(help)).toBeUndefined();
  });
});
