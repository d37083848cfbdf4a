import type { Alert, Outcome } from '../api/types';
import { Queue, type Deed, type Outcomes, type Storage } from '../shared/queue';

export { newKey } from '../shared/queue';

const kinds = ['acknowledge', 'take_over', 'on_the_way', 'resolve'] as const;

/** An act on an alert. */
export interface Action extends Deed {
  alert: string;
  kind: (typeof kinds)[number];
  outcome?: Outcome;
  note?: string;
  /** Of on_the_way: until the person is there, counted from `at`; none is not said. */
  minutes?: number;
}

/** Sends one action and returns the alert as the server has it then. */
export type Send = (action: Action) => Promise<Alert>;

/** "I have it" said half a day ago is not true now. */
const keepFor = 12 * 60 * 60_000;

/** The queue of what a person did about alerts. */
export const alertQueue = (
  storage: Storage,
  send: Send,
  outcomes: Outcomes<Action, Alert>,
  now: () => number = Date.now,
) =>
  new Queue<Action, Alert>(
    storage,
    {
      stored: 'lykta.queue.v1',
      isDeed(stored) {
        const action = stored as Partial<Action>;
        return typeof action.alert === 'string' && kinds.some((kind) => kind === action.kind);
      },
      send,
      lane: () => '',
      keepFor,
      // The same act on the same alert is taken once; of when somebody is expected the latest word counts.
      beside(waiting, added) {
        if (waiting.alert !== added.alert || waiting.kind !== added.kind) return 'other';
        return added.kind === 'on_the_way' ? 'newer' : 'same';
      },
    },
    outcomes,
    now,
  );

/** What is left of the minutes of an action at the instant `at`; 0 when none were said. */
export const minutesLeft = (action: Action, at: number): number =>
  Math.max(0, (action.minutes ?? 0) - Math.round((at - action.at) / 60_000));
