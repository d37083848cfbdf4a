import { useRef, useState } from 'preact/hooks';
import { t } from '../../shared/i18n';
import { clock } from '../../shared/time';
import { Dialog } from '../plan/dialog';
import * as api from './api';

const roles = ['interpreter', 'relative', 'guest'] as const;

/** Makes a link with which somebody without a sign-in comes into this call. */
export function InviteToCall({ call, close }: { call: string; close: () => void }) {
  const [name, setName] = useState('');
  const [role, setRole] = useState<string>('interpreter');
  const [made, setMade] = useState<api.Invited>();
  const [copied, setCopied] = useState(false);
  const justMade = useRef(false);
  if (made) {
    const share = { title: t('call.invite'), url: made.link };
    const copy = () =>
      navigator.clipboard?.writeText(made.link).then(
        () => setCopied(true),
        () => {}, // it is there to be copied by hand
      );
    return (
      <Dialog
        title={t('invite.call_link', { name })}
        save={t('check.done')}
        onSave={() => Promise.resolve()}
        onClose={close}
        only
        more={
          <>
            <button type="button" class="button" onClick={() => void copy()}>
              {t(copied ? 'invite.call_copied' : 'invite.call_copy')}
            </button>
            {'share' in navigator && (
              <button
                type="button"
                class="button"
                onClick={() => void navigator.share(share).catch(() => {})}
              >
                {t('invite.call_share')}
              </button>
            )}
          </>
        }
      >
        <label class="field">
          <span class="visually-hidden">{t('invite.call_link', { name })}</span>
          <input readOnly value={made.link} onFocus={(e) => e.currentTarget.select()} />
        </label>
        <p>{t('invite.call_until', { clock: clock(Date.parse(made.expires)) })}</p>
        <p class="visually-hidden" role="status">
          {copied && t('invite.call_copied')}
        </p>
      </Dialog>
    );
  }
  // The form stays open when the link is there: it then shows that.
  return (
    <Dialog
      title={t('invite.call_title')}
      save={t('invite.call_make')}
      check={() => (name.trim() ? '' : t('invite.call_missing'))}
      onSave={async () => {
        setMade(await api.invite(call, name.trim(), role));
        justMade.current = true;
      }}
      onClose={() => {
        if (!justMade.current) close();
        justMade.current = false;
      }}
    >
      <p>{t('invite.call_text')}</p>
      <fieldset class="segments">
        <legend>{t('invite.call_role')}</legend>
        {roles.map((r) => (
          <label class="segment" key={r}>
            <input type="radio" name="role" checked={role === r} onChange={() => setRole(r)} />
            <span>{t(`invite.role.${r}`)}</span>
          </label>
        ))}
      </fieldset>
      <label class="field">
        <span>{t('invite.call_name')}</span>
        <input
          value={name}
          maxLength={60}
          autocomplete="off"
          onInput={(e) => setName(e.currentTarget.value)}
        />
      </label>
    </Dialog>
  );
}
