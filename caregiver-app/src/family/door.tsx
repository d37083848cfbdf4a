import { useSignal } from '@preact/signals';
import { Problem } from '../api/http';
import { t } from '../shared/i18n';
import { hasPasskeys, passkeyFailure, signInWithPasskey } from '../shared/passkey';
import { unbroken } from '../shared/unbroken';
import { go, root, route } from './route';
import './pagetexts';
import { inWords, start } from './state';

/** What to say when a passkey ceremony came to nothing. */
export function passkeyWords(error: unknown): string {
  const why = passkeyFailure(error);
  if (why === 'other') {
    const unknown = error instanceof Problem && error.status === 401;
    return unknown ? t('family.passkey.unknown') : inWords(error);
  }
  return t(`family.passkey.${why}`);
}

/** Shows staff the way to their own app. */
export function OtherRole() {
  return (
    <>
      <h1 tabIndex={-1}>{t('family.other_role')}</h1>
      <p>{t('family.other_role_text')}</p>
      <a class="button button-main button-wide" href="/">
        {t('family.other_role_go')}
      </a>
    </>
  );
}

/** Lets the relative in with what unlocks their telephone. */
export function Door({ expired }: { expired: boolean }) {
  const working = useSignal(false);
  const failure = useSignal('');
  const enter = async () => {
    working.value = true;
    failure.value = '';
    try {
      await signInWithPasskey();
      if (route.value.screen === 'missing') go(root, true);
      await start();
    } catch (error) {
      failure.value = passkeyWords(error);
    } finally {
      working.value = false;
    }
  };
  return (
    <>
      <h1 tabIndex={-1}>{t('family.door.title')}</h1>
      {expired && <p class="door-note">{t('family.door.expired')}</p>}
      <p>{t('family.door.lead')}</p>
      {hasPasskeys() ? (
        <button
          type="button"
          class="button button-main button-wide"
          disabled={working.value}
          onClick={() => void enter()}
        >
          {t(working.value ? 'family.door.working' : 'family.door.enter')}
        </button>
      ) : (
        <p class="door-note">{t('family.passkey.cannot')}</p>
      )}
      {failure.value && (
        <p class="field-error" role="alert">
          {unbroken(failure.value)}
        </p>
      )}
      <section class="door-help">
        <h2>{t('family.door.none')}</h2>
        <p>{t('family.door.none_text')}</p>
      </section>
    </>
  );
}
