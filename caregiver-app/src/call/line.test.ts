import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { pauseBefore, shutBy, SocketLine, type Hearing } from './line';

class FakeSocket {
  static all: FakeSocket[] = [];
  static readonly OPEN = 1;
  readyState = 0;
  sent: unknown[] = [];
  onopen?: () => void;
  onmessage?: (e: { data: string }) => void;
  onclose?: (e: { code: number; reason: string }) => void;
  constructor(
    readonly url: string,
    readonly protocol: string,
  ) {
    FakeSocket.all.push(this);
  }
  send(text: string) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.readyState = 3;
  }
  opens() {
    this.readyState = 1;
    this.onopen?.();
  }
  says(message: object) {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
  ends(code = 1006, reason = '') {
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }
}

const last = () => FakeSocket.all.at(-1)!;

function hearing() {
  const heard: string[] = [];
  const ear: Hearing = {
    up: () => heard.push('up'),
    message: (m) => heard.push(m.type),
    down: () => heard.push('down'),
    shut: (why) => heard.push(`shut ${why}`),
  };
  return { heard, ear };
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('WebSocket', FakeSocket);
  FakeSocket.all = [];
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('the line of an app', () => {
  it('comes back by itself, sooner first and never later than 4 s', async () => {
    const { heard, ear } = hearing();
    new SocketLine({ url: 'ws://x' }).open(ear);
    for (let i = 0; i < 8; i++) {
      last().ends();
      await vi.advanceTimersByTimeAsync(4_000);
    }
    expect(FakeSocket.all).toHaveLength(9);
    last().opens();
    last().says({ type: 'welcome' });
    expect(heard.slice(-2)).toEqual(['up', 'welcome']);
    expect([0, 1, 9].map((n) => pauseBefore(n, 1))).toEqual([250, 500, 4_000]);
    expect(pauseBefore(0, 0)).toBe(125);
  });

  it('says its hello before anything else', () => {
    const { ear } = hearing();
    new SocketLine({ url: 'ws://x', hello: { type: 'hello', code: 'lyk_g_1' } }).open(ear);
    last().opens();
    expect(last().sent).toEqual([{ type: 'hello', code: 'lyk_g_1' }]);
    expect(last().protocol).toBe('lykta.call.1');
  });

  it('notices that nothing is heard any more', async () => {
    const { heard, ear } = hearing();
    new SocketLine({ url: 'ws://x' }).open(ear);
    last().opens();
    await vi.advanceTimersByTimeAsync(15_100);
    expect(heard).toEqual(['up', 'down']);
    expect(FakeSocket.all).toHaveLength(2);
  });

  it('takes nothing from a socket that it has given up', async () => {
    const { heard, ear } = hearing();
    const line = new SocketLine({ url: 'ws://x' });
    line.open(ear);
    const old = last();
    old.opens();
    line.reopen();
    await vi.advanceTimersByTimeAsync(1);
    old.says({ type: 'gone' });
    old.ends();
    last().opens();
    expect(heard).toEqual(['up', 'down', 'up']);
    expect(FakeSocket.all).toHaveLength(2);
  });

  it('is not tried again where that is of no use', async () => {
    const { heard, ear } = hearing();
    new SocketLine({ url: 'ws://x', look: () => Promise.resolve('refused') }).open(ear);
    last().ends();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(heard.at(-1)).toBe('shut refused');
    expect(FakeSocket.all.length).toBeLessThan(3);
    expect([4401, 4403, 4404, 4409].map((code) => shutBy(code, ''))).toEqual([
      'refused',
      'refused',
      'refused',
      'elsewhere',
    ]);
    expect(shutBy(1000, 'over')).toBe('over');
    expect(shutBy(1001, '')).toBeUndefined();
  });
});
