// The call that this window is in: it goes on whatever page is looked at.
import { effect, signal } from '@preact/signals';
import { keepAwake } from '../../call/awake';
import { Devices } from '../../call/devices';
import { SocketLine, type Shut } from '../../call/line';
import { camera, hasChecked } from '../../call/memory';
import { Session, type Person } from '../../call/session';
import type { Call } from '../../call/wire';
import { personIn, problemWords } from '../../call/words';
import { Problem } from '../../api/http';
import { go } from '../../shared/router';
import { me } from '../state';
import * as api from './api';
import { followCalls, learn, live, present, toMake, type Wanted } from './live';

export interface Current {
  id: string;
  name: string;
  session: Session;
  /** The screen was asked to answer by itself. */
  automatic: boolean;
}

/** What the page of calls is about. */
export type Place =
  | { is: 'none' }
  | { is: 'try' } // camera and microphone, without a call
  | { is: 'check'; wanted: Wanted } // the same, before the first call
  | { is: 'auto'; wanted: Wanted } // whether the screen should answer by itself
  | { is: 'starting'; name: string }
  | { is: 'failed'; wanted: Wanted; text: string; other: Call | undefined }
  | { is: 'lost'; id: string; text: string } // a call that could not be looked at
  | { is: 'past'; call: Call } // one that was over before it was opened
  | { is: 'in'; current: Current };

export const place = signal<Place>({ is: 'none' });

/** The page of calls was opened: with a call, or to make the one that is wanted. */
export async function enter(id: string, wish: Wanted | undefined): Promise<void> {
  const now = place.value;
  if (id === 'check') {
    if (now.is !== 'in') place.value = { is: 'try' };
    return;
  }
  if (id === toMake) {
    if (wish) {
      if (wish.automatic) place.value = { is: 'auto', wanted: wish };
      else await checkOrBegin(wish);
    } else if (now.is === 'in') go(`/call/${encodeURIComponent(now.current.id)}`, true);
    else if (now.is !== 'starting') place.value = { is: 'none' };
    return;
  }
  if (now.is === 'in' && now.current.id === id) return;
  await open(id);
}

/** Makes a call; the first time, one sees how one looks before. */
export async function checkOrBegin(wanted: Wanted): Promise<void> {
  if (hasChecked()) await begin(wanted);
  else place.value = { is: 'check', wanted };
}

/** Makes a call. A second touch while it is being made changes nothing. */
export async function begin(wanted: Wanted): Promise<void> {
  if (place.value.is === 'starting') return;
  leave();
  place.value = { is: 'starting', name: wanted.name };
  const devices = new Devices();
  void devices.ask({ mic: true, camera: camera() }); // while the service is asked
  try {
    const call = await api.start(wanted, crypto.randomUUID());
    join(call, wanted.name, devices, wanted.automatic);
    go(`/call/${encodeURIComponent(call.id)}`, true);
  } catch (error) {
    devices.close();
    const busy = error instanceof Problem && error.id === 'LYK-0901';
    const other = busy
      ? (await api.calls({ home: wanted.home, live: 'true' }).catch(() => []))[0]
      : undefined;
    place.value = { is: 'failed', wanted, text: problemWords(error), other };
  }
}

/** Goes into a call that there is. */
async function open(id: string): Promise<void> {
  leave();
  place.value = { is: 'starting', name: '' };
  try {
    const call = await api.call(id);
    if (call.state === 'ended') place.value = { is: 'past', call };
    else join(call, personIn(call), new Devices(), false);
  } catch (error) {
    const unknown = error instanceof Problem && error.status === 404;
    place.value = unknown ? { is: 'none' } : { is: 'lost', id, text: problemWords(error) };
  }
}

/** Goes into the same call again. */
export const again = (id: string): Promise<void> => open(id);

let stops: (() => void)[] = [];

function join(call: Call, name: string, devices: Devices, automatic: boolean): void {
  const { id } = call;
  const look = async (): Promise<Shut | undefined> => {
    try {
      const now = await api.call(id);
      session.learn(now);
      return now.state === 'ended' ? 'over' : undefined;
    } catch (error) {
      const refused = error instanceof Problem && [401, 403, 404].includes(error.status);
      return refused ? 'refused' : undefined;
    }
  };
  const session = new Session({ line: new SocketLine({ url: api.socketOf(id), look }), devices });
  const current = { id, name, session, automatic };
  session.learn(call);
  session.start({ mic: true, camera: camera() });
  const asleep = keepAwake();
  stops = [
    asleep,
    sounds(() => session.people.value),
    followCalls((changed) => session.learn(changed)),
    // Who signs out is in no call.
    effect(() => void (me.value === null && session.leave())),
    effect(() => {
      const known = session.call.value;
      const ended = ['over', 'refused', 'elsewhere'].includes(session.stage.value);
      if (ended) asleep();
      const who = known?.answered ? personIn(known) : name;
      present.value = ended ? undefined : { id, name: who, ringing: known?.state === 'ringing' };
    }),
    // What one hears here first is news for the rest of the app too.
    effect(() => {
      const known = session.call.value;
      if (known && known !== live.peek().get(id)) queueMicrotask(() => learnOnce(known));
    }),
  ];
  place.value = { is: 'in', current };
}

let latest: Call | undefined;
function learnOnce(call: Call): void {
  if (call === latest) return;
  latest = call;
  learn(call);
}

/** Hangs up: for all, when this person called. */
export async function hangUp({ id, session }: Current): Promise<void> {
  session.leave();
  for (let i = 0; i < 3; i++) {
    try {
      session.learn(await api.hangUp(id));
      return;
    } catch (error) {
      if (error instanceof Problem) return; // it is over already
      await new Promise((later) => setTimeout(later, 1_000 * 2 ** i));
    }
  }
}

/** Lets go of what this window is in, or was. */
export function leave(): void {
  const now = place.value;
  if (now.is === 'in') now.current.session.leave();
  for (const stop of stops.splice(0)) stop();
  present.value = undefined;
  place.value = { is: 'none' };
}

/** Plays what is heard from the others, whatever page is shown; returns its stop. */
function sounds(people: () => readonly Person[]): () => void {
  const playing = new Map<string, HTMLAudioElement>();
  const stop = effect(() => {
    const all = people();
    for (const [id, audio] of playing) {
      if (all.some((p) => p.id === id && p.sound)) continue;
      audio.srcObject = null;
      playing.delete(id);
    }
    for (const { id, sound } of all) {
      if (!sound) continue;
      const audio = playing.get(id) ?? new Audio();
      playing.set(id, audio);
      if (audio.srcObject === sound) continue;
      audio.srcObject = sound;
      audio.autoplay = true;
      void audio.play().catch(() => {}); // it begins with the next touch
    }
  });
  const touched = () => playing.forEach((a) => a.paused && void a.play().catch(() => {}));
  document.addEventListener('click', touched);
  return () => {
    stop();
    document.removeEventListener('click', touched);
    for (const audio of playing.values()) audio.srcObject = null;
  };
}
