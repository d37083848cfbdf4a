import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { t, type Key } from '../shared/i18n';
import { inWords } from './asking';
import './pagetexts';
import './push.css';
import { me } from './state';
import * as api from './teamapi';

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

const push = signal<Push>('unknown');
const failure = signal('');

// Whose alerts this browser shows: on a shared telephone nobody gets those of
// another by signing in.
const remembered = 'lykta.push';
const dismissed = 'lykta.push.later';

function subscriptionOf(s: PushSubscription): api.Subscription {
  const { endpoint = '', keys = {} } = s.toJSON();
  return { endpoint, keys: { p256dh: keys['p256dh'] ?? '', auth: keys['auth'] ?? '' } };
}

async function present(): Promise<PushSubscription | null> {
  const registration = await navigator.serviceWorker.getRegistration('/');
  return (await registration?.pushManager.getSubscription()) ?? null;
}

/** Finds out where the browser stands. A subscription that is there is told to the service anew. */
async function look(): Promise<void> {
  if (push.value === 'working') return;
  const person = me.value?.person ?? '';
  if (!isSecureContext) push.value = 'no_https';
  else if (!('serviceWorker' in navigator) || !('PushManager' in window)) push.value = 'no_browser';
  else if (!person) push.value = 'nobody';
  else if (Notification.permission === 'denied') push.value = 'blocked';
  else {
    try {
      const subscription = await present();
      const mine = localStorage.getItem(remembered) === person;
      if (subscription && mine) {
        await navigator.serviceWorker.register('/sw.js');
        await api.putBrowser(subscriptionOf(subscription));
        push.value = 'on';
      } else {
        push.value = (await api.pushKey()) ? 'off' : 'no_key';
      }
    } catch (error) {
      failure.value = inWords(error);
    }
  }
}

async function turnOn(): Promise<void> {
  push.value = 'working';
  failure.value = '';
  try {
    if ((await Notification.requestPermission()) !== 'granted') {
      push.value = Notification.permission === 'denied' ? 'blocked' : 'off';
      return;
    }
    const key = await api.pushKey();
    if (!key) {
      push.value = 'no_key';
      return;
    }
    await navigator.serviceWorker.register('/sw.js');
    const registration = await navigator.serviceWorker.ready;
    const subscription = await subscribe(registration.pushManager, key);
    await api.putBrowser(subscriptionOf(subscription));
    localStorage.setItem(remembered, me.value?.person ?? '');
    push.value = 'on';
  } catch (error) {
    push.value = 'off';
    failure.value = inWords(error);
  }
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

async function turnOff(): Promise<void> {
  push.value = 'working';
  failure.value = '';
  try {
    const subscription = await present();
    if (subscription) {
      await api.forgetBrowser(subscriptionOf(subscription));
      await subscription.unsubscribe();
    }
    localStorage.removeItem(remembered);
    push.value = 'off';
  } catch (error) {
    push.value = 'on';
    failure.value = inWords(error);
  }
}

function useLook(): void {
  useEffect(() => {
    void look();
  }, [me.value?.person]);
}

/** The setting: whether this browser alerts the person, and why not. */
export function PushSwitch() {
  useLook();
  const is = push.value;
  if (is === 'unknown' && !failure.value) return null;
  return (
    <section class="push" aria-labelledby="push-title">
      <p id="push-title" class="push-title">
        {t('push.title')}
      </p>
      <p role="status">{is !== 'unknown' && t(`push.${is}` as Key)}</p>
      {failure.value && (
        <p class="field-error" role="alert">
          {t('push.failed', { why: failure.value })}
        </p>
      )}
      {(is === 'off' || is === 'working') && (
        <button
          type="button"
          class="button"
          disabled={is === 'working'}
          onClick={() => void turnOn()}
        >
          {t('push.turn_on')}
        </button>
      )}
      {is === 'on' && (
        <button type="button" class="button" onClick={() => void turnOff()}>
          {t('push.turn_off')}
        </button>
      )}
    </section>
  );
}

const putOff = signal(localStorage.getItem(dismissed) !== null);

/** A line above the alerts for who could be alerted in this browser and is not. */
export function PushHint() {
  useLook();
  if (putOff.value || (push.value !== 'off' && push.value !== 'working')) return null;
  return (
    <aside class="push-hint" aria-label={t('push.title')}>
      <p>{t('push.hint')}</p>
      <button
        type="button"
        class="button"
        disabled={push.value === 'working'}
        onClick={() => void turnOn()}
      >
        {t('push.turn_on')}
      </button>
      <button
        type="button"
        class="button button-plain"
        onClick={() => {
          localStorage.setItem(dismissed, 'yes');
          putOff.value = true;
        }}
      >
        {t('push.later')}
      </button>
    </aside>
  );
}
