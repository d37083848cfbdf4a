import { signal } from '@preact/signals';
import { Problem } from '../api/client';
import type { Alert, Outcome } from '../api/types';

const kinds = ['acknowledge', 'take_over', 'on_the_way', 'resolve'] as const;

/** Something a person has done that the server may not know yet. */
export interface Action {
  /** The idempotency key: the same act, however often it is sent. */
  key: string;
  alert: string;
  kind: (typeof kinds)[number];
  outcome?: Outcome;
  note?: string;
  /** Of on_the_way: until the person is there, counted from `at`; none is not said. */
  minutes?: number;
  /** Who did it: never sent in another's name. */
  who: string;
  /** When, in milliseconds since 1970 by this device's clock. */
  at: number;
}

/** Sends one action and returns the alert as the server has it then. */
export type Send = (action: Action) => Promise<Alert>;

/** What came of an action. */
export interface Outcomes {
  sent(action: Action, alert: Alert): void;
  /** The server said no and will not say otherwise: the action is gone. */
  refused(action: Action, problem: Problem): void;
  /** The session is not good any more: the action waits for the person to sign in. */
  signedOut(): void;
  /** The action waited so long that what it said is no longer true. */
  stale(action: Action): void;
}

/** "I have it" said half a day ago is not true now. */
const keepFor = 12 * 60 * 60_000;
const most = 200;
const stored = 'lykta.queue.v1';

/** Where the queue survives a closed page. */
export type Storage = Pick<globalThis.Storage, 'getItem' | 'setItem'>;

/**
 * Queue keeps what a person did until the server has it: in order, in the
 * browser's storage, and under one key each, so that a repeat is harmless.
 */
export class Queue {
  /** The actions that wait, oldest first. */
  readonly waiting = signal<readonly Action[]>([]);
  /** The key of the action being sent for the first time, or "". */
  readonly sending = signal('');

  private who = '';
  private flushing = false;
  private attempt = 0;
  private retry: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly storage: Storage,
    private readonly send: Send,
    private readonly outcomes: Outcomes,
    private readonly now: () => number = Date.now,
  ) {
    this.waiting.value = this.load();
  }

  /** Says who is signed in; only that person's actions are sent. "" sends nothing. */
  signedIn(who: string): void {
    this.who = who;
    if (who) void this.flush();
  }

  /**
   * Takes an action and starts to send it. The same act on the same alert is
   * taken once; of when somebody is expected the latest word counts.
   */
  add(action: Omit<Action, 'key' | 'who' | 'at'>): void {
    let waiting = this.waiting.value;
    const same = waiting.find(
      (a) => a.alert === action.alert && a.kind === action.kind && a.who === this.who,
    );
    if (same && action.kind !== 'on_the_way') return;
    if (same) waiting = waiting.filter((a) => a !== same);
    if (waiting.length >= most) return;
    this.keep([...waiting, { ...action, key: newKey(), who: this.who, at: this.now() }]);
    this.attempt = 0;
    void this.flush();
  }

  /** Sends what waits, now. Called when the network is back. */
  async flush(): Promise<void> {
    clearTimeout(this.retry);
    if (this.flushing || !this.who) return;
    this.flushing = true;
    try {
      for (;;) {
        const action = this.waiting.value.find((a) => a.who === this.who);
        if (!action) return;
        if (this.now() - action.at > keepFor) {
          this.drop(action);
          this.outcomes.stale(action);
          continue;
        }
        if (!(await this.deliver(action))) return;
      }
    } finally {
      this.flushing = false;
      this.sending.value = '';
    }
  }

  /** Reports whether the next action may be tried. */
  private async deliver(action: Action): Promise<boolean> {
    if (this.attempt === 0) this.sending.value = action.key;
    try {
      const alert = await this.send(action);
      this.attempt = 0;
      this.drop(action);
      this.outcomes.sent(action, alert);
      return true;
    } catch (error) {
      if (error instanceof Problem && error.status === 401) {
        this.outcomes.signedOut();
        return false;
      }
      if (error instanceof Problem && final(error.status)) {
        this.drop(action);
        this.outcomes.refused(action, error);
        return true;
      }
      const ceiling = Math.min(30_000, 1_000 * 2 ** this.attempt++);
      this.retry = setTimeout(() => void this.flush(), 500 + Math.random() * ceiling);
      return false;
    }
  }

  private drop(action: Action): void {
    this.keep(this.waiting.value.filter((a) => a.key !== action.key));
  }

  private keep(actions: readonly Action[]): void {
    this.waiting.value = actions;
    try {
      this.storage.setItem(stored, JSON.stringify(actions));
    } catch {
      // Storage is full or forbidden: the queue then lives as long as the page.
    }
  }

  private load(): readonly Action[] {
    try {
      const actions: unknown = JSON.parse(this.storage.getItem(stored) ?? '[]');
      return Array.isArray(actions) ? actions.filter(isAction).slice(0, most) : [];
    } catch {
      return [];
    }
  }
}

/** What is left of the minutes of an action at the instant `at`; 0 when none were said. */
export const minutesLeft = (action: Action, at: number): number =>
  Math.max(0, (action.minutes ?? 0) - Math.round((at - action.at) / 60_000));

// Busy, timed out and broken servers get another try; all other refusals stand.
const final = (status: number) =>
  status >= 400 && status < 500 && status !== 408 && status !== 425 && status !== 429;

function isAction(a: unknown): a is Action {
  const action = a as Partial<Action> | null;
  return (
    typeof action?.key === 'string' &&
    typeof action.alert === 'string' &&
    typeof action.who === 'string' &&
    typeof action.at === 'number' &&
    kinds.some((kind) => kind === action.kind)
  );
}

/** A key that is nobody else's. crypto.randomUUID is missing where the page is not served over HTTPS. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
}
