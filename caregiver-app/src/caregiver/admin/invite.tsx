import { useEffect, useRef, useState } from 'preact/hooks';
import { encode } from 'uqr';
import { t } from '../../shared/i18n';
import { provenOrNot } from '../../shared/proof';
import { moment, serverNow } from '../../shared/time';
import { unbroken } from '../../shared/unbroken';
import { inWords } from '../asking';
import '../plan/dialog.css';
import * as api from './api';
import './invite.css';
import './texts';

interface InviteProps {
  person: { id: string; name: string };
  close: () => void;
}

/** Makes an invitation and shows its link, once: to copy, to share, to point a telephone at. */
export function Invite({ person, close }: InviteProps) {
  const box = useRef<HTMLDialogElement>(null);
  const [made, setMade] = useState<api.Invitation>();
  const [failed, setFailed] = useState('');
  const [proving, setProving] = useState(false);
  const { name } = person;
  const make = () => {
    setFailed('');
    provenOrNot(
      () => api.invite(person.id),
      () => setProving(true),
    ).then(setMade, (error: unknown) => setFailed(inWords(error)));
  };
  useEffect(() => {
    const dialog = box.current!;
    const opener = document.activeElement as HTMLElement | null;
    dialog.showModal();
    make();
    return () => {
      dialog.close();
      // A dialog that is gone from the page gives no focus back of its own accord.
      opener?.focus();
    };
  }, []);
  return (
    <dialog
      class="dialog"
      ref={box}
      aria-labelledby="invite-title"
      onCancel={(e) => {
        e.preventDefault();
        close();
      }}
    >
      <div class="invite">
        <h2 id="invite-title">{t('invite.title', { name })}</h2>
        {failed && (
          <>
            <p class="field-error" role="alert">
              {unbroken(failed)}
            </p>
            <button type="button" class="button" onClick={make}>
              {t('error.retry')}
            </button>
          </>
        )}
        {!made && !failed && (
          <p role="status">{t(proving ? 'account.passkey_prove' : 'invite.making')}</p>
        )}
        {made && <Link name={name} {...made} />}
        <button type="button" class="button" onClick={close}>
          {t('form.close')}
        </button>
      </div>
    </dialog>
  );
}

function Link({ name, link, expires }: { name: string; link: string; expires: string }) {
  const field = useRef<HTMLInputElement>(null);
  const [said, setSaid] = useState('');
  const copy = async () => {
    field.current?.select();
    try {
      await navigator.clipboard.writeText(link);
      setSaid(t('invite.copied'));
    } catch {
      setSaid(t('invite.copy_failed'));
    }
  };
  const share = () =>
    navigator
      .share({ title: t('invite.share_title'), text: t('invite.share_text', { name }), url: link })
      .catch(() => {}); // Whoever thinks better of it has the link still.
  return (
    <>
      <p>{t('invite.once', { name })}</p>
      <Picture link={link} />
      <label class="field">
        <span>{t('invite.link')}</span>
        <input
          ref={field}
          type="text"
          readOnly
          value={link}
          onFocus={(e) => e.currentTarget.select()}
        />
      </label>
      <p class="quiet">{t('invite.expires', { when: moment(Date.parse(expires), serverNow()) })}</p>
      <div class="dialog-actions">
        <button type="button" class="button button-main" onClick={() => void copy()}>
          {t('invite.copy')}
        </button>
        {'share' in navigator && (
          <button type="button" class="button" onClick={() => void share()}>
            {t('invite.share')}
          </button>
        )}
      </div>
      <p role="status">{said}</p>
    </>
  );
}

// The link as a QR code (ISO/IEC 18004), black on white whatever the page's
// colours: cameras look for that.
function Picture({ link }: { link: string }) {
  const { data, size } = encode(link, { ecc: 'M', border: 4 });
  const path = data
    .flatMap((row, y) => row.map((on, x) => (on ? `M${x} ${y}h1v1h-1z` : '')))
    .join('');
  return (
    <svg
      class="invite-qr"
      viewBox={`0 0 ${size} ${size}`}
      role="img"
      aria-label={t('invite.qr')}
      shape-rendering="crispEdges"
    >
      <rect class="invite-qr-ground" width={size} height={size} />
      <path class="invite-qr-dots" d={path} />
    </svg>
  );
}
