import { effect, useSignal } from '@preact/signals';
import { Component, type ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Icon, Lantern } from '../shared/icons';
import { t, tMaybe, tn } from '../shared/i18n';
import { planning, route } from '../shared/router';
import { clock } from '../shared/time';
import { unbroken } from '../shared/unbroken';
import { alertName } from '../shared/words';
import { HomesScreen } from './homes';
import * as keys from './keys';
import { fetchAhead, Later } from './later';
import { can, may } from './may';
import { NowScreen } from './now';
import { SignInScreen } from './signin';
import { LanguageChoice, SoundChoice } from './settings';
import * as sound from './sound';
import {
  alertCount,
  announcement,
  homes,
  link,
  loaded,
  me,
  notice,
  queue,
  session,
  signOut,
  start,
  unmet,
  unsent,
  wake,
  written,
} from './state';

/** The whole of the caregiver's app. */
export function App() {
  return (
    <Guard>
      <Door />
    </Guard>
  );
}

function Door() {
  const is = session.value;
  const to = route.value;
  // Who is invited is let in by that, whoever else is signed in here.
  if (to.screen === 'invitation') return <Later page="invitation" code={to.code} />;
  switch (is.state) {
    case 'starting':
      return <Waiting />;
    case 'failed':
      return <Failed id={is.id} network={is.network} />;
    case 'signed-out':
      return <SignInScreen code={to.screen === 'sign-in' ? to.code : ''} expired={is.expired} />;
    case 'signed-in':
      return <House />;
  }
}

function Waiting() {
  return (
    <main class="door" id="content">
      <div class="door-card" role="status">
        <Lantern large />
        <p>{t('app.loading')}</p>
      </div>
    </main>
  );
}

function Failed({ id, network }: { id: string; network: boolean }) {
  useEffect(() => {
    const timer = setInterval(() => void start(), 8_000);
    return () => clearInterval(timer);
  }, []);
  return (
    <main class="door" id="content">
      <div class="door-card" role="alert">
        <Lantern large />
        <h1 tabIndex={-1}>{t(network ? 'error.network' : 'error.title')}</h1>
        <p>{t(network ? 'error.network_text' : 'error.text')}</p>
        {id && <p class="quiet error-id">{t('error.id', { id })}</p>}
        <button type="button" class="button button-main" onClick={() => void start()}>
          {t('error.retry')}
        </button>
      </div>
    </main>
  );
}

function House() {
  useNavigation();
  useEffect(() => {
    if (loaded.value) fetchAhead();
  }, [loaded.value]);
  const person = me.value?.person ?? '';
  useEffect(() => {
    import('../shared/push').then(
      (m) => m.tellPush({ person, root: '/' }),
      () => {}, // the next time
    );
  }, [person]);
  return (
    <>
      <a class="skip" href="#content">
        {t('app.skip')}
      </a>
      <header class="bar">
        <a class="brand" href="/">
          <Lantern />
          <span>{t('app.name')}</span>
        </a>
        <Nav />
        <a class="button button-plain find" href="/search" {...at('search')}>
          <Icon name="search" />
          <span>{t('nav.search')}</span>
        </a>
        <Menu />
      </header>
      <LinkState />
      <Emergencies />
      {can('video') && <Later page="call-bar" quiet />}
      <main id="content" tabIndex={-1}>
        {loaded.value ? <Screen /> : <Loading />}
      </main>
      <Notice />
      {keys.helpShown.value && (
        <Later page="keys" quiet done={() => (keys.helpShown.value = false)} />
      )}
      <p class="visually-hidden" role="alert" data-announce>
        {announcement.value}
      </p>
    </>
  );
}

function Screen() {
  const to = route.value;
  switch (to.screen) {
    case 'now':
    case 'sign-in':
      return <NowScreen />;
    case 'homes':
      return <HomesScreen />;
    case 'home':
      return <Later key={to.id} page="home" id={to.id} part={to.part} />;
    case 'alert':
    case 'call':
      return <Later key={to.id} page={to.screen} id={to.id} />;
    case 'install':
      return <Later key={`install ${to.id}`} page="install" id={to.id} />;
    case 'invitation':
      return null;
    case 'missing':
      return <MissingScreen />;
    default:
      return <Later key={to.screen} page={to.screen} />;
  }
}

function Loading() {
  return (
    <div class="empty" role="status">
      <h1 class="visually-hidden">{t('app.name')}</h1>
      <p>{t('app.loading')}</p>
    </div>
  );
}

function MissingScreen() {
  return (
    <div class="empty">
      <h1 tabIndex={-1}>{t('missing.title')}</h1>
      <p>{t('missing.text')}</p>
      <a class="button button-main" href="/">
        {t('missing.home')}
      </a>
    </div>
  );
}

// After a step to another screen, the screen's heading has the focus: what a
// page load would have done for one who cannot see it. A page that has to be
// fetched has its heading later, so it is led there until the person does something.
function useNavigation(): void {
  const first = useRef(true);
  const place = JSON.stringify(route.value);
  useEffect(() => {
    if (first.current) {
      first.current = false;
      return undefined;
    }
    const from = document.activeElement;
    const lead = () => {
      const at = document.activeElement;
      if (at !== from && at !== document.body) return;
      document.querySelector<HTMLElement>('h1')?.focus({ preventScroll: true });
    };
    lead();
    const watch = new MutationObserver(lead);
    const stop = () => watch.disconnect();
    watch.observe(document.body, { childList: true, subtree: true });
    addEventListener('keydown', stop, { capture: true, once: true });
    addEventListener('pointerdown', stop, { capture: true, once: true });
    return stop;
  }, [place]);
}

const at = (...screens: string[]) =>
  screens.includes(route.value.screen) ? { 'aria-current': 'page' as const } : {};

function Nav() {
  const count = alertCount.value;
  const urgent = unmet.value.length > 0;
  return (
    <nav class="nav" aria-label={t('nav.label')}>
      <a href="/" {...at('now', 'alert')}>
        <Icon name="sos" />
        <span>{t('nav.now')}</span>
        {count > 0 && (
          <span class={urgent ? 'badge badge-urgent' : 'badge'}>
            <span aria-hidden="true">{count}</span>
            <span class="visually-hidden">{tn('now.count', count)}</span>
          </span>
        )}
      </a>
      <a href="/shift" {...at('shift', 'hand-over')}>
        <Icon name="check_in_missed" />
        <span>{t('nav.shift')}</span>
      </a>
      <a href="/homes" {...at('homes', 'home')}>
        <Icon name="homes" />
        <span>{t('nav.homes')}</span>
      </a>
      <a href="/rota" {...at(...planning)}>
        <Icon name="calendar" />
        <span>{t('nav.planning')}</span>
      </a>
    </nav>
  );
}

function Menu() {
  const box = useRef<HTMLDetailsElement>(null);
  const failed = useSignal('');
  const opened = useSignal(false);
  useEffect(() => {
    const away = (e: Event) => {
      if (box.current?.open && !box.current.contains(e.target as Node)) box.current.open = false;
    };
    document.addEventListener('pointerdown', away);
    document.addEventListener('focusin', away);
    return () => {
      document.removeEventListener('pointerdown', away);
      document.removeEventListener('focusin', away);
    };
  }, []);
  const person = me.value;
  if (!person) return null;

  const shut = () => {
    if (box.current) box.current.open = false;
  };
  // The menu shuts when the focus leaves it: what gets it back is what opens the menu.
  const showKeys = () => {
    box.current?.querySelector('summary')?.focus();
    shut();
    keys.helpShown.value = true;
  };
  const leave = async () => {
    if (unsent.value > 0 && !confirm(t('menu.sign_out_waiting'))) return;
    try {
      await signOut();
    } catch {
      failed.value = t('error.network');
    }
  };

  return (
    <details
      class="menu"
      ref={box}
      onToggle={() => (opened.value ||= box.current?.open ?? false)}
      onKeyDown={(e) => {
        if (e.key !== 'Escape' || !box.current) return;
        box.current.open = false;
        box.current.querySelector('summary')?.focus();
      }}
    >
      <summary class="button button-plain">
        <Icon name="menu" />
        <span>{t('menu.open')}</span>
      </summary>
      <div class="menu-box">
        <p class="menu-who">
          {t('menu.signed_in', { name: person.name })}
          <span class="quiet">{tMaybe(`role.${person.role}`) ?? person.role}</span>
        </p>
        <LanguageChoice />
        <SoundChoice />
        {opened.value && <Later page="push" />}
        <button type="button" class="button" onClick={showKeys}>
          {t('menu.keys')} <kbd>?</kbd>
        </button>
        <a class="button" href="/account" onClick={shut}>
          {t('account.title')}
        </a>
        {may('add_homes') && (
          <a class="button" href="/install" onClick={shut}>
            {t('install.title')}
          </a>
        )}
        {opened.value && <Later page="push-ends" quiet />}
        <button type="button" class="button" onClick={() => void leave()}>
          {t('menu.sign_out')}
        </button>
        {failed.value && (
          <p class="field-error" role="alert">
            {unbroken(failed.value)}
          </p>
        )}
      </div>
    </details>
  );
}

function LinkState() {
  const { up, heard } = link.value;
  const waiting = unsent.value;
  const late = waiting > 0 && !queue.sending.value && !written.sending.value;
  return (
    <div class="strips" role="status">
      {!up && (
        <div class="strip strip-down">
          <Icon name="gateway_silent" />
          <p>{heard ? t('link.down', { clock: clock(heard) }) : t('link.down_new')}</p>
          <button type="button" class="button" onClick={wake}>
            {t('link.retry')}
          </button>
        </div>
      )}
      {late && (
        <div class="strip strip-waiting">
          <Icon name="clock" />
          <p>{tn('queue.waiting', waiting)}</p>
        </div>
      )}
      {sound.wanted.value && sound.blocked.value && (
        <div class="strip">
          <p>{t('menu.sound_blocked')}</p>
          <button type="button" class="button" onClick={() => void sound.play()}>
            {t('menu.sound_test')}
          </button>
        </div>
      )}
    </div>
  );
}

// On the other screens an emergency that nobody has stays in sight.
function Emergencies() {
  const first = unmet.value[0];
  if (!first || route.value.screen === 'now') return null;
  const more = unmet.value.length - 1;
  return (
    <aside aria-label={t('severity.emergency')}>
      <a class="siren" href="/">
        <Icon name={first.kind} />
        <span>
          {t('alert.banner', { kind: alertName(first), name: first.home_name })}
          {more > 0 && ` ${t('alert.banner_more', { n: more })}`}
        </span>
        <strong>{t('alert.banner_show')}</strong>
      </a>
    </aside>
  );
}

function Notice() {
  const is = notice.value;
  useEffect(() => {
    if (!is || is.bad) return;
    const timer = setTimeout(() => {
      if (notice.value === is) notice.value = null;
    }, 10_000);
    return () => clearTimeout(timer);
  }, [is]);
  return (
    <div class="notice-place" role="status">
      {is && (
        <div class={is.bad ? 'notice notice-bad' : 'notice'}>
          <p>{unbroken(is.text)}</p>
          <button type="button" class="button button-plain" onClick={() => (notice.value = null)}>
            {t('done.dismiss')}
          </button>
        </div>
      )}
    </div>
  );
}

/** Keeps the document's title at what the screen is about; returns its stop. */
export function keepTitle(): () => void {
  return effect(() => {
    document.title = titleOf();
  });
}

function titleOf(): string {
  const app = t('app.name');
  const is = session.value;
  if (route.value.screen === 'invitation') return `${t('invitation.title')} – ${app}`;
  if (is.state === 'signed-out') return `${t('signin.title')} – ${app}`;
  if (is.state === 'failed') return `${t('error.title')} – ${app}`;
  if (is.state === 'starting') return app;
  const n = alertCount.value;
  const to = route.value;
  const names: Record<typeof to.screen, string> = {
    now: t('now.title'),
    homes: t('homes.title'),
    home: to.screen === 'home' ? (homes.value.get(to.id)?.name ?? t('homes.title')) : '',
    alert: t('alert.title'),
    call: tMaybe('history.title') ?? '',
    rota: t('plan.rota'),
    people: t('plan.people'),
    policies: t('plan.policies'),
    silences: t('plan.silences'),
    load: t('plan.load'),
    visits: t('plan.visits'),
    devices: t('plan.devices'),
    statistics: t('plan.statistics'),
    account: t('account.title'),
    install: t('install.title'),
    shift: t('nav.shift'),
    'hand-over': t('handover.title'),
    search: t('nav.search'),
    missing: t('missing.title'),
    'sign-in': t('now.title'),
  };
  return `${n > 0 ? `(${n}) ` : ''}${names[to.screen]} – ${app}`;
}

// A screen that breaks must not take the next alarm with it in silence.
class Guard extends Component<{ children: ComponentChildren }, { broken: boolean }> {
  override state = { broken: false };

  static getDerivedStateFromError() {
    return { broken: true };
  }

  override render() {
    if (!this.state.broken) return this.props.children;
    return (
      <main class="door">
        <div class="door-card" role="alert">
          <Lantern large />
          <h1>{t('error.title')}</h1>
          <p>{t('error.crash')}</p>
          <button type="button" class="button button-main" onClick={() => location.reload()}>
            {t('error.reload')}
          </button>
        </div>
      </main>
    );
  }
}
