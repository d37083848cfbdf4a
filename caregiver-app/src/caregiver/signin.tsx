import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import * as api from '../api/client';
import { Lantern } from '../shared/icons';
import { t, type Key } from '../shared/i18n';
import { LanguageSwitch } from '../shared/languageswitch';
import { go, parse, route } from '../shared/router';
import { Later } from './later';
import { start } from './state';

/** Lets the person in: by what unlocks their device, by the code in the link they followed or by one they paste. */
export function SignInScreen({ code, expired }: { code: string; expired: boolean }) {
  const token = useSignal('');
  const working = useSignal(false);
  const problem = useSignal<Key | ''>('');
  const failure = useSignal('');
  const field = useRef<HTMLInputElement>(null);
  const codes = useRef<HTMLDetailsElement>(null);
  const enters = canPasskeys();

  const enter = async (given: string) => {
    const wanted = codeOf(given);
    problem.value = '';
    failure.value = '';
    if (!wanted) {
      problem.value = 'signin.empty';
      field.current?.focus();
      return;
    }
    working.value = true;
    try {
      await api.signIn(wanted);
      await enterHouse();
    } catch (error) {
      if (error instanceof api.Problem) {
        problem.value = error.status < 500 ? 'signin.wrong' : 'error.text';
        failure.value = error.id;
      } else {
        problem.value = 'signin.network';
      }
      requestAnimationFrame(() => field.current?.focus());
    } finally {
      working.value = false;
    }
  };

  // The code leaves the address bar before anything else: it must not be
  // bookmarked, shared or seen over a shoulder.
  useEffect(() => {
    if (route.value.screen === 'alert') remember(location.pathname);
    if (!code) return;
    go('/sign-in', true);
    token.value = code;
    void enter(code);
  }, []);

  return (
    <main class="door" id="content">
      <div class="door-card">
        <Lantern large />
        <p class="door-name">{t('app.name')}</p>
        <h1 tabIndex={-1}>{t('signin.title')}</h1>
        {expired && <p class="door-note">{t('signin.expired')}</p>}
        <Later page="ways-in" quiet passkeys={enters} entered={enterHouse} />
        <details
          class="door-codes"
          ref={codes}
          open={!enters || code !== '' || problem.value !== ''}
        >
          <summary>{t('signin.have_code')}</summary>
          <form
            onSubmit={(e) => {
              e.preventDefault();
              void enter(token.value);
            }}
          >
            <p id="how" class="quiet">
              {t('signin.how')}
            </p>
            <label class="field">
              <span>{t('signin.code')}</span>
              <input
                ref={field}
                type="text"
                name="code"
                autoComplete={enters ? 'username webauthn' : 'one-time-code'}
                autoCapitalize="off"
                spellcheck={false}
                aria-describedby={problem.value ? 'wrong' : 'how'}
                aria-invalid={problem.value ? 'true' : 'false'}
                value={token.value}
                onInput={(e) => (token.value = e.currentTarget.value)}
              />
            </label>
            {problem.value && (
              <p id="wrong" class="field-error" role="alert">
                {t(problem.value)}
                {failure.value && (
                  <span class="error-id"> {t('error.id', { id: failure.value })}</span>
                )}
              </p>
            )}
            <button
              type="submit"
              class={enters ? 'button button-wide' : 'button button-main button-wide'}
              disabled={working.value}
            >
              {t(working.value ? 'signin.working' : enters ? 'signin.with_code' : 'signin.submit')}
            </button>
          </form>
        </details>
        <LanguageSwitch />
      </div>
    </main>
  );
}

/** Whether this browser can have passkeys here: they belong to a name, never to a bare address. */
const canPasskeys = (): boolean =>
  isSecureContext && 'PublicKeyCredential' in window && !/^[\d.]+$|:/.test(location.hostname);

/** Goes on to where the person was going; who they are is asked anew. */
async function enterHouse(): Promise<void> {
  if (route.value.screen === 'sign-in') go(wayBack(), true);
  await start();
}

// Who opens the link of a message and has to get a sign-in link first comes back
// to the alert with it, perhaps in another tab.
const asked = 'lykta.asked';
const askedFor = 15 * 60_000;

function remember(path: string): void {
  try {
    localStorage.setItem(asked, JSON.stringify({ path, at: Date.now() }));
  } catch {
    // Without storage one finds the alert on the first screen.
  }
}

function wayBack(): string {
  try {
    const { path, at } = JSON.parse(localStorage.getItem(asked) ?? '{}') as Record<string, unknown>;
    localStorage.removeItem(asked);
    const fresh = typeof at === 'number' && Date.now() - at < askedFor;
    if (fresh && typeof path === 'string' && parse(path).screen === 'alert') return path;
  } catch {
    // Then to the first screen.
  }
  return '/';
}

/** The code in what was pasted: the code itself, or the whole link. */
export function codeOf(given: string): string {
  const trimmed = given.trim();
  const hash = trimmed.indexOf('#');
  return hash >= 0 ? trimmed.slice(hash + 1) : trimmed;
}
