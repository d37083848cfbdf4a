import type { Hearing, Line } from '../../call/line';
import { read, type FromService, type ToService } from '../../call/wire';
import type { Call } from '../status';

/** What the gateway tells of calls at once: gateway/kiosk/call.go. */
export interface Hearer {
  /** The state of the call changed; null is that there is none. */
  call: (call: Call | null) => void;
  /** The service says why a call is over, ahead of the `call` that is null. */
  over: (call: string, why: string) => void;
  signal: (message: FromService) => void;
  network: (online: boolean) => void;
  /** Another page is the screen now. */
  replaced: () => void;
}

const reopenAfter = 3_000; // milliseconds; a browser gives up on what is no stream

/** Listens for as long as the page is the screen. */
export function listen(hearer: Hearer): void {
  const source = new EventSource('/call/events');
  const on = (kind: string, take: (data: string) => void) =>
    source.addEventListener(kind, (event) => take((event as MessageEvent<string>).data));
  on('call', (data) => hearer.call(JSON.parse(data) as Call | null));
  on('over', (data) => {
    const { call, why } = JSON.parse(data) as { call: string; why: string };
    hearer.over(call, why);
  });
  on('network', (data) => hearer.network((JSON.parse(data) as { online: boolean }).online));
  on('signal', (data) => {
    const message = read(data);
    if (message) hearer.signal(message);
  });
  on('replaced', () => {
    source.close();
    hearer.replaced();
    // It comes back when somebody uses it, not to fight for its place.
    addEventListener('pointerdown', () => listen(hearer), { once: true });
  });
  source.onerror = () => {
    if (source.readyState !== EventSource.CLOSED) return; // it tries again by itself
    setTimeout(() => listen(hearer), reopenAfter);
  };
}

const patience = 5_000; // milliseconds
const tries = 4;
const pause = 700;
/** So long a welcome is waited for; the one before does when none comes. */
const welcomeAfter = 1_500;

/** The way of a call's signalling through the gateway. */
export class GatewayLine implements Line {
  #hearing: Hearing | undefined;
  #sending = Promise.resolve();
  #welcome: FromService | undefined;
  #waiting: ReturnType<typeof setTimeout> | undefined;
  #knocking = false;

  constructor(private readonly call: string) {}

  open(hearing: Hearing): void {
    this.#hearing = hearing;
    hearing.up();
    this.#knock();
  }

  /** A message that came for this call. */
  take(message: FromService): void {
    if (message.type === 'welcome') {
      this.#welcome = message;
      clearTimeout(this.#waiting);
    }
    this.#hearing?.message(message);
  }

  /** The gateway reaches the service, or does not. */
  network(online: boolean): void {
    if (online) this.reopen();
    else this.#hearing?.down();
  }

  send(message: ToService): void {
    this.#sending = this.#sending.then(() => this.#post(message));
  }

  reopen(): void {
    this.#hearing?.down();
    this.#knock();
  }

  close(): void {
    this.#hearing = undefined;
    clearTimeout(this.#waiting);
  }

  // The service welcomes who is new to it. Who is not goes on from the last welcome.
  #knock(): void {
    if (!this.#knocking) {
      this.#knocking = true; // once is enough: each would be welcomed
      this.send({ type: 'ping' });
    }
    clearTimeout(this.#waiting);
    this.#waiting = setTimeout(() => {
      if (this.#welcome) this.#hearing?.message(this.#welcome);
      else if (this.#hearing) this.#knock();
    }, welcomeAfter);
  }

  async #post(message: ToService): Promise<void> {
    const knocks = message.type === 'ping';
    for (let i = 0; i < tries && this.#hearing; i++) {
      const went = await post(this.call, message);
      if (knocks) this.#knocking = false;
      if (knocks || went !== 'again') return; // who knocks does so again
      await new Promise((later) => setTimeout(later, pause));
    }
    if (!this.#hearing) return;
    this.#hearing.down();
    this.#knock();
  }
}

async function post(call: string, message: ToService): Promise<'sent' | 'again' | 'lost'> {
  try {
    const { ok, status } = await fetch('/call/signal', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ call, message }),
      signal: AbortSignal.timeout(patience),
    });
    return ok ? 'sent' : status >= 500 || status === 429 ? 'again' : 'lost';
  } catch {
    return 'again';
  }
}
