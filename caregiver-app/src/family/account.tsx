import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { chooseLanguage, language, t, type Language } from '../shared/i18n';
import { deviceName, hasPasskeys, passkeys, removePasskey, type Passkey } from '../shared/passkey';
import { addProven, hasNoProof } from '../shared/proof';
import { lookAtPush, push, pushFailure, turnPushOff, turnPushOn } from '../shared/push';
import { atMoment, now } from '../shared/time';
import { unbroken } from '../shared/unbroken';
import { api, json, part, request } from '../api/http';
import type { Session } from './api';
import { passkeyWords } from './door';
import { canInstall, install, isInstalled } from './install';
import { root } from './route';
import './pagetexts';
import { inWords, me, queue, say, signOut } from './state';

/** The relative's own: how they are told, how they come in, and the way out. */
export function AccountScreen() {
  return (
    <>
      <h1 tabIndex={-1}>{t('family.account.title')}</h1>
      <p class="quiet">{t('family.account.signed_in', { name: me.value?.name ?? '' })}</p>
      <PushPanel />
      <InstallPanel />
      <Passkeys />
      <Sessions />
      <LanguagePanel />
      <SignOut />
    </>
  );
}

const owner = () => ({ person: me.value?.person ?? '', root });

function PushPanel() {
  useEffect(() => void lookAtPush(owner()), [me.value?.person]);
  const is = push.value;
  return (
    <section class="panel" aria-labelledby="push-title">
      <h2 id="push-title">{t('family.push.title')}</h2>
      <p role="status">{is === 'unknown' ? t('family.fetching') : t(`family.push.${is}`)}</p>
      {pushFailure.value !== undefined && (
        <p class="field-error" role="alert">
          {unbroken(inWords(pushFailure.value))}
        </p>
      )}
      {(is === 'off' || is === 'working') && (
        <button
          type="button"
          class="button button-main"
          disabled={is === 'working'}
          onClick={() => void turnPushOn(owner())}
        >
          {t('family.push.turn_on')}
        </button>
      )}
      {is === 'on' && (
        <button type="button" class="button" onClick={() => void turnPushOff(owner())}>
          {t('family.push.turn_off')}
        </button>
      )}
    </section>
  );
}

function InstallPanel() {
  if (isInstalled()) return null;
  const apple = /iPhone|iPad/.test(navigator.userAgent);
  if (!canInstall() && !apple) return null;
  return (
    <section class="panel">
      <h2>{t('family.install.title')}</h2>
      <p>{t(apple ? 'family.install.apple' : 'family.install.text')}</p>
      {canInstall() && (
        <button type="button" class="button" onClick={() => void install()}>
          {t('family.install.do')}
        </button>
      )}
    </section>
  );
}

/** A list of the service's, asked for when the screen opens. */
function useList<T>(ask: () => Promise<T[]>) {
  const list = useSignal<T[] | undefined>(undefined);
  const failed = useSignal('');
  const again = () =>
    ask().then(
      (came) => {
        list.value = came;
        failed.value = '';
      },
      (error: unknown) => void (failed.value = inWords(error)),
    );
  useEffect(() => void again(), []);
  return { list: list.value, failed: failed.value, again };
}

/** Why a list is not here, and another try. */
function NotHere({ failed, again }: { failed: string; again: () => Promise<void> }) {
  if (!failed) return null;
  return (
    <>
      <p role="alert">{unbroken(failed)}</p>
      <button type="button" class="button" onClick={() => void again()}>
        {t('error.retry')}
      </button>
    </>
  );
}

function Passkeys() {
  const { list, failed, again } = useList<Passkey>(passkeys);
  const working = useSignal(false);
  const wrong = useSignal('');
  const proving = useSignal(false);
  const work = async (what: () => Promise<unknown>) => {
    working.value = true;
    wrong.value = '';
    try {
      await what();
    } catch (error) {
      wrong.value = hasNoProof(error) ? t('family.passkeys.no_proof') : passkeyWords(error);
    } finally {
      working.value = proving.value = false;
      void again();
    }
  };
  return (
    <section class="panel" aria-labelledby="passkeys-title">
      <h2 id="passkeys-title">{t('family.passkeys.title')}</h2>
      <p>{t('family.passkeys.text')}</p>
      <NotHere failed={failed} again={again} />
      {list?.length === 0 && <p class="unsent">{t('family.passkeys.none')}</p>}
      <ul class="rows">
        {list?.map((p) => (
          <li key={p.id}>
            <span>
              <strong>{p.name || t('family.passkeys.nameless')}</strong>
              <span class="quiet">
                {p.used
                  ? t('family.passkeys.used', { when: atMoment(Date.parse(p.used), now.value) })
                  : t('family.passkeys.added', { when: atMoment(Date.parse(p.added), now.value) })}
              </span>
            </span>
            <button
              type="button"
              class="button"
              disabled={working.value}
              aria-label={t('family.passkeys.remove_of', { name: p.name })}
              onClick={() => void work(() => removePasskey(p.id))}
            >
              {t('family.remove')}
            </button>
          </li>
        ))}
      </ul>
      <p role="status">{proving.value && t('family.passkeys.prove')}</p>
      {wrong.value && (
        <p class="field-error" role="alert">
          {unbroken(wrong.value)}
        </p>
      )}
      {hasPasskeys() && (
        <button
          type="button"
          class="button"
          disabled={working.value}
          onClick={() => void work(() => addProven(deviceName(), () => (proving.value = true)))}
        >
          {t('family.passkeys.add')}
        </button>
      )}
    </section>
  );
}

const sessions = async (): Promise<Session[]> =>
  (await json<{ sessions: Session[] }>(`${api}/me/sessions`)).sessions;

function Sessions() {
  const { list, failed, again } = useList(sessions);
  const end = async (id: string) => {
    try {
      await request(`${api}/me/sessions/${part(id)}`, { method: 'DELETE' });
      say(t('family.sessions.ended'));
    } catch (error) {
      say(inWords(error), true);
    }
    void again();
  };
  return (
    <section class="panel" aria-labelledby="sessions-title">
      <h2 id="sessions-title">{t('family.sessions.title')}</h2>
      <NotHere failed={failed} again={again} />
      <ul class="rows">
        {list?.map((s) => (
          <li key={s.id}>
            <span>
              <strong>{s.device || t('family.sessions.unknown')}</strong>
              <span class="quiet">
                {s.this
                  ? t('family.sessions.this')
                  : t('family.sessions.used', { when: atMoment(Date.parse(s.used), now.value) })}
              </span>
            </span>
            {!s.this && (
              <button
                type="button"
                class="button"
                aria-label={t('family.sessions.end_of', { device: s.device })}
                onClick={() => void end(s.id)}
              >
                {t('family.sessions.end')}
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

const languages: readonly [Language, string][] = [
  ['sv', 'Svenska'],
  ['en', 'English'],
];

function LanguagePanel() {
  return (
    <section class="panel">
      <fieldset class="segments">
        <legend>{t('family.account.language')}</legend>
        {languages.map(([code, name]) => (
          <label key={code} class="segment" lang={code}>
            <input
              type="radio"
              name="language"
              checked={language.value === code}
              onChange={() => chooseLanguage(code)}
            />
            <span>{name}</span>
          </label>
        ))}
      </fieldset>
    </section>
  );
}

function SignOut() {
  const working = useSignal(false);
  const unsent = queue.waiting.value.length > 0;
  const leave = async () => {
    working.value = true;
    try {
      await signOut();
    } catch (error) {
      say(inWords(error), true);
    } finally {
      working.value = false;
    }
  };
  return (
    <section class="panel">
      {unsent && <p class="unsent">{t('family.account.unsent')}</p>}
      {push.value === 'on' && <p class="quiet">{t('family.push.ends')}</p>}
      <button
        type="button"
        class="button button-wide"
        disabled={working.value}
        onClick={() => void leave()}
      >
        {t('family.account.sign_out')}
      </button>
    </section>
  );
}
