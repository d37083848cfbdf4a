import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { api, json, post, Problem, request } from '../api/http';
import { t } from '../shared/i18n';
import { addPasskey, deviceName, hasPasskeys, passkeyFailure } from '../shared/passkey';
import { longDate } from '../shared/time';
import { unbroken } from '../shared/unbroken';
import type { Invitation } from './api';
import { passkeyWords } from './door';
import { go, root } from './route';
import './pagetexts';
import { inWords, start } from './state';
import { listOf } from './words';

type Step =
  | { at: 'looking' }
  | { at: 'asked'; invitation: Invitation }
  | { at: 'accepted'; done: boolean }
  | { at: 'bad'; why: string; again: boolean };

/** Who was invited sees by whom and to what, says yes, and keeps the way in on this telephone. */
export function InvitationScreen({ code }: { code: string }) {
  const step = useSignal<Step>({ at: 'looking' });
  const working = useSignal(false);
  const failure = useSignal('');
  // The code leaves the address bar at once: it must not be bookmarked or seen over a shoulder.
  const kept = useSignal(code);

  const look = async () => {
    step.value = { at: 'looking' };
    try {
      const invitation = await json<Invitation>(
        `${api}/invitation/look`,
        post({ code: kept.value }),
      );
      step.value = { at: 'asked', invitation };
    } catch (error) {
      const gone = error instanceof Problem && error.status < 500;
      step.value = {
        at: 'bad',
        why: gone ? t('family.invitation.gone') : inWords(error),
        again: !gone,
      };
    }
  };
  useEffect(() => {
    history.replaceState(null, '', `${root}invitation`);
    if (kept.value) void look();
    else step.value = { at: 'bad', why: t('family.invitation.empty'), again: false };
  }, []);

  const work = async (what: () => Promise<void>, words: (error: unknown) => string) => {
    working.value = true;
    failure.value = '';
    try {
      await what();
    } catch (error) {
      failure.value = words(error);
    } finally {
      working.value = false;
    }
  };
  const accept = () =>
    work(async () => {
      await request(`${api}/invitation/accept`, post({ code: kept.value, device: deviceName() }));
      step.value = { at: 'accepted', done: false };
    }, inWords);
  const save = () =>
    work(async () => {
      try {
        await addPasskey(deviceName());
      } catch (error) {
        if (passkeyFailure(error) !== 'there_already') throw error;
      }
      step.value = { at: 'accepted', done: true };
    }, passkeyWords);
  const enter = () => {
    go(root, true);
    void start();
  };

  const is = step.value;
  const wrong = failure.value && (
    <p class="field-error" role="alert">
      {unbroken(failure.value)}
    </p>
  );
  switch (is.at) {
    case 'looking':
      return <h1 tabIndex={-1}>{t('family.invitation.looking')}</h1>;
    case 'bad':
      return (
        <>
          <h1 tabIndex={-1}>{t('family.invitation.title')}</h1>
          <p role="alert">{unbroken(is.why)}</p>
          {is.again && (
            <button type="button" class="button button-wide" onClick={() => void look()}>
              {t('error.retry')}
            </button>
          )}
          <a class={`button button-wide ${is.again ? 'button-plain' : 'button-main'}`} href={root}>
            {t('family.invitation.to_start')}
          </a>
        </>
      );
    case 'asked': {
      const { name, homes, expires } = is.invitation;
      return (
        <>
          <h1 tabIndex={-1}>{t('family.invitation.hello', { name })}</h1>
          <p>{t('family.invitation.lead', { homes: listOf(homes) })}</p>
          <p class="quiet">{t('family.invitation.decides')}</p>
          <button
            type="button"
            class="button button-main button-wide"
            disabled={working.value}
            onClick={() => void accept()}
          >
            {t(working.value ? 'family.working' : 'family.invitation.accept')}
          </button>
          {wrong}
          <p class="quiet">
            {t('family.invitation.until', { date: longDate(Date.parse(expires)) })}
          </p>
        </>
      );
    }
    case 'accepted':
      return is.done ? (
        <>
          <h1 tabIndex={-1}>{t('family.invitation.saved')}</h1>
          <p role="status">{t('family.invitation.saved_text')}</p>
          <button type="button" class="button button-main button-wide" onClick={enter}>
            {t('family.invitation.enter')}
          </button>
        </>
      ) : (
        <>
          <h1 tabIndex={-1}>
            {t(hasPasskeys() ? 'family.invitation.save_title' : 'family.invitation.welcome')}
          </h1>
          <p role="status">
            {t(hasPasskeys() ? 'family.invitation.save_text' : 'family.invitation.no_passkey')}
          </p>
          {hasPasskeys() && (
            <button
              type="button"
              class="button button-main button-wide"
              disabled={working.value}
              onClick={() => void save()}
            >
              {t(working.value ? 'family.working' : 'family.invitation.save')}
            </button>
          )}
          {wrong}
          <button
            type="button"
            class={`button button-wide ${hasPasskeys() ? 'button-plain' : 'button-main'}`}
            onClick={enter}
          >
            {t(hasPasskeys() ? 'family.invitation.skip' : 'family.invitation.enter')}
          </button>
        </>
      );
  }
}
