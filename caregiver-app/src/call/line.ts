import { read, type FromService, type ToService } from './wire';

/** Why a line is not tried again. */
export type Shut =
  | 'over' // the call is
  | 'refused' // who this is may not, or the link is no good
  | 'elsewhere'; // the same person is in the call in another window

/** What a session hears of its line. */
export interface Hearing {
  up(): void;
  message(message: FromService): void;
  /** It is tried again by itself. */
  down(): void;
  shut(why: Shut): void;
}

/** The way of the signalling: it opens itself again until it is closed. */
export interface Line {
  open(hearing: Hearing): void;
  /** What cannot be sent now is dropped: after a new welcome everything is said anew. */
  send(message: ToService): void;
  /** It seems dead, or the network is back: begin anew, now. */
  reopen(): void;
  close(): void;
}

/** Between a ping and the next, and after which silence a line is dead; in milliseconds. */
const pingEvery = 5_000;
const deadAfter = 12_000;
const longestPause = 4_000;

/** The pause before try n (from 0), in milliseconds; `chance` is 0 to 1, so that not all come at once. */
export const pauseBefore = (n: number, chance: number): number =>
  Math.min(longestPause, 250 * 2 ** n) * (0.5 + chance / 2);

interface SocketOptions {
  /** Its address. */
  url: string;
  /** What is said first, before anything else: the code of somebody who has no session. */
  hello?: object;
  /** Asked when it was not let in, which a browser does not tell: whether there is any use in trying. */
  look?: () => Promise<Shut | undefined>;
}

/** The line of an app: a WebSocket. */
export class SocketLine implements Line {
  #socket: WebSocket | undefined;
  #hearing: Hearing | undefined;
  #tries = 0;
  #heardAt = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #beat: ReturnType<typeof setInterval> | undefined;
  #turn = 0;

  constructor(private readonly options: SocketOptions) {}

  open(hearing: Hearing): void {
    this.#hearing = hearing;
    this.#beat = setInterval(() => this.#pulse(), pingEvery);
    this.#connect();
  }

  send(message: ToService): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  reopen(): void {
    this.#tries = 0;
    if (this.#hearing) this.#lost(0);
  }

  close(): void {
    this.#hearing = undefined;
    clearTimeout(this.#retry);
    clearInterval(this.#beat);
    this.#turn++;
    this.#socket?.close(1000);
  }

  #connect(): void {
    const turn = ++this.#turn;
    const own = () => (turn === this.#turn ? this.#hearing : undefined);
    let opened = false;
    this.#heardAt = Date.now();
    const socket = new WebSocket(this.options.url, 'lykta.call.1');
    this.#socket = socket;
    socket.onopen = () => {
      if (!own()) return socket.close();
      opened = true;
      this.#heardAt = Date.now();
      if (this.options.hello) socket.send(JSON.stringify(this.options.hello));
      own()?.up();
    };
    socket.onmessage = ({ data }) => {
      const message = read(data);
      this.#heardAt = Date.now();
      if (!message) return;
      if (message.type === 'welcome') this.#tries = 0;
      own()?.message(message);
    };
    socket.onclose = ({ code, reason }) => {
      if (!own()) return;
      const why = shutBy(code, reason);
      if (why) return this.#shut(why);
      this.#lost();
      // Asked once more by itself meanwhile, it is no more let in than before.
      if (!opened) {
        void this.options.look?.().then((shut) => shut && this.#hearing && this.#shut(shut));
      }
    };
  }

  #shut(why: Shut): void {
    const hearing = this.#hearing;
    this.close();
    hearing?.shut(why);
  }

  #lost(pause = pauseBefore(this.#tries++, Math.random())): void {
    const old = this.#socket;
    this.#turn++;
    this.#socket = undefined;
    if (old) {
      old.close();
      this.#hearing?.down();
    }
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#connect(), pause);
  }

  #pulse(): void {
    if (!this.#socket) return;
    if (Date.now() - this.#heardAt > deadAfter) this.#lost(0);
    else this.send({ type: 'ping' });
  }
}

/** What a socket's end means; undefined is that it is worth another try. */
export function shutBy(code: number, reason: string): Shut | undefined {
  if (code === 4409 || reason === 'elsewhere') return 'elsewhere';
  if (code === 4401 || code === 4403 || code === 4404) return 'refused';
  if (code === 4410 || (code === 1000 && reason === 'over')) return 'over';
  return undefined;
}
