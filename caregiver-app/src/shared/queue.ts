import { signal } from '@preact/signals';
import { Problem } from '../api/http';

/** Something a person has done that the server may not know yet. */
export interface Deed {
  /** The idempotency key: the same deed, however often it is sent. */
  key: string;
  /** Who did it: never sent in another's name. */
  who: string;
  /** When, in milliseconds since 1970 by this device's clock. */
  at: number;
}

/** A deed as it is done; the queue adds key, who and when. */
export type New<D extends Deed> = Omit<D, keyof Deed>;

/** What a queue has to know of its deeds. */
export interface Rules<D extends Deed, Answer> {
  /** Under which name the storage keeps them. */
  stored: string;
  /** Whether what was stored, by this version or another, is such a deed. */
  isDeed(stored: unknown): boolean;
  /** Sends one deed and returns what the server says then. */
  send(deed: D): Promise<Answer>;
  /** Deeds of one lane go in order; one that the server cannot take now holds up its own lane only. */
  lane(deed: D): string;
  /** How long what a deed says stays true, in milliseconds. */
  keepFor: number | ((deed: D) => number);
  /**
   * What becomes of a deed when another waits already: 'same' says what that
   * one says, 'newer' says it in its place. Without it all are different.
   */
  beside?(waiting: D, added: New<D>): 'same' | 'newer' | 'other';
}

/** What came of a deed. */
export interface Outcomes<D extends Deed, Answer> {
  sent(deed: D, answer: Answer): void;
  /** The server said no and will not say otherwise: the deed is gone. */
  refused(deed: D, problem: Problem): void;
  /** The session is not good any more: the deed waits for the person to sign in. */
  signedOut(): void;
  /** The deed waited so long that what it said is no longer true. */
  stale(deed: D): void;
}

const most = 200;

/** Where the queue survives a closed page. */
export type Storage = Pick<globalThis.Storage, 'getItem' | 'setItem'>;

/**
 * Queue keeps what a person did until the server has it: in order, in the
 * browser's storage, and under one key each, so that a repeat is harmless.
 */
export class Queue<D extends Deed, Answer> {
  /** The deeds that wait, oldest first. */
  readonly waiting = signal<readonly D[]>([]);
  /** The key of the deed being sent for the first time, or "". */
  readonly sending = signal('');

  private who = '';
  private flushing = false;
  private attempt = 0;
  private retry: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly storage: Storage,
    private readonly rules: Rules<D, Answer>,
    private readonly outcomes: Outcomes<D, Answer>,
    private readonly now: () => number = Date.now,
  ) {
    this.waiting.value = this.load();
  }

  /** Says who is signed in; only that person's deeds are sent. "" sends nothing. */
  signedIn(who: string): void {
    this.who = who;
    if (who) void this.flush();
  }

  /** Takes a deed, starts to send it and returns its key; "" when too much waits already. */
  add(deed: New<D>): string {
    let waiting = this.waiting.value;
    for (const earlier of waiting) {
      if (earlier.who !== this.who) continue;
      const like = this.rules.beside?.(earlier, deed) ?? 'other';
      if (like === 'same') return earlier.key;
      if (like === 'newer') waiting = waiting.filter((a) => a !== earlier);
    }
    if (waiting.length >= most) return '';
    const added = { ...deed, key: newKey(), who: this.who, at: this.now() } as unknown as D;
    this.keep([...waiting, added]);
    this.attempt = 0;
    void this.flush();
    return added.key;
  }

  /** Forgets a deed that has not been sent: its author does not want it any more. */
  takeBack(key: string): void {
    this.keep(this.waiting.value.filter((a) => a.key !== key));
  }

  /** Sends what waits, now. Called when the network is back. */
  async flush(): Promise<void> {
    clearTimeout(this.retry);
    if (this.flushing || !this.who) return;
    this.flushing = true;
    const held = new Set<string>(); // lanes that the server cannot take now
    try {
      for (;;) {
        const deed = this.waiting.value.find(
          (a) => a.who === this.who && !held.has(this.rules.lane(a)),
        );
        if (!deed) break;
        const { keepFor } = this.rules;
        if (this.now() - deed.at > (typeof keepFor === 'number' ? keepFor : keepFor(deed))) {
          this.takeBack(deed.key);
          this.outcomes.stale(deed);
          continue;
        }
        const came = await this.deliver(deed);
        if (came === 'stop') break;
        if (came === 'held') held.add(this.rules.lane(deed));
      }
    } finally {
      this.flushing = false;
      this.sending.value = '';
    }
  }

  /** Sends one deed, and says whether the next of its lane, or any, may be tried. */
  private async deliver(deed: D): Promise<'next' | 'held' | 'stop'> {
    if (this.attempt === 0) this.sending.value = deed.key;
    try {
      const answer = await this.rules.send(deed);
      this.attempt = 0;
      this.takeBack(deed.key);
      this.outcomes.sent(deed, answer);
      return 'next';
    } catch (error) {
      if (error instanceof Problem && error.status === 401) {
        this.outcomes.signedOut();
        return 'stop';
      }
      if (error instanceof Problem && final(error.status)) {
        this.takeBack(deed.key);
        this.outcomes.refused(deed, error);
        return 'next';
      }
      const ceiling = Math.min(30_000, 1_000 * 2 ** this.attempt++);
      clearTimeout(this.retry);
      this.retry = setTimeout(() => void this.flush(), 500 + Math.random() * ceiling);
      return error instanceof Problem ? 'held' : 'stop';
    }
  }

  private keep(deeds: readonly D[]): void {
    this.waiting.value = deeds;
    try {
      this.storage.setItem(this.rules.stored, JSON.stringify(deeds));
    } catch {
      // Storage is full or forbidden: the queue then lives as long as the page.
    }
  }

  private load(): readonly D[] {
    try {
      const deeds: unknown = JSON.parse(this.storage.getItem(this.rules.stored) ?? '[]');
      if (!Array.isArray(deeds)) return [];
      return deeds.filter((a) => isKept(a) && this.rules.isDeed(a)).slice(0, most) as D[];
    } catch {
      return [];
    }
  }
}

function isKept(a: unknown): boolean {
  const deed = a as Partial<Deed> | null;
  return (
    typeof deed?.key === 'string' && typeof deed.who === 'string' && typeof deed.at === 'number'
  );
}

// Busy, timed out and broken servers get another try; all other refusals stand.
const final = (status: number) =>
  status >= 400 && status < 500 && status !== 408 && status !== 425 && status !== 429;

/** A key that is nobody else's. crypto.randomUUID is missing where the page is not served over HTTPS. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
}
