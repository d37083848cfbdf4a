import { acknowledge, onTheWay } from '../api/http';
import { Queue, type Deed, type Outcomes, type Storage } from '../shared/queue';
import { knowsServerTime, serverNow } from '../shared/time';
import * as api from './api';

const kinds = ['acknowledge', 'on_the_way', 'message', 'visit'] as const;

/** Something that a relative does, perhaps without a network. */
export interface FamilyDeed extends Deed {
  kind: (typeof kinds)[number];
  home: string;
  /** Of acknowledge and on_the_way. */
  alert?: string;
  /** Of on_the_way: until they are there, counted from `at`; 0 is not said. */
  minutes?: number;
  /** Of message. */
  text?: string;
  /** Of message: a JPEG in base64. */
  picture?: string;
  /** Of message: until when it is shown, in milliseconds since 1970. */
  until?: number;
  /** Of visit, in milliseconds since 1970. */
  from?: number;
  to?: number;
  what?: string;
  video?: boolean;
}

/** "I have it" said half a day ago is not true now. */
const actFor = 12 * 60 * 60_000;

/** What is left of the minutes of a deed at the instant `at`; 0 when none were said. */
export const minutesLeft = (deed: FamilyDeed, at: number): number =>
  Math.max(0, (deed.minutes ?? 0) - Math.round((at - deed.at) / 60_000));

const iso = (ms: number | undefined) => new Date(ms ?? 0).toISOString();

function send(deed: FamilyDeed): Promise<unknown> {
  switch (deed.kind) {
    case 'acknowledge':
      return acknowledge(deed.alert ?? '', deed.key);
    case 'on_the_way':
      return onTheWay(deed.alert ?? '', deed.key, minutesLeft(deed, Date.now()));
    case 'message':
      return api.sendMessage(deed.home, deed.key, {
        text: deed.text ?? '',
        ...(deed.picture ? { picture: deed.picture } : {}),
        until: iso(deed.until),
      });
    case 'visit':
      return api.askForVisit(deed.home, deed.key, {
        from: iso(deed.from),
        to: iso(deed.to),
        what: deed.what ?? '',
        video: deed.video ?? false,
      });
  }
}

/** The queue of what the relative did until the service has it. */
export const familyQueue = (
  storage: Storage,
  outcomes: Outcomes<FamilyDeed, unknown>,
  sender: (deed: FamilyDeed) => Promise<unknown> = send,
) =>
  new Queue<FamilyDeed, unknown>(
    storage,
    {
      stored: 'lykta.family.queue.v1',
      isDeed(stored) {
        const deed = stored as Partial<FamilyDeed>;
        return typeof deed.home === 'string' && kinds.some((kind) => kind === deed.kind);
      },
      send: sender,
      // An alert never waits for a picture.
      lane: ({ kind, home }) =>
        kind === 'message' || kind === 'visit' ? `${kind} ${home}` : 'alert',
      keepFor({ kind, at, until = 0, from = 0 }) {
        if (kind !== 'message' && kind !== 'visit') return actFor;
        // Those times are the server's, `at` is this device's, whose clock may be
        // wrong. Until it is known by how much, the server says what is too late.
        if (!knowsServerTime()) return Infinity;
        return (kind === 'message' ? until : from) - (at + serverNow() - Date.now());
      },
      // The same act on the same alert is taken once; of when somebody is expected the latest word counts.
      beside(waiting, added) {
        if (!added.alert || waiting.alert !== added.alert || waiting.kind !== added.kind) {
          return 'other';
        }
        return added.kind === 'on_the_way' ? 'newer' : 'same';
      },
    },
    outcomes,
  );
