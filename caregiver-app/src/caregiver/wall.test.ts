import { afterEach, beforeEach, expect, it, vi } from 'vitest';

const kept = new Map<string, string>();
vi.stubGlobal('localStorage', {
  getItem: (key: string) => kept.get(key) ?? null,
  setItem: (key: string, value: string) => kept.set(key, value),
});
const page = { visibilityState: 'visible' };
vi.stubGlobal('document', page);
const asked = vi.fn(() => Promise.resolve(new Response('{}')));
vi.stubGlobal('fetch', asked);
const { every, keepWall, want } = await import('./wall');

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

it('a wall screen is used while it is visible, and nothing else is', () => {
  let signedIn = true;
  keepWall(() => signedIn);
  const after = () => {
    asked.mockClear();
    vi.advanceTimersByTime(3 * every);
    return asked.mock.calls.length;
  };
  expect(after()).toBe(0); // nobody has said that it hangs on a wall
  want(true);
  expect(kept.get('lykta.wall')).toBe('on');
  expect(after()).toBe(3);
  page.visibilityState = 'hidden';
  expect(after()).toBe(0);
  page.visibilityState = 'visible';
  signedIn = false;
  expect(after()).toBe(0);
  signedIn = true;
  want(false);
  expect(after()).toBe(0);
});
