import type { Memory } from './teller';

/** The gateway's answer to a POST: taken, not now, or never. */
export type Reply = { ok: true } | { ok: false; again: boolean; id: string };
export type Post = (path: string, body: object) => Promise<Reply>;

/** Something the resident did, until the gateway has it on disk. */
export interface Deed {
  name: string;
  state: 'saving' | 'trouble' | 'stored' | 'failed';
  /** The LYK id of what went wrong last; "" is nothing. */
  id: string;
  /** When its state last changed, by the page's own time in milliseconds. */
  since: number;
}

interface Open {
  name: string;
  path: string;
  body: object;
  /** Until when it is tried, milliseconds since 1970 by the browser's clock. */
  until: number;
}

export interface Doing {
  post: Post;
  /** A fresh random key. */
  key: () => string;
  memory: Memory;
  /** Something changed. */
  changed: () => void;
}

const again = 1_500; // between two tries, milliseconds
const shown = 20_000; // how long a failure stays to be read
const remembered = 'lykta.kiosk.deed.';
/** A cry for help is tried for as long as it can still be one. */
const helpFor = 12 * 3_600_000;
const otherwise = 5 * 60_000;

/** What is never given up when the page is loaded again. */
export const help = 'sos';

/**
 * Hands deeds to the gateway: each with one key of its own, again and again
 * until it is stored or the deed is over. One deed of a name at a time.
 */
export class Deeds {
  #deeds = new Map<string, Deed>();

  constructor(private readonly doing: Doing) {
    const saved = doing.memory.getItem(remembered + help);
    const open = saved ? parse(saved) : undefined;
    if (open && open.until > Date.now()) this.#begin(open);
  }

  of(name: string): Deed | undefined {
    return this.#deeds.get(name);
  }

  /** Starts a deed, unless one of that name is under way. */
  do(name: string, path: string, body: object): void {
    const state = this.of(name)?.state;
    if (state === 'saving' || state === 'trouble') return;
    const until = Date.now() + (name === help ? helpFor : otherwise);
    const open = { name, path, body: { ...body, key: this.doing.key() }, until };
    if (name === help) this.doing.memory.setItem(remembered + help, JSON.stringify(open));
    this.#begin(open);
  }

  /** Forgets how a deed went. */
  forget(name: string): void {
    if (this.of(name)?.state === 'stored' || this.of(name)?.state === 'failed') {
      this.#deeds.delete(name);
      this.doing.changed();
    }
  }

  #begin(open: Open): void {
    this.#note(open.name, 'saving', '');
    void this.#run(open);
  }

  async #run(open: Open): Promise<void> {
    for (;;) {
      const reply = await this.doing.post(open.path, open.body);
      if (reply.ok) return this.#end(open, 'stored', '');
      if (!reply.again || Date.now() >= open.until) return this.#end(open, 'failed', reply.id);
      this.#note(open.name, 'trouble', reply.id);
      await new Promise((later) => setTimeout(later, again));
    }
  }

  #end({ name }: Open, state: 'stored' | 'failed', id: string): void {
    if (name === help) this.doing.memory.setItem(remembered + help, '');
    this.#note(name, state, id);
    setTimeout(() => this.forget(name), shown);
  }

  #note(name: string, state: Deed['state'], id: string): void {
    const last = this.of(name);
    if (last?.state === state && last.id === id) return;
    this.#deeds.set(name, { name, state, id, since: performance.now() });
    this.doing.changed();
  }
}

function parse(saved: string): Open | undefined {
  try {
    return JSON.parse(saved) as Open;
  } catch {
    return undefined; // not ours
  }
}

/** No answer at all: the id by which staff can look it up. */
export const noAnswer = 'LYK-0425';
const patience = 5_000;

/** Posts to the gateway. */
export const post: Post = async (path, body) => {
  try {
    const response = await fetch(path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(patience),
    });
    if (response.ok) return { ok: true };
    const id = /LYK-\d{4}/.exec(await response.text())?.[0] ?? `HTTP ${response.status}`;
    return { ok: false, again: response.status >= 500 || response.status === 429, id };
  } catch {
    return { ok: false, again: true, id: noAnswer };
  }
};

/** 128 random bits; crypto.randomUUID is not there on every address. */
export const randomKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) =>
    b.toString(16).padStart(2, '0'),
  ).join('');
