import { signal } from '@preact/signals';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Devices } from './devices';
import type { Hearing, Line } from './line';
import type { Peer, Wanted } from './peer';
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
  made = true;
  two = false;
  frugal = false;
  held = 0;
  packets = 0;
  samples = 0;
  concealed = 0;
  up = { packets: 0, lost: 0 };
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
  make({ picture, small, frugal }: Wanted) {
    this.made = picture;
    this.two = small;
    this.frugal = frugal;
    return Promise.resolve();
  }
  hold(time: number) {
    this.held = time;
  }
  stream(mid: string) {
    return { mid } as unknown as MediaStream;
  }
  count() {
    const decoded = new Map([
      ['2', { packets: this.packets, samples: this.samples, concealed: this.concealed }],
      ['3', { frames: this.frames }],
    ]);
    return Promise.resolve({ decoded, sent: { ...this.up } });
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
    expect(w.sent).toEqual([{ type: 'join', sdp: 'offer', offer: 1, mic: true, camera: false }]);
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

  it('takes no answer to what it asked before', async () => {
    const w = world();
    await w.hear(welcome);
    await vi.advanceTimersByTimeAsync(6_000);
    await w.hear(welcome);
    expect(w.types()).toEqual(['join', 'join']);
    const [first, second] = w.sent.map((m) => ('offer' in m ? m.offer : 0));
    await w.hear({ type: 'answer', sdp: 'late', offer: first! });
    expect(w.peers[1]!.answers).toEqual([]);
    await w.hear({ type: 'answer', sdp: 'right', offer: second! });
    expect(w.peers[1]!.answers).toEqual(['right']);
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

  it('helps itself when the link is good and nothing is heard', async () => {
    const w = world();
    await w.connect();
    await w.hear({ type: 'people', people: [seat('home', '2', '3')] });
    w.peers[0]!.packets = 50;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(w.session.quality.value).toBe('good');
    await vi.advanceTimersByTimeAsync(5_000);
    expect(w.types()).toEqual(['join']);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(w.types()).toEqual(['join', 'restart']);
    expect(w.session.quality.value).toBe('lost');
    await w.hear({ type: 'answer', sdp: 'restarted' });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(w.types()).toEqual(['join', 'restart']);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(w.types()).toEqual(['join', 'restart', 'join']);
    expect(w.peers).toHaveLength(2);
    await w.hear({ type: 'answer', sdp: 'anew' });
    w.peers[1]!.changed('connected');
    w.peers[1]!.packets = 40;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(w.session.quality.value).not.toBe('lost');
    expect(w.session.deaf.value).toBe(false);
  });

  it('leaves a link alone on which nobody has their microphone on', async () => {
    const w = world();
    await w.connect();
    await w.hear({ type: 'people', people: [{ ...seat('home', '2', '3'), mic: false }] });
    await vi.advanceTimersByTimeAsync(120_000);
    expect(w.types()).toEqual(['join']);
  });

  it('lets the sound wait for what is sent again, and still does on a new connection', async () => {
    const w = world();
    await w.connect();
    await w.hear({ type: 'people', people: [seat('home', '2', '3')] });
    const talk = async (seconds: number) => {
      for (let i = 0; i < seconds; i++) {
        const peer = w.peers.at(-1)!;
        peer.packets += 50;
        peer.samples += 48_000;
        peer.concealed += 4_800;
        await vi.advanceTimersByTimeAsync(1_000);
      }
    };
    await talk(5);
    expect(w.peers[0]!.held).toBeGreaterThan(0);
    await talk(10);
    expect(w.peers[0]!.held).toBe(240);
    await w.hear({ type: 'gone' });
    await w.hear({ type: 'answer', sdp: 'anew' });
    w.peers[1]!.changed('connected');
    await talk(1);
    expect(w.peers[1]!.held).toBe(240);
  });

  describe('its picture', () => {
    const line: FromService = {
      ...{ type: 'line', video_paused: false, quality: 'good', loss: 0, kbps: 900, watched: true },
    };
    const talking = async () => {
      const w = world();
      await w.connect();
      await w.hear({ type: 'people', people: [seat('home', '2', '3')] });
      vi.stubGlobal('MediaStream', class {});
      w.devices.picture.value = { kind: 'video', getSettings: () => ({}) };
      return w;
    };
    afterEach(() => void vi.unstubAllGlobals());

    it('is not made while nobody takes it, and at once when somebody does', async () => {
      const w = await talking();
      await w.hear({ ...line, watched: false });
      await vi.advanceTimersByTimeAsync(1_000);
      expect(w.peers[0]!.made).toBe(true); // who comes in is watched within moments
      await vi.advanceTimersByTimeAsync(2_000);
      expect([w.peers[0]!.made, w.peers[0]!.frugal]).toEqual([false, false]);
      expect(w.sent.at(-1)).toEqual({ type: 'state', mic: true, camera: true });
      await w.hear(line);
      expect(w.peers[0]!.made).toBe(true);
    });

    it('rests with those that are held back from here, and the others are told why', async () => {
      const w = await talking();
      await w.hear({ ...line, video_paused: true, quality: 'bad' });
      expect([w.peers[0]!.made, w.peers[0]!.frugal]).toEqual([false, true]);
      expect(w.session.quality.value).toBe('paused');
      expect(w.session.own.value).toBeDefined(); // it is still shown to oneself
      expect(w.sent.at(-1)).toEqual({ type: 'state', mic: true, camera: true, paused: true });
      await w.hear(line);
      expect(w.peers[0]!.made).toBe(true);
      expect(w.sent.at(-1)).toEqual({ type: 'state', mic: true, camera: true });
    });

    it('rests while too much of what is sent does not come', async () => {
      const w = await talking();
      const second = async (packets: number, lost: number) => {
        const peer = w.peers[0]!;
        peer.packets += 50;
        peer.frames += 25;
        peer.up = { packets: peer.up.packets + packets, lost: peer.up.lost + lost };
        await vi.advanceTimersByTimeAsync(1_000);
      };
      for (let i = 0; i < 20; i++) await second(100, i % 2 ? 5 : 15);
      expect(w.peers[0]!.made).toBe(true);
      for (let i = 0; i < 5; i++) await second(100, 30);
      expect(w.peers[0]!.made).toBe(false);
      expect(w.session.quality.value).toBe('held');
      expect(w.session.people.value[0]!.paused).toBe(false); // theirs goes on
      for (let i = 0; i < 10; i++) await second(50, 0);
      expect(w.peers[0]!.made).toBe(true);
      expect(w.session.quality.value).toBe('good');
    });

    it('of somebody else that rests is said to be paused, not to stand still', async () => {
      const w = await talking();
      w.peers[0]!.packets = 50;
      await w.hear({ type: 'people', people: [{ ...seat('home', '2', '3'), paused: true }] });
      await vi.advanceTimersByTimeAsync(5_000);
      expect(w.session.quality.value).toBe('paused');
      expect(w.session.people.value[0]!.paused).toBe(true);
    });
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
