import { signal } from '@preact/signals';
import { api, post, Problem, request } from '../api/client';
import { Queue, type Deed, type Outcomes, type Storage } from '../shared/queue';
import { serverNow } from '../shared/time';

/** Something written or done about a resident that the server may not know yet. */
export interface CareDeed extends Deed {
  kind: 'note' | 'visit' | 'message' | 'call';
  home: string;
  /** What it is in words, in the language of who did it: "Anteckning om Märta Lindqvist". */
  what: string;
  method: 'POST' | 'PUT';
  /** Under /api/v1. */
  path: string;
  body: Readonly<Record<string, unknown>>;
}

/** A deed that the server said no to, or that waited too long: its words are kept for who wrote them. */
export interface Refused {
  deed: CareDeed;
  /** What the server said; "" when it was never reached. */
  detail: string;
  id: string;
}

/** What was written a week ago may be written still; later nobody knows what it was about. */
const keepFor = 7 * 24 * 60 * 60_000;
const stored = 'lykta.refused.v1';
const most = 50;

const isDeed = (deed: unknown): boolean => {
  const d = deed as Partial<CareDeed>;
  return typeof d.home === 'string' && typeof d.path === 'string' && typeof d.body === 'object';
};

/** The queue of what is written and done about residents; what is done to alerts has one of its own. */
export const careQueue = (
  storage: Storage,
  outcomes: Outcomes<CareDeed, void>,
  send: (deed: CareDeed) => Promise<unknown> = sendDeed,
): Queue<CareDeed, void> =>
  new Queue<CareDeed, void>(
    storage,
    {
      stored: 'lykta.care.v1',
      isDeed,
      send: async (deed) => void (await send(deed)),
      // Of how a visit went the latest word counts.
      beside: (waiting, added) =>
        waiting.kind === 'visit' && waiting.path === added.path ? 'newer' : 'other',
      lane: (deed) => `${deed.kind} ${deed.home}`,
      keepFor,
    },
    outcomes,
  );

/**
 * What is sent of a deed: a note says when it was written, by the server's
 * clock, which is `ahead` of this device's by so many milliseconds.
 */
export const bodyOf = ({ kind, body, at }: CareDeed, ahead: number): CareDeed['body'] =>
  kind === 'note' ? { ...body, written: new Date(at + ahead).toISOString() } : body;

const sendDeed = (deed: CareDeed) =>
  request(`${api}${deed.path}`, {
    ...post(bodyOf(deed, serverNow() - Date.now()), { 'Idempotency-Key': deed.key }),
    method: deed.method,
  });

/** What came of deeds that were not taken, kept on this device until the person has seen to it. */
export class Refusals {
  readonly all = signal<readonly Refused[]>([]);

  constructor(private readonly storage: Storage) {
    try {
      const kept: unknown = JSON.parse(storage.getItem(stored) ?? '[]');
      if (Array.isArray(kept)) this.all.value = kept.filter((r) => r?.deed && isDeed(r.deed));
    } catch {
      // What cannot be read is not shown.
    }
  }

  add(deed: CareDeed, problem?: Problem): void {
    const refused = { deed, detail: problem?.detail ?? '', id: problem?.id ?? '' };
    this.keep([...this.all.value, refused].slice(-most));
  }

  remove(key: string): void {
    this.keep(this.all.value.filter((r) => r.deed.key !== key));
  }

  private keep(all: readonly Refused[]): void {
    this.all.value = all;
    try {
      this.storage.setItem(stored, JSON.stringify(all));
    } catch {
      // Storage is full or forbidden: they then live as long as the page.
    }
  }
}
