import { useState } from 'preact/hooks';
import { t, tMaybe } from '../../shared/i18n';
import {
  deviceName,
  hasPasskeys,
  passkeyFailure,
  passkeys,
  removePasskey,
  type Passkey,
} from '../../shared/passkey';
import { addProven, hasNoProof } from '../../shared/proof';
import { moment, now } from '../../shared/time';
import { unbroken } from '../../shared/unbroken';
import { useAsked } from '../asking';
import { Later } from '../later';
import { Dialog, useDeed } from '../plan/dialog';
import { Answer } from '../plan/frame';
import { LanguageChoice, SoundChoice } from '../settings';
import { me, say } from '../state';
import * as wall from '../wall';
import './account.css';
import * as api from './api';
import './texts';

/** The person's own account: how they sign in, where they are, how this device alerts them. */
export function AccountScreen() {
  const person = me.value;
  if (!person) return null;
  const { areas } = person as { areas?: readonly string[] | null };
  return (
    <div class="account">
      <h1 tabIndex={-1}>{t('account.title')}</h1>
      <p>{t('account.lead')}</p>
      <section class="panel account-who" aria-labelledby="account-name">
        <h2 id="account-name">{person.name}</h2>
        <dl>
          <div>
            <dt>{t('account.role')}</dt>
            <dd>{tMaybe(`role.${person.role}`) ?? person.role}</dd>
          </div>
          <div>
            <dt>{t('account.areas')}</dt>
            <dd>{areas?.length ? areas.join(', ') : t('account.areas_all')}</dd>
          </div>
        </dl>
      </section>
      <div class="account-columns">
        <Passkeys />
        <Sessions />
        <section class="panel account-part" aria-labelledby="account-settings">
          <h2 id="account-settings">{t('account.settings')}</h2>
          <LanguageChoice group="account-language" />
          <SoundChoice />
          <Later page="push" quiet />
        </section>
      </div>
    </div>
  );
}

const when = (time: string) => moment(Date.parse(time), now.value);

function Passkeys() {
  const asked = useAsked(passkeys, []);
  const [removing, setRemoving] = useState<Passkey | null>(null);
  const [adding, setAdding] = useState(false);
  const [proving, setProving] = useState(false);
  const [failed, setFailed] = useState('');
  const add = async () => {
    setAdding(true);
    setFailed('');
    try {
      await addProven(deviceName(), () => setProving(true));
      say(t('account.passkey_added'));
      asked.again();
    } catch (error) {
      setFailed(whyNot(error));
    } finally {
      setAdding(false);
      setProving(false);
    }
  };
  return (
    <section class="panel account-part" aria-labelledby="account-passkeys">
      <h2 id="account-passkeys">{t('account.passkeys')}</h2>
      <p class="quiet">{t('account.passkeys_text')}</p>
      <Answer asked={asked}>
        {(own) => (
          <>
            {own.length === 0 && <p class="account-warn">{t('account.passkeys_none')}</p>}
            {own.length > 0 && (
              <ul class="account-list">
                {own.map((p) => (
                  <li key={p.id}>
                    <p>
                      <strong>{p.name}</strong>
                      <span class="quiet">
                        {p.used
                          ? t('account.passkey_used', { added: when(p.added), used: when(p.used) })
                          : t('account.passkey_unused', { added: when(p.added) })}
                      </span>
                    </p>
                    <button type="button" class="button" onClick={() => setRemoving(p)}>
                      {t('account.passkey_remove')}
                      <span class="visually-hidden"> – {p.name}</span>
                    </button>
                  </li>
                ))}
              </ul>
            )}
          </>
        )}
      </Answer>
      {hasPasskeys() ? (
        <button
          type="button"
          class="button button-main"
          disabled={adding}
          onClick={() => void add()}
        >
          {t(adding ? 'account.passkey_adding' : 'account.passkey_add')}
        </button>
      ) : (
        <p>{t('account.passkey_cannot')}</p>
      )}
      <p role="status">{proving && t('account.passkey_prove')}</p>
      {failed && (
        <p class="field-error" role="alert">
          {unbroken(failed)}
        </p>
      )}
      {removing && (
        <Dialog
          title={t('account.passkey_remove_title', { name: removing.name })}
          save={t('account.passkey_remove')}
          onClose={() => setRemoving(null)}
          onSave={async () => {
            await removePasskey(removing.id);
            say(t('account.passkey_removed', { name: removing.name }));
            asked.again();
            setRemoving(null);
          }}
        >
          <p>{t('account.passkey_remove_text')}</p>
        </Dialog>
      )}
    </section>
  );
}

function whyNot(error: unknown): string {
  if (hasNoProof(error)) return t('account.passkey_no_proof');
  switch (passkeyFailure(error)) {
    case 'there_already':
      return t('account.passkey_there');
    case 'cannot':
      return t('account.passkey_cannot');
  }
  return t('account.passkey_failed');
}

function Sessions() {
  const asked = useAsked(api.sessions, []);
  const deed = useDeed();
  const end = (work: () => Promise<unknown>, said: string) =>
    void deed.run(work, () => {
      say(said);
      asked.again();
    });
  return (
    <section class="panel account-part" aria-labelledby="account-sessions">
      <h2 id="account-sessions">{t('account.sessions')}</h2>
      <Answer asked={asked}>
        {(all) => {
          // This one first, then the latest used.
          const sorted = [...all].sort(
            (a, b) => Number(b.this) - Number(a.this) || (b.used ?? '').localeCompare(a.used ?? ''),
          );
          return (
            <>
              <ul class="account-list">
                {sorted.map((s) => {
                  const device = s.device || t('account.session_unknown');
                  return (
                    <li key={s.id}>
                      <p>
                        <strong>{device}</strong>
                        {s.this && <span class="tag">{t('account.session_this')}</span>}
                        <span class="quiet">
                          {t('account.session_since', {
                            started: when(s.started),
                            used: when(s.used ?? s.started),
                          })}
                        </span>
                      </p>
                      {!s.this && (
                        <button
                          type="button"
                          class="button"
                          disabled={deed.busy}
                          onClick={() =>
                            end(() => api.endSession(s.id), t('account.session_ended', { device }))
                          }
                        >
                          {t('account.session_end')}
                          <span class="visually-hidden"> – {device}</span>
                        </button>
                      )}
                    </li>
                  );
                })}
              </ul>
              {sorted.length > 1 && (
                <button
                  type="button"
                  class="button"
                  disabled={deed.busy}
                  onClick={() => end(api.endOtherSessions, t('account.session_others_done'))}
                >
                  {t('account.session_others')}
                </button>
              )}
            </>
          );
        }}
      </Answer>
      {deed.failed && (
        <p class="field-error" role="alert">
          {unbroken(deed.failed)}
        </p>
      )}
      <label class="switch">
        <input
          type="checkbox"
          checked={wall.wanted.value}
          aria-describedby="account-wall-text"
          onChange={(e) => wall.want(e.currentTarget.checked)}
        />
        <span>{t('account.wall')}</span>
      </label>
      <p id="account-wall-text" class="quiet">
        {t('account.wall_text')}
      </p>
    </section>
  );
}
