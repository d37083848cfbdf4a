import { useEffect, useState } from 'preact/hooks';
import { api, json, post, Problem, request, Unreachable } from '../../api/client';
import { t, tMaybe } from '../../shared/i18n';
import { jsonOf, passkeyFailure, signInWithPasskey } from '../../shared/passkey';
import { unbroken } from '../../shared/unbroken';
import { oidcPath, waysIn, type WaysIn } from './api';
import './door.css';
import './doortexts';

interface Props {
  /** Whether this browser can have passkeys here. */
  passkeys: boolean;
  entered: () => Promise<void>;
}

/** The ways in that need no code: a passkey, and the municipality's own sign-in. */
export function WaysInPart({ passkeys, entered }: Props) {
  const [ways, setWays] = useState<WaysIn>();
  const [working, setWorking] = useState(false);
  const [failed, setFailed] = useState(() => problemWords(location.search));
  useEffect(() => {
    // A service that does not say how one signs in has codes alone; so has one that is out of reach.
    waysIn().then(setWays, () => {});
  }, []);
  const offered = passkeys && ways?.passkeys !== false;

  // Where the browser can, a passkey also shows among what it fills in.
  useEffect(() => {
    if (!offered) return;
    const stop = new AbortController();
    fillIn(stop.signal).then(
      (came) => came && void entered(),
      (error: unknown) => {
        if (!stop.signal.aborted && passkeyFailure(error) === 'other')
          setFailed(failureWords(error));
      },
    );
    waiting = stop;
    return () => stop.abort();
  }, [offered]);

  const enter = async () => {
    setFailed('');
    setWorking(true);
    // A browser has one ceremony at a time.
    waiting?.abort();
    try {
      await signInWithPasskey();
      await entered();
    } catch (error) {
      setFailed(failureWords(error));
    } finally {
      setWorking(false);
    }
  };

  return (
    <div class="door-ways">
      {failed && (
        <p class="door-note" role="alert">
          {unbroken(failed)}
        </p>
      )}
      {offered ? (
        <>
          <button
            type="button"
            class="button button-main button-wide door-main"
            disabled={working}
            onClick={() => void enter()}
          >
            {t(working ? 'door.passkey_working' : 'door.passkey')}
          </button>
          <p class="quiet">{t('door.passkey_text')}</p>
        </>
      ) : (
        !ways?.oidc && <p>{t('door.not_possible')}</p>
      )}
      {ways?.oidc && (
        // A page of the service that leads to the municipality's: no step within this app.
        <a
          class={offered ? 'button button-wide' : 'button button-main button-wide door-main'}
          href={oidcPath}
          target="_self"
        >
          {t('door.oidc', { name: ways.oidc.name })}
        </a>
      )}
    </div>
  );
}

let waiting: AbortController | undefined;

// A ceremony of the service is good for five minutes; a page may stand open for hours.
const anew = 4 * 60_000;

/** Waits until the person picks a passkey where the browser offers it; false where it does not. */
async function fillIn(stop: AbortSignal): Promise<boolean> {
  if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return false;
  while (!stop.aborted && PublicKeyCredential.parseRequestOptionsFromJSON) {
    const { ceremony, publicKey } = await json<{
      ceremony: string;
      publicKey: PublicKeyCredentialRequestOptionsJSON;
    }>(`${api}/sign-in/passkey/options`, post({}));
    const over = AbortSignal.timeout(anew);
    let credential: unknown;
    try {
      credential = jsonOf(
        await navigator.credentials.get({
          publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey),
          mediation: 'conditional',
          signal: AbortSignal.any([stop, over]),
        }),
      );
    } catch (error) {
      if (over.aborted) continue;
      throw error;
    }
    await request(`${api}/sign-in/passkey`, post({ ceremony, credential }));
    return true;
  }
  return false;
}

function failureWords(error: unknown): string {
  switch (passkeyFailure(error)) {
    case 'cancelled':
      return t('door.failed');
    case 'cannot':
      return t('door.not_possible');
  }
  if (error instanceof Unreachable) return t('door.network');
  if (!(error instanceof Problem)) return t('door.failed');
  const text = error.status === 401 || error.status === 404 ? t('door.unknown') : t('door.failed');
  return error.id ? `${text} ${t('error.id', { id: error.id })}` : text;
}

/** What the service says in the address of a sign-in that came to nothing; "" when it says nothing. */
export function problemWords(search: string): string {
  const id = new URLSearchParams(search).get('problem') ?? '';
  if (!/^LYK-\d{4}$/.test(id)) return '';
  return `${tMaybe(`door.${id}`) ?? t('door.problem')} ${t('error.id', { id })}`;
}
