import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Icon, Lantern } from '../shared/icons';
import { t, tn, type Key } from '../shared/i18n';
import { LanguageSwitch } from '../shared/languageswitch';
import { atMoment, now } from '../shared/time';
import { unbroken } from '../shared/unbroken';
import { HomeScreen } from './home';
import { toHeading } from './focus';
import { FamilyIcon } from './icons';
import { Later } from './later';
import { homePath, root, route } from './route';
import { homeOf, homes, link, me, notice, queue, session, wake } from './state';

export function App() {
  const where = route.value;
  const is = session.value;
  if (where.screen === 'invitation') {
    return (
      <Plain>
        <Later page="invitation" code={where.code} />
      </Plain>
    );
  }
  switch (is.state) {
    case 'starting':
      return (
        <Plain>
          <h1 tabIndex={-1}>{t('family.fetching')}</h1>
        </Plain>
      );
    case 'signed-out':
      return (
        <Plain>
          <Later page="door" expired={is.expired} />
        </Plain>
      );
    case 'other-role':
      return (
        <Plain>
          <Later page="staff" />
        </Plain>
      );
    case 'failed':
      return (
        <Plain>
          <Failed id={is.id} network={is.network} />
        </Plain>
      );
  }
  return <Inside />;
}

function Failed({ id, network }: { id: string; network: boolean }) {
  const unsent = queue.waiting.value.length;
  // Without a network it is tried again by itself.
  useEffect(() => {
    const timer = setInterval(wake, 10_000);
    return () => clearInterval(timer);
  }, []);
  return (
    <>
      <h1 tabIndex={-1}>{t(network ? 'family.offline' : 'error.title')}</h1>
      <p role="status">{t(network ? 'family.offline_text' : 'family.failed_text')}</p>
      <p>{t('family.urgent')}</p>
      {unsent > 0 && <p class="unsent">{tn('family.unsent', unsent)}</p>}
      {id && <p class="quiet error-id">{t('error.id', { id })}</p>}
      <button type="button" class="button button-main button-wide" onClick={wake}>
        {t('error.retry')}
      </button>
    </>
  );
}

/** A page with nothing but one thing to do. */
function Plain({ children }: { children: ComponentChildren }) {
  return (
    <main class="door" id="content">
      <div class="door-card">
        <Lantern large />
        <p class="door-name">{t('app.name')}</p>
        {children}
        <LanguageSwitch />
      </div>
    </main>
  );
}

function Inside() {
  const where = route.value;
  const all = homes.value;
  const alert = where.screen === 'alert' ? where.id : '';
  const named = 'id' in where && !alert ? where.id : '';
  const withAlert = alert && all?.find((h) => h.alerts.some((a) => a.id === alert))?.home;
  const only = all?.length === 1 ? all[0]!.home : '';
  const current = named || withAlert || only;
  useEffect(() => {
    import('../shared/push').then(
      (m) => m.tellPush({ person: me.value?.person ?? '', root }),
      () => {}, // the next time
    );
  }, []);
  // Who cannot see the screen is told where they have come.
  const first = useRef(true);
  useEffect(() => {
    if (first.current) first.current = false;
    else toHeading();
  }, [where.screen, named]);
  return (
    <>
      <a class="skip" href="#content">
        {t('app.skip')}
      </a>
      <header class="top">
        <a class="top-name" href={root}>
          <Lantern />
          <span>{t('app.name')}</span>
        </a>
        <Nav home={current} />
      </header>
      <LinkState />
      <main id="content" tabIndex={-1}>
        {current && all && all.length > 1 && where.screen !== 'account' && (
          <Switcher current={current} />
        )}
        <Screen home={current} alert={alert} />
      </main>
      <Notice />
    </>
  );
}

function Screen({ home, alert }: { home: string; alert: string }) {
  const where = route.value;
  if (where.screen === 'account') return <Later page="account" />;
  if (where.screen === 'missing') {
    return (
      <section class="panel">
        <h1 tabIndex={-1}>{t('family.missing')}</h1>
        <a href={root}>{t('family.missing_home')}</a>
      </section>
    );
  }
  if (!homes.value) return <p role="status">{t('family.fetching')}</p>;
  const shown = homeOf(home);
  if (!shown) return <Later page="start" gone={'id' in where && !alert} />;
  if (where.screen === 'visits') return <Later page="visits" home={home} />;
  if (where.screen === 'messages') return <Later page="messages" home={home} />;
  if (where.screen === 'call') return <Later page="call" home={home} key={home} />;
  return <HomeScreen home={shown} alert={alert} />;
}

/** Which of several homes is on screen. */
function Switcher({ current }: { current: string }) {
  const { screen } = route.value;
  const page = screen === 'visits' || screen === 'messages' ? screen : '';
  return (
    <nav class="switcher" aria-label={t('family.homes')}>
      {homes.value?.map((h) => (
        <a
          key={h.home}
          href={homePath(h.home, page)}
          aria-current={h.home === current ? 'true' : undefined}
        >
          {h.name}
        </a>
      ))}
    </nav>
  );
}

function Nav({ home }: { home: string }) {
  const { screen } = route.value;
  const item = (href: string, on: boolean, icon: string, key: Key) => (
    <a href={href} class="nav-item" aria-current={on ? 'page' : undefined}>
      <FamilyIcon name={icon} />
      <span>{t(key)}</span>
    </a>
  );
  const now = screen === 'start' || screen === 'home' || screen === 'alert';
  return (
    <nav class="nav" aria-label={t('family.nav')}>
      {item(home ? homePath(home) : root, now, 'light', 'family.nav.now')}
      {home && item(homePath(home, 'visits'), screen === 'visits', 'calendar', 'family.nav.visits')}
      {home &&
        item(homePath(home, 'messages'), screen === 'messages', 'message', 'family.nav.messages')}
      {item(`${root}account`, screen === 'account', 'person', 'family.nav.account')}
    </nav>
  );
}

/** What the relative has to know of the link: that what is shown may be old. */
function LinkState() {
  const { up, heard } = link.value;
  const waiting = queue.waiting.value.filter((d) => d.who === me.value?.person);
  const unsent = waiting.filter((d) => d.key !== queue.sending.value).length;
  return (
    <div class="link-state" role="status">
      {!up && (
        <p class="link-down">
          <Icon name="gateway_silent" />
          <span>
            {heard
              ? t('family.link_down', { when: atMoment(heard, now.value, homes.value?.[0]?.zone) })
              : t('link.down_new')}
          </span>
          <button type="button" class="button" onClick={wake}>
            {t('link.retry')}
          </button>
        </p>
      )}
      {unsent > 0 && (
        <p class="link-unsent">
          <Icon name="clock" />
          <span>{tn('family.unsent', unsent)}</span>
        </p>
      )}
    </div>
  );
}

function Notice() {
  const said = notice.value;
  useEffect(() => {
    if (!said || said.bad) return;
    const timer = setTimeout(() => (notice.value = null), 8_000);
    return () => clearTimeout(timer);
  }, [said]);
  return (
    <div class="notice-place" role="status">
      {said && (
        <div class={`notice${said.bad ? ' notice-bad' : ''}`}>
          <p>{unbroken(said.text)}</p>
          <button type="button" class="button button-plain" onClick={() => (notice.value = null)}>
            {t('family.close')}
          </button>
        </div>
      )}
    </div>
  );
}
