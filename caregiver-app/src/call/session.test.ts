import { signal } from '@preact/signals';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Devices } from './devices';
import type { Hearing, Line } from './line';
import type { Peer } from './peer';
import type { Link } from './recover';
import { Session } from './session';
import type { Call, FromService, ToService } from './wire';

const call: Call = {
  ...{ id: 'c1', home: 'karin', home_name: 'Karin', visit: '', alert: '', state: 'ringing' },
  ...{ by: { id: 'person:anna', name: 'Anna', role: 'staff' }, started: '2026-11-21T13:12:00Z' },
  ...{ rung: null, answered: null, how: '', ended: null, why: '', outcome: '', note: '' },
  ...{ saved_minutes: 0, people: [], here: [] },
};
const welcome: FromService = { type: 'welcome', me: 'person:anna', call, ice: [], slots: 3 };
const seat = (id: string, audio: string, video: string) => ({
  ...{ id, name: id, role: 'home', mic: true, camera: true },
  ...{ audio, video },
});

class FakePeer implements Peer {
  offers: boolean[] = [];
  answers: string[] = [];
  sent: Record<string, unknown> = {};
  two = false;
  closed = false;
  frames = 0;
  constructor(readonly changed: (link: Link) => void) {}
  configure() {}
  offer(restart: boolean) {
    this.offers.push(restart);
    return Promise.resolve('offer');
  }
  answer(sdp: string) {
    this.answers.push(sdp);
    return Promise.resolve();
  }
  send(kind: string, track: unknown) {
    this.sent[kind] = track;
    return Promise.resolve();
  }
  layers(two: boolean) {
    this.two = two;
    return Promise.resolve();
  }
  stream(mid: string) {
    return { mid } as unknown as MediaStream;
  }
  decoded() {
    return Promise.resolve(new Map([['3', { frames: this.frames }]]));
  }
  close() {
    this.closed = true;
  }
}

function world() {
  const sent: ToService[] = [];
  const peers: FakePeer[] = [];
  let hearing: Hearing | undefined;
  let reopened = 0;
  const line: Line = {
    open: (h) => (hearing = h),
    send: (m) => void sent.push(m),
    reopen: () => {
      reopened++;
      hearing?.down();
    },
    close: () => {},
  };
  const track = { kind: 'audio', enabled: true, stop() {}, getSettings: () => ({}) };
  const devices = {
    mic: signal('got'),
    camera: signal('unasked'),
    sound: signal<unknown>(track),
    picture: signal<unknown>(undefined),
    cameras: signal(1),
    ask: () => Promise.resolve(),
    dropCamera() {},
    close() {
      devices.sound.value = undefined;
    },
  };
  const session = new Session({
    line,
    devices: devices as unknown as Devices,
    connect: (changed) => {
      const peer = new FakePeer(changed);
      peers.push(peer);
      return peer;
    },
  });
  session.start({ mic: true, camera: true });
  const hear = async (message: FromService) => {
    hearing!.message(message);
    await vi.advanceTimersByTimeAsync(0);
  };
  const types = () => sent.map((m) => m.type);
  const connect = async () => {
    await hear(welcome);
    await hear({ type: 'answer', sdp: 'answer' });
    peers.at(-1)!.changed('connected');
  };
  return {
    ...{ session, sent, peers, devices, track, hear, types, connect },
    shut: (why: 'over' | 'refused' | 'elsewhere') => hearing!.shut(why),
    down: () => hearing!.down(),
    reopened: () => reopened,
  };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a session', () => {
  it('joins when it is welcome, once, and says what is shown of it', async () => {
    const w = world();
    expect(w.peers).toHaveLength(1);
    await w.hear(welcome);
    expect(w.sent).toEqual([{ type: 'join', sdp: 'offer', mic: true, camera: false }]);
    expect(w.session.stage.value).toBe('joining');
    await w.hear({ type: 'answer', sdp: 'answer' });
    w.peers[0]!.changed('connected');
    expect(w.session.stage.value).toBe('on');
    expect(w.peers).toHaveLength(1);
  });

  it('shows the others by the slots that carry them, and the small layer from three people up', async () => {
    const w = world();
    await w.connect();
    await w.hear({ type: 'people', people: [seat('home', '2', '3')] });
    const [home] = w.session.people.value;
    expect(home).toMatchObject({ id: 'home', sound: { mid: '2' }, picture: { mid: '3' } });
    expect(w.peers[0]!.two).toBe(false);
    await w.hear({ type: 'people', people: [seat('home', '2', '3'), seat('guest:1', '', '')] });
    expect(w.session.people.value[1]).toMatchObject({ sound: undefined, picture: undefined });
    expect(w.peers[0]!.two).toBe(true);
  });

  it('tells what changes of its own, and sends a camera that comes later', async () => {
    const w = world();
    await w.connect();
    const camera = { kind: 'video', getSettings: () => ({}) };
    vi.stubGlobal('MediaStream', class {});
    w.devices.picture.value = camera;
    expect(w.peers[0]!.sent['video']).toBe(camera);
    expect(w.sent.at(-1)).toEqual({ type: 'state', mic: true, camera: true });
    w.session.setMic(false);
    expect(w.track.enabled).toBe(false);
    expect(w.sent.at(-1)).toEqual({ type: 'state', mic: false, camera: true });
    vi.unstubAllGlobals();
  });

  it('tells of a camera that became ready while it joined', async () => {
    const w = world();
    await w.hear(welcome);
    vi.stubGlobal('MediaStream', class {});
    w.devices.picture.value = { kind: 'video', getSettings: () => ({}) };
    expect(w.types()).toEqual(['join']);
    await w.hear({ type: 'answer', sdp: 'a' });
    expect(w.sent.at(-1)).toEqual({ type: 'state', mic: true, camera: true });
    vi.unstubAllGlobals();
  });

  it('restarts after a blink that was none, and joins anew when the service has forgotten it', async () => {
    const w = world();
    await w.connect();
    w.peers[0]!.changed('disconnected');
    expect(w.session.stage.value).toBe('lost');
    await vi.advanceTimersByTimeAsync(2_000);
    expect(w.types()).toEqual(['join']);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(w.types()).toEqual(['join', 'restart']);
    await w.hear({ type: 'gone' });
    expect(w.types()).toEqual(['join', 'restart', 'join']);
    expect(w.peers).toHaveLength(2);
    expect(w.peers[0]!.closed).toBe(true);
    await w.hear({ type: 'answer', sdp: 'again' });
    w.peers[1]!.changed('connected');
    expect(w.session.stage.value).toBe('on');
  });

  it('joins anew at once when the way has failed', async () => {
    const w = world();
    await w.connect();
    w.peers[0]!.changed('failed');
    await vi.advanceTimersByTimeAsync(0);
    expect(w.types()).toEqual(['join', 'join']);
    expect(w.peers).toHaveLength(2);
  });

  it('asks on a new line whether it is known still, and goes on talking meanwhile', async () => {
    const w = world();
    await w.connect();
    w.down();
    expect(w.session.reachable.value).toBe(false);
    expect(w.session.stage.value).toBe('on');
    await w.hear(welcome);
    expect(w.types()).toEqual(['join', 'restart']);
    expect(w.peers).toHaveLength(1);
    expect(w.peers[0]!.offers).toEqual([false, true]);
  });

  it('begins its line anew when no answer comes', async () => {
    const w = world();
    await w.hear(welcome);
    await vi.advanceTimersByTimeAsync(6_000);
    expect(w.reopened()).toBe(1);
    await w.hear(welcome);
    expect(w.types()).toEqual(['join', 'join']);
  });

  it('takes new credentials without a new beginning', async () => {
    const w = world();
    await w.connect();
    await w.hear(welcome);
    expect(w.types()).toEqual(['join']);
  });

  it('is over with the call, lets go of everything, and stays over', async () => {
    const w = world();
    await w.connect();
    await w.hear({ type: 'call', call: { ...call, state: 'ended', why: 'done' } });
    expect(w.session.stage.value).toBe('over');
    expect(w.peers[0]!.closed).toBe(true);
    expect(w.devices.sound.value).toBeUndefined();
    await w.hear(welcome);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(w.session.stage.value).toBe('over');
    expect(w.types()).toEqual(['join']);
  });

  it('says why it may not', () => {
    const w = world();
    w.shut('refused');
    expect(w.session.stage.value).toBe('refused');
  });

  it('leaves once', async () => {
    const w = world();
    await w.connect();
    w.session.leave();
    w.session.leave();
    expect(w.types()).toEqual(['join', 'leave']);
  });
});
