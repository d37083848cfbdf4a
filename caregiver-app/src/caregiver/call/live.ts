// Which calls there are, and what of them this window is in: what the bar and
// the buttons need before anybody has called.
import { signal } from '@preact/signals';
import type { Call } from '../../call/wire';
import { go } from '../../shared/router';
import { me, onChange } from '../state';
import * as api from './api';

/** The calls that have not ended, by id. */
export const live = signal<ReadonlyMap<string, Call>>(new Map());

/** The call that this window is in; undefined is none. */
export const present = signal<{ id: string; name: string; ringing: boolean } | undefined>();

/** Who is to be called as soon as the page of calls is there. */
export const wanted = signal<Wanted | undefined>();

export interface Wanted extends api.Start {
  /** What the resident is called in a sentence. */
  name: string;
}

/** In the place of a call's id: the one that is wanted. */
export const toMake = 'new';

/** Calls a resident. */
export function ring(home: string, name: string, more: Partial<api.Start> = {}): void {
  wanted.value = { home, name, visit: '', alert: '', automatic: false, ...more };
  go(`/call/${toMake}`);
}

const followers = new Set<(call: Call) => void>();

/** Calls back with every change of a call; returns its stop. */
export function followCalls(changed: (call: Call) => void): () => void {
  followers.add(changed);
  return () => void followers.delete(changed);
}

/** Puts in what is known of a call. */
export function learn(call: Call): void {
  const next = new Map(live.value);
  if (call.state === 'ended') next.delete(call.id);
  else next.set(call.id, call);
  live.value = next;
  for (const changed of followers) changed(call);
}

let turn = 0;

/** Keeps up with the calls, for as long as somebody is signed in; returns its stop. */
export function keepUp(): () => void {
  const fetch = async () => {
    const mine = ++turn;
    const all = await api.calls({ live: 'true' }).catch(() => undefined);
    if (mine === turn && all) live.value = new Map(all.map((c) => [c.id, c]));
  };
  void fetch();
  return onChange((change) => {
    if (!change) void fetch();
    else if (change.kind === 'call') learn(change as unknown as Call);
  });
}

/** Whether this person made the call: to hang up ends it for all. */
export function isMine(call: Call): boolean {
  const person = (me.value as { person?: string } | null)?.person ?? '';
  return call.by.id === person || call.by.id === `person:${person}`;
}
