import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { t, type Key } from '../shared/i18n';
import { lookAtPush, push, pushFailure, turnPushOff, turnPushOn } from '../shared/push';
import { inWords } from './asking';
import './pagetexts';
import './push.css';
import { me } from './state';

const dismissed = 'lykta.push.later';

const mine = () => ({ person: me.value?.person ?? '', root: '/' });

const turnOn = () => turnPushOn(mine());
const turnOff = () => turnPushOff(mine());

function useLook(): void {
  useEffect(() => {
    void lookAtPush(mine());
  }, [me.value?.person]);
}

/** The setting: whether this browser alerts the person, and why not. */
export function PushSwitch() {
  useLook();
  const is = push.value;
  const failure = pushFailure.value;
  if (is === 'unknown' && !failure) return null;
  return (
    <section class="push" aria-labelledby="push-title">
      <p id="push-title" class="push-title">
        {t('push.title')}
      </p>
      <p role="status">{is !== 'unknown' && t(`push.${is}` as Key)}</p>
      {failure !== undefined && (
        <p class="field-error" role="alert">
          {t('push.failed', { why: inWords(failure) })}
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

/** What signing out means here, for who is alerted in this browser. */
export function PushEnds() {
  if (push.value !== 'on') return null;
  return <p class="quiet">{t('push.ends')}</p>;
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
