import { useEffect, useState } from 'preact/hooks';
import { Problem, Unreachable } from '../../api/client';
import { Lantern } from '../../shared/icons';
import { locale, t, tMaybe } from '../../shared/i18n';
import { LanguageSwitch } from '../../shared/languageswitch';
import { addPasskey, deviceName, hasPasskeys, passkeyFailure } from '../../shared/passkey';
import { go } from '../../shared/router';
import { moment, serverNow } from '../../shared/time';
import { unbroken } from '../../shared/unbroken';
import { start } from '../state';
import { acceptInvitation, lookAtInvitation, type Invited } from './api';
import './door.css';
import './doortexts';

type Stand =
  | { at: 'looking' }
  | { at: 'none'; why: string }
  | { at: 'invited'; to: Invited }
  | { at: 'in'; to: Invited };

/** Lets somebody in who was invited, and has the device remember them if they like. */
export function InvitationScreen({ code }: { code: string }) {
  const [stand, setStand] = useState<Stand>({ at: 'looking' });
  const [working, setWorking] = useState(false);
  const [failed, setFailed] = useState('');
  // The code leaves the address bar before anything else, as that of a sign-in link does.
  const [given] = useState(code);

  const look = async () => {
    setStand({ at: 'looking' });
    if (!given) return setStand({ at: 'none', why: t('invitation.none') });
    try {
      setStand({ at: 'invited', to: await lookAtInvitation(given) });
    } catch (error) {
      setStand({ at: 'none', why: whyNot(error) });
    }
  };
  useEffect(() => {
    if (code) history.replaceState(null, '', '/invitation');
    void look();
  }, []);
  useEffect(() => document.querySelector<HTMLElement>('h1')?.focus(), [stand.at]);

  const accept = async (to: Invited) => {
    setFailed('');
    setWorking(true);
    try {
      await acceptInvitation(given, deviceName());
      if (hasPasskeys()) setStand({ at: 'in', to });
      else await enter(to);
    } catch (error) {
      setFailed(whyNot(error));
    } finally {
      setWorking(false);
    }
  };
  const save = async (to: Invited) => {
    setFailed('');
    setWorking(true);
    try {
      await addPasskey(deviceName());
      await enter(to);
    } catch (error) {
      if (passkeyFailure(error) === 'there_already') return enter(to);
      setFailed(t('invitation.save_failed'));
    } finally {
      setWorking(false);
    }
  };

  return (
    <main class="door" id="content">
      <div class="door-card">
        <Lantern large />
        <p class="door-name">{t('app.name')}</p>
        {stand.at === 'looking' && (
          <>
            <h1 tabIndex={-1} class="visually-hidden">
              {t('invitation.title')}
            </h1>
            <p role="status">{t('app.loading')}</p>
          </>
        )}
        {stand.at === 'none' && (
          <div class="invited">
            <h1 tabIndex={-1}>{t('invitation.title')}</h1>
            <p role="alert">{unbroken(stand.why)}</p>
            {given && (
              <button type="button" class="button" onClick={() => void look()}>
                {t('error.retry')}
              </button>
            )}
            <a class="button button-plain" href="/sign-in">
              {t('signin.title')}
            </a>
          </div>
        )}
        {stand.at === 'invited' && (
          <div class="invited">
            <h1 tabIndex={-1}>{t('invitation.welcome', { name: stand.to.name })}</h1>
            <p>{roleWords(stand.to)}</p>
            <p class="quiet">
              {t('invitation.expires', {
                when: moment(Date.parse(stand.to.expires), serverNow()),
              })}
            </p>
            <button
              type="button"
              class="button button-main"
              disabled={working}
              onClick={() => void accept(stand.to)}
            >
              {t(working ? 'invitation.accepting' : 'invitation.accept')}
            </button>
            <p class="quiet">{t('invitation.not_me', { name: stand.to.name })}</p>
          </div>
        )}
        {stand.at === 'in' && (
          <div class="invited">
            <h1 tabIndex={-1}>{t('invitation.save')}</h1>
            <p>{t('invitation.save_text')}</p>
            <button
              type="button"
              class="button button-main"
              disabled={working}
              onClick={() => void save(stand.to)}
            >
              {t(working ? 'invitation.saving' : 'invitation.save_yes')}
            </button>
            <button type="button" class="button" onClick={() => void enter(stand.to)}>
              {t('invitation.save_no')}
            </button>
            <p class="quiet">{t('invitation.save_hint')}</p>
          </div>
        )}
        {failed && (
          <p class="field-error" role="alert">
            {unbroken(failed)}
          </p>
        )}
        <LanguageSwitch />
      </div>
    </main>
  );
}

// A relative's app is another page; staff are let in where they stand.
async function enter({ role }: Invited): Promise<void> {
  if (role === 'relative') {
    location.replace('/family/');
    return;
  }
  go('/', true);
  await start();
}

function roleWords({ role, homes }: Invited): string {
  const list = new Intl.ListFormat(locale(), { type: 'conjunction' });
  const key = `invitation.as.${role}`;
  return tMaybe(key)?.replace('{homes}', list.format(homes)) ?? t('invitation.title');
}

function whyNot(error: unknown): string {
  if (error instanceof Unreachable) return t('door.network');
  if (!(error instanceof Problem)) return t('error.text');
  const text = error.status < 500 ? t('invitation.gone') : t('error.text');
  return error.id ? `${text} ${t('error.id', { id: error.id })}` : text;
}
