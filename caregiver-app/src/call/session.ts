// One participant's part in a call: signalling, picture and sound, and all that
// brings them back. It shows what it knows as signals and draws nothing.
import { batch, computed, effect, signal, type ReadonlySignal } from '@preact/signals';
import { Devices } from './devices';
import type { Line, Shut } from './line';
import { BrowserPeer, type Connect, type Peer } from './peer';
import { Hold } from './hold';
import { judge, look, type Decoded, type Quality, type Sight } from './quality';
import { cure, deafAfter, Silence, type Link } from './recover';
import { Uplink, type Rest } from './uplink';
import type { Call, FromService, LineWord, Seat, Shown } from './wire';

/** How far the session is. */
export type Stage =
  | 'joining'
  | 'on'
  | 'lost' // it was on, and is being brought back
  | 'over' // the call has ended, or this person has left it
  | 'refused'
  | 'elsewhere'; // the same person is in the call in another window

/** Somebody else in the call. */
export interface Person extends Seat {
  /** Their picture rests, because of their line or of one's own. */
  paused: boolean;
  /** Undefined while nothing comes. */
  sound: MediaStream | undefined;
  picture: MediaStream | undefined;
}

export interface Wishes {
  mic: boolean;
  camera: boolean;
}

interface Options {
  line: Line;
  devices?: Devices;
  connect?: Connect;
}

const lookEvery = 1_000; // milliseconds
const tickEvery = 500;
const nothing: Decoded = { frames: 0, energy: 0, samples: 0, concealed: 0, packets: 0 };

/** A participant in one call, from start() to leave(). */
export class Session {
  readonly devices: Devices;
  readonly #line: Line;
  readonly #connect: Connect;

  readonly #stage = signal<Stage>('joining');
  readonly #call = signal<Call | undefined>();
  readonly #me = signal('');
  readonly #seats = signal<readonly Seat[]>([]);
  readonly #reachable = signal(false);
  readonly #link = signal<Link>('new');
  readonly #word = signal<LineWord | undefined>();
  readonly #problem = signal<{ id: string; text: string } | undefined>();
  readonly #sights = signal<ReadonlyMap<string, Sight>>(new Map());
  readonly #wishes = signal<Wishes>({ mic: true, camera: true });
  readonly #rest = signal<Rest>('no');
  readonly #deaf = signal(false);
  // Counts answers: the streams of a new connection are others.
  readonly #turn = signal(0);

  readonly stage: ReadonlySignal<Stage> = this.#stage;
  readonly call: ReadonlySignal<Call | undefined> = this.#call;
  /** The id of this participant. */
  readonly me: ReadonlySignal<string> = this.#me;
  /** Whether the service is heard. The talk may go on without it for a while. */
  readonly reachable: ReadonlySignal<boolean> = this.#reachable;
  /** The connection of picture and sound, as the browser sees it. */
  readonly link: ReadonlySignal<Link> = this.#link;
  /** What the service has said no to, latest. */
  readonly problem: ReadonlySignal<{ id: string; text: string } | undefined> = this.#problem;
  /** What has come from each of the others, by their id. */
  readonly sights: ReadonlySignal<ReadonlyMap<string, Sight>> = this.#sights;
  /** What this person wants to be heard and seen of themselves. */
  readonly wishes: ReadonlySignal<Wishes> = this.#wishes;
  /** Whether one's own picture is made, or why not. */
  readonly rest: ReadonlySignal<Rest> = this.#rest;
  /** Nothing is heard on a connection that says it is good: it is being helped. */
  readonly deaf: ReadonlySignal<boolean> = this.#deaf;

  // The service holds pictures back from here.
  readonly #held = computed(() => this.#word.value?.video_paused ?? false);

  /** The others, in the order in which the service has them. */
  readonly people = computed<readonly Person[]>(() => {
    void this.#turn.value;
    const stream = (mid: string) => (mid ? this.#peer?.stream(mid) : undefined);
    const held = this.#held.value;
    return this.#seats.value.map((seat) => ({
      ...seat,
      paused: held || seat.paused === true,
      sound: stream(seat.audio),
      picture: seat.camera ? stream(seat.video) : undefined,
    }));
  });

  /** One's own picture; undefined is none. */
  readonly own = computed(() => {
    const track = this.devices.picture.value;
    return track && new MediaStream([track]);
  });

  /** How good it is, in one word. */
  readonly quality = computed<Quality>(() => {
    const connected = this.#link.value === 'connected' && !this.#deaf.value;
    return judge(connected, this.#word.value, [...this.#sights.value.values()], {
      paused: this.#seats.value.some((seat) => seat.camera && seat.paused),
      held: this.#shown().paused === true,
    });
  });

  #peer: Peer | undefined;
  #since = 0; // when the link became what it is
  #fresh = false; // this line has been welcomed
  readonly #silence = new Silence();
  readonly #uplink = new Uplink();
  readonly #hold = new Hold();
  #told: Shown = { mic: false, camera: false }; // what the others know of it
  #joined = false; // the present connection has been answered
  #offered = false; // it has been asked for
  #ice: RTCIceServer[] = [];
  #asked: { kind: 'join' | 'restart'; at: number; offer: number } | undefined;
  #offers = 0; // made so far
  #tried: { kind: 'join' | 'restart'; at: number } | undefined;
  #joins = 0;
  #busy = false; // an offer is being made
  #stops: (() => void)[] = [];

  constructor({ line, devices, connect }: Options) {
    this.#line = line;
    this.devices = devices ?? new Devices();
    this.#connect = connect ?? ((changed) => new BrowserPeer(changed));
  }

  /** Begins. What of microphone and camera is wanted comes into it as soon as it is there. */
  start(wishes: Wishes): void {
    this.#wishes.value = wishes;
    this.#since = Date.now();
    this.#renew(); // it takes its time while the line opens
    void this.devices.ask(wishes);
    this.#stops.push(
      effect(() => {
        const track = this.devices.sound.value;
        if (track) track.enabled = this.#wishes.value.mic;
        void this.#peer?.send('audio', track).catch(() => {});
      }),
      effect(() => {
        void this.#peer?.send('video', this.devices.picture.value).catch(() => {});
      }),
      // What is really shown of oneself, told to the others when it changes.
      effect(() => {
        this.#tell(this.#shown());
      }),
      effect(() => this.#make()),
    );
    const ticks = setInterval(() => this.#tick(), tickEvery);
    const looks = setInterval(() => void this.#look(), lookEvery);
    this.#stops.push(
      () => clearInterval(ticks),
      () => clearInterval(looks),
    );
    if (typeof document !== 'undefined') {
      // Who comes back to the page, or into a network, does not wait out a pause.
      const back = () => {
        if (document.visibilityState === 'visible' && !this.#reachable.value) this.#line.reopen();
      };
      const online = () => this.#line.reopen();
      document.addEventListener('visibilitychange', back);
      addEventListener('online', online);
      this.#stops.push(() => {
        document.removeEventListener('visibilitychange', back);
        removeEventListener('online', online);
      });
    }
    this.#line.open({
      up: () => {},
      message: (message) => this.#hear(message),
      down: () => this.#down(),
      shut: (why) => this.#shut(why),
    });
  }

  setMic(on: boolean): void {
    this.#wishes.value = { ...this.#wishes.value, mic: on };
    if (on) void this.devices.ask({ mic: true, camera: false });
  }

  /** Off lets go of the camera; on asks for it when it has not been. */
  setCamera(on: boolean): void {
    this.#wishes.value = { ...this.#wishes.value, camera: on };
    if (on) void this.devices.ask({ mic: false, camera: true });
    else this.devices.dropCamera();
  }

  /** What is known of the call from elsewhere, such as the live stream. */
  learn(call: Call): void {
    if (this.#call.value && this.#call.value.id !== call.id) return;
    this.#know(call);
  }

  /** Leaves the call and lets go of everything. */
  leave(): void {
    if (this.#ended()) return;
    this.#line.send({ type: 'leave' });
    this.#finish('over');
  }

  #ended = (): boolean => ['over', 'refused', 'elsewhere'].includes(this.#stage.value);

  /** Makes the picture as it is wanted. */
  #make(): void {
    const rest = this.#rest.value;
    const wanted = { picture: rest === 'no', small: this.#seats.value.length > 1 };
    void this.#peer?.make({ ...wanted, frugal: rest === 'line' }).catch(() => {}); // the next look tries again
  }

  #tell(shown: Shown): void {
    const told = this.#told;
    const same =
      shown.mic === told.mic && shown.camera === told.camera && shown.paused === told.paused;
    if (same || !this.#fresh || !this.#joined) return;
    this.#line.send({ type: 'state', ...(this.#told = shown) });
  }

  #shown(): Shown {
    const wishes = this.#wishes.value;
    const camera = wishes.camera && this.devices.picture.value !== undefined;
    const paused = camera && this.#rest.value === 'line';
    return {
      mic: wishes.mic && this.devices.sound.value !== undefined,
      camera,
      ...(paused ? { paused } : {}),
    };
  }

  #renew(): void {
    this.#peer?.close();
    this.#link.value = 'new';
    this.#since = Date.now();
    const peer: Peer = this.#connect((link) => {
      if (peer === this.#peer) this.#changed(link);
    });
    this.#peer = peer;
    void peer.send('audio', this.devices.sound.value).catch(() => {});
    void peer.send('video', this.devices.picture.value).catch(() => {});
    this.#silence.renew();
    this.#uplink.renew();
    this.#word.value = undefined; // it was about the connection before
    this.#reckon();
    this.#make();
  }

  /** Whether the picture is to be made, from all that is known now. */
  #reckon(): void {
    this.#rest.value = this.#uplink.rest(this.#word.value, this.#seats.value.length, Date.now());
  }

  #changed(link: Link): void {
    this.#link.value = link;
    this.#since = Date.now();
    if (link === 'connected') {
      this.#tried = undefined;
      this.#joins = 0;
      this.#stage.value = 'on';
    } else if (this.#stage.value === 'on' && (link === 'disconnected' || link === 'failed')) {
      this.#stage.value = 'lost';
    }
    this.#tick();
  }

  #hear(message: FromService): void {
    if (this.#ended()) return;
    switch (message.type) {
      case 'welcome':
        batch(() => {
          this.#me.value = message.me;
          this.#reachable.value = true;
          this.#problem.value = undefined;
          this.#know(message.call);
        });
        if (!this.#ended()) this.#welcomed(message.ice ?? []);
        break;
      case 'answer':
        void this.#answered(message.sdp, message.offer);
        break;
      case 'people':
        this.#seats.value = message.people ?? [];
        break;
      case 'call':
        this.#know(message.call);
        break;
      case 'line': {
        const { video_paused, quality, loss, kbps, watched = true } = message;
        this.#word.value = { video_paused, quality, loss, kbps, watched };
        this.#reckon();
        break;
      }
      case 'gone':
        this.#asked = undefined;
        void this.#ask('join');
        break;
      case 'problem':
        this.#problem.value = { id: message.id, text: message.text };
        break;
    }
  }

  // A second welcome on one line brings new credentials; the first begins all anew.
  #welcomed(ice: RTCIceServer[]): void {
    const first = !this.#fresh;
    this.#fresh = true;
    this.#ice = ice;
    this.#peer?.configure(ice);
    if (!first && this.#link.value === 'connected') return;
    if (!first && this.#asked) return;
    // Whether the service still has this session shows in its answer to a restart.
    const had = this.#joined && this.#link.value !== 'failed';
    void this.#ask(had ? 'restart' : 'join');
  }

  async #ask(kind: 'join' | 'restart'): Promise<void> {
    if (this.#busy || !this.#fresh || this.#ended()) return;
    this.#busy = true;
    const offer = ++this.#offers;
    this.#asked = { kind, at: Date.now(), offer };
    try {
      if (kind === 'join') {
        if (this.#offered) this.#renew(); // every join is a connection of its own
        this.#offered = true;
        this.#joined = false;
        this.#joins++;
        this.#peer!.configure(this.#ice);
      }
      const peer = this.#peer!;
      const sdp = await peer.offer(kind === 'restart');
      if (!this.#fresh || this.#ended() || peer !== this.#peer) {
        this.#asked = undefined;
        return;
      }
      this.#line.send(
        kind === 'join'
          ? { type: kind, sdp, offer, ...(this.#told = this.#shown()) }
          : { type: kind, sdp, offer },
      );
    } catch {
      this.#asked = undefined;
      this.#tried = { kind, at: Date.now() };
      this.#link.value = 'failed';
    } finally {
      this.#busy = false;
    }
  }

  async #answered(sdp: string, offer: number | undefined): Promise<void> {
    const asked = this.#asked;
    const peer = this.#peer;
    // To something that nobody waits for any more, or to what was asked before.
    if (!asked || !peer || this.#busy || (offer ?? asked.offer) !== asked.offer) return;
    this.#asked = undefined;
    this.#tried = this.#link.value === 'connected' ? undefined : { ...asked, at: Date.now() };
    try {
      await peer.answer(sdp);
      if (peer !== this.#peer) return;
      this.#joined = true;
      this.#tell(this.#shown()); // a camera that became ready meanwhile
      this.#turn.value++;
    } catch {
      if (peer === this.#peer) this.#link.value = 'failed';
    }
  }

  #tick(): void {
    if (this.#ended() || this.#busy) return;
    const now = Date.now();
    const next = cure({
      link: this.#link.value,
      since: now - this.#since,
      welcome: this.#fresh,
      asked: this.#asked?.kind,
      waited: this.#asked ? now - this.#asked.at : 0,
      tried: this.#tried?.kind,
      after: this.#tried ? now - this.#tried.at : Infinity,
      joins: this.#joins,
      silent: this.#silence.lasts,
      helped: this.#silence.helped,
    });
    if (next && this.#link.value === 'connected') this.#silence.helped++;
    if (next === 'reopen') {
      const { kind } = this.#asked!;
      this.#asked = undefined;
      this.#tried = { kind, at: now };
      this.#line.reopen();
    } else if (next) {
      void this.#ask(next);
    }
  }

  async #look(): Promise<void> {
    const peer = this.#peer;
    if (!peer || !this.#joined || this.#ended()) return;
    const counted = await peer.count().catch(() => undefined);
    if (!counted || peer !== this.#peer) return;
    const at = Date.now();
    const before = this.#sights.value;
    const found = counted.decoded;
    this.#uplink.count(counted.sent, at);
    this.#reckon();
    this.#make();
    if (this.#link.value === 'connected') this.#listen(found, at);
    const held = this.#held.value;
    this.#sights.value = new Map(
      this.#seats.value.map((seat) => {
        const now = { ...nothing, ...found.get(seat.audio), ...pick(found.get(seat.video)) };
        const shown = seat.camera && seat.video !== '' && !seat.paused && !held;
        return [seat.id, look(before.get(seat.id), now, shown, at)];
      }),
    );
    const worst = Math.max(0, ...[...this.#sights.value.values()].map((s) => s.invented));
    peer.hold(this.#hold.look(worst, at));
  }

  /** Somebody who has their microphone on is to be heard, be it that they say nothing. */
  #listen(found: ReadonlyMap<string, Partial<Decoded>>, at: number): void {
    const heard = this.#seats.value.filter((seat) => seat.mic && seat.audio !== '');
    const packets = heard.reduce((sum, seat) => sum + (found.get(seat.audio)?.packets ?? 0), 0);
    this.#silence.look(heard.length > 0 ? packets : undefined, at);
    this.#deaf.value = this.#silence.lasts >= deafAfter;
  }

  #know(call: Call): void {
    this.#call.value = call;
    if (call.state === 'ended') this.#finish('over');
  }

  #down(): void {
    this.#fresh = false;
    this.#asked = undefined;
    this.#reachable.value = false;
  }

  #shut(why: Shut): void {
    this.#finish(why);
  }

  #finish(stage: 'over' | Shut): void {
    if (this.#ended()) return;
    batch(() => {
      this.#stage.value = stage;
      this.#seats.value = [];
      this.#reachable.value = false;
    });
    this.#fresh = false;
    for (const stop of this.#stops.splice(0).reverse()) stop();
    this.#line.close();
    this.#peer?.close();
    this.#peer = undefined;
    this.devices.close();
  }
}

const pick = (video: Partial<Decoded> | undefined): Partial<Decoded> =>
  video?.frames === undefined ? {} : { frames: video.frames };
