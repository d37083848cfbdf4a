import { signal } from '@preact/signals';
import { api, json, post, request } from '../api/http';
import { worker, workerThere } from './shell';

/** Whether this browser shows alerts that are pushed to the person. */
export type Push =
  | 'unknown' // not looked at yet
  | 'on'
  | 'off'
  | 'working'
  | 'blocked' // by the browser: the person or their employer has said no
  | 'no_browser'
  | 'no_https'
  | 'no_key' // the service is not set up for it
  | 'nobody'; // the sign-in belongs to nobody who is told of alerts

/** Where this browser stands. */
export const push = signal<Push>('unknown');
/** What went wrong the last time; undefined when nothing did. */
export const pushFailure = signal<unknown>(undefined);

/** Whose alerts, and in which app they open. */
export interface PushOwner {
  person: string;
  /** The address beneath which the app lives: "/" or "/family/". */
  root: string;
}

interface Subscription {
  endpoint: string;
  keys: { p256dh: string; auth: string };
}

// The key with which a browser subscribes; "" where there is no Web Push.
const pushKey = async (): Promise<string> => (await json<{ key: string }>(`${api}/push`)).key;

const put = (s: Subscription) => request(`${api}/me/browser`, { ...post(s), method: 'PUT' });
const forget = (s: Subscription) => request(`${api}/me/browser/forget`, post(s));

// Whose alerts this browser shows: on a shared telephone nobody gets those of
// another by signing in.
const remembered = (root: string) => (root === '/' ? 'lykta.push' : `lykta.push ${root}`);

function subscriptionOf(s: PushSubscription): Subscription {
  const { endpoint = '', keys = {} } = s.toJSON();
  return { endpoint, keys: { p256dh: keys['p256dh'] ?? '', auth: keys['auth'] ?? '' } };
}

const present = async (root: string): Promise<PushSubscription | null> =>
  (await (await workerThere(root))?.pushManager.getSubscription()) ?? null;

/** Finds out where the browser stands. A subscription that is there is told to the service anew. */
export async function lookAtPush({ person, root }: PushOwner): Promise<void> {
  if (push.value === 'working') return;
  if (!isSecureContext) push.value = 'no_https';
  else if (!('serviceWorker' in navigator) || !('PushManager' in window)) push.value = 'no_browser';
  else if (!person) push.value = 'nobody';
  else if (Notification.permission === 'denied') push.value = 'blocked';
  else {
    try {
      const subscription = await present(root);
      const mine = localStorage.getItem(remembered(root)) === person;
      if (subscription && mine) {
        await worker(root);
        await put(subscriptionOf(subscription));
        push.value = 'on';
      } else {
        push.value = (await pushKey()) ? 'off' : 'no_key';
      }
      pushFailure.value = undefined;
    } catch (error) {
      pushFailure.value = error;
    }
  }
}

/**
 * Tells the service anew of this browser, if it shows the person's alerts: when they signed
 * out, the service forgot it.
 */
export async function tellPush(owner: PushOwner): Promise<void> {
  if (localStorage.getItem(remembered(owner.root)) === owner.person) await lookAtPush(owner);
}

export async function turnPushOn({ person, root }: PushOwner): Promise<void> {
  push.value = 'working';
  pushFailure.value = undefined;
  try {
    if ((await Notification.requestPermission()) !== 'granted') {
      push.value = Notification.permission === 'denied' ? 'blocked' : 'off';
      return;
    }
    const key = await pushKey();
    if (!key) {
      push.value = 'no_key';
      return;
    }
    const registration = await active(await worker(root));
    const subscription = await subscribe(registration.pushManager, key);
    await put(subscriptionOf(subscription));
    localStorage.setItem(remembered(root), person);
    push.value = 'on';
  } catch (error) {
    push.value = 'off';
    pushFailure.value = error;
  }
}

// navigator.serviceWorker.ready speaks of the page's own scope only; a worker
// just registered has to start first.
function active(registration: ServiceWorkerRegistration): Promise<ServiceWorkerRegistration> {
  const starting = registration.installing ?? registration.waiting;
  if (registration.active || !starting) return Promise.resolve(registration);
  return new Promise((resolve, reject) =>
    starting.addEventListener('statechange', () => {
      if (starting.state === 'activated') resolve(registration);
      if (starting.state === 'redundant') reject(new Error('the app could not be kept'));
    }),
  );
}

// A subscription under an earlier key of the service is in the way of a new one.
async function subscribe(manager: PushManager, key: string): Promise<PushSubscription> {
  const options = { userVisibleOnly: true, applicationServerKey: key };
  try {
    return await manager.subscribe(options);
  } catch (error) {
    const old = await manager.getSubscription();
    if (!old) throw error;
    await old.unsubscribe();
    return manager.subscribe(options);
  }
}

export async function turnPushOff({ root }: PushOwner): Promise<void> {
  push.value = 'working';
  pushFailure.value = undefined;
  try {
    const subscription = await present(root);
    if (subscription) {
      await forget(subscriptionOf(subscription));
      await subscription.unsubscribe();
    }
    localStorage.removeItem(remembered(root));
    push.value = 'off';
  } catch (error) {
    push.value = 'on';
    pushFailure.value = error;
  }
}
