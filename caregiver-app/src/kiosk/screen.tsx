import { useEffect, useRef } from 'preact/hooks';
import { Asking } from './asking';
import { Drawing } from './drawings';
import { HelpButton } from './help';
import { Home } from './home';
import { Letters } from './letters';
import { clock } from './local';
import type { Page, Props } from './model';
import { GrantChange, Looks, MyData, MyDay, PartyGrants } from './mydata';
import { partyName } from './rights';
import { SettingsPage } from './settingspage';
import { t } from './texts';
import { date, dayPart } from './words';

/** Which of its faces the screen shows: a call and an alarm before all, then the dark, where the resident went, what waits. */
export function faceOf({ view, dark, pages, ask, thanks, call }: Props['model']) {
  if (call?.first) return 'call'; // it shows an alarm's state, too
  if (view.alarm && !(dark && view.silent)) return 'alarm';
  if (dark) return 'dark';
  if (thanks) return 'ask';
  if (pages.length > 0) return 'page';
  if (call && ask?.kind !== 'prompt') return 'call';
  return ask ? 'ask' : 'home';
}

export function Screen({ model, acts }: Props) {
  const { view, pages, call } = model;
  const face = faceOf(model);
  const page = pages.at(-1);
  return (
    <div class="kiosk" data-face={face} data-tone={view.saying?.tone ?? 'calm'}>
      {face === 'dark' ? (
        <Dark model={model} acts={acts} />
      ) : face === 'call' && call ? (
        <call.View model={model} acts={acts} shown={call} />
      ) : face === 'page' && page ? (
        <PageScreen model={model} acts={acts} page={page} />
      ) : (
        <>
          <When model={model} acts={acts} />
          {face === 'alarm' ? (
            <Alarm model={model} acts={acts} />
          ) : face === 'ask' ? (
            <Asking model={model} acts={acts} />
          ) : (
            <Home model={model} acts={acts} />
          )}
        </>
      )}
    </div>
  );
}

/** The clock, and the day in words. */
function When({ model: { view, status } }: Props) {
  const { now, saying, silent } = view;
  const zone = status?.zone;
  return (
    <header class="when">
      {now === undefined ? (
        saying && !silent && <p>{t('kiosk.no_time')}</p>
      ) : (
        <>
          <p class="clock">{clock(now, zone)}</p>
          <p class="day">
            <span>{dayPart(now, zone)}</span> <span>{date(now, zone)}</span>
          </p>
        </>
      )}
    </header>
  );
}

/** How the press for help goes, and nothing else. */
function Alarm({ model: { view, help } }: Props) {
  const { saying, link, message } = view;
  return (
    <>
      <main class="state">
        <div role="status">
          <h1 class={(saying?.headline.length ?? 0) > 34 ? 'long' : ''}>
            {saying?.headline ?? t('kiosk.starting')}
          </h1>
          {saying?.detail && <p>{saying.detail}</p>}
        </div>
      </main>
      {message && (
        <section class="notice" aria-label={message.heading}>
          <h2>{message.heading}</h2>
          <p>{message.text}</p>
        </section>
      )}
      {link && (
        <p class="link" role="status">
          {link}
        </p>
      )}
      <HelpButton help={help} again={saying?.tone === 'waiting' || saying?.tone === 'taken'} />
    </>
  );
}

/** Dark: a dim clock, and help. Any other touch lights the screen. */
function Dark({ model: { view, status, help }, acts }: Props) {
  const { now, silent, saying } = view;
  return (
    <>
      <button type="button" class="wake" aria-label={t('kiosk.wake')} onClick={acts.wake} />
      <main>
        <h1>{now === undefined ? t('kiosk.no_time') : clock(now, status?.zone)}</h1>
        {now !== undefined && <p>{dayPart(now, status?.zone)}</p>}
        {silent && saying && (
          <p>
            {saying.headline}. {saying.detail} {view.link}
          </p>
        )}
      </main>
      <HelpButton help={help} />
    </>
  );
}

/** Where the resident went, with the way back and to help. */
function PageScreen(props: Props & { page: Page }) {
  const { model, acts, page } = props;
  const heading = useRef<HTMLHeadingElement>(null);
  const title = titleOf(props);
  // Who goes by key or screen reader goes on from the heading.
  useEffect(() => {
    if (document.activeElement === document.body) heading.current?.focus();
  }, [page]);
  return (
    <>
      <header class="top">
        <button type="button" class="plain" onClick={acts.back}>
          <Drawing name="back" />
          {t('kiosk.back')}
        </button>
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        <HelpButton help={model.help} />
      </header>
      <main class="page">{bodyOf(props)}</main>
    </>
  );
}

function titleOf({ model, page }: Props & { page: Page }): string {
  switch (page.name) {
    case 'day':
      return t('kiosk.nav_day');
    case 'letters':
      return t('kiosk.nav_messages');
    case 'data':
      return t('kiosk.nav_data');
    case 'looks':
      return t('kiosk.data_looks');
    case 'settings':
      return t('kiosk.nav_settings');
    case 'party':
    case 'grant': {
      const grant = model.status?.day?.grants?.find(({ party }) => party === page.party);
      return grant ? partyName(grant) : t('kiosk.nav_data');
    }
  }
}

function bodyOf({ page, ...props }: Props & { page: Page }) {
  switch (page.name) {
    case 'day':
      return <MyDay {...props} />;
    case 'letters':
      return <Letters {...props} />;
    case 'data':
      return <MyData {...props} />;
    case 'looks':
      return <Looks {...props} />;
    case 'settings':
      return <SettingsPage {...props} />;
    case 'party':
      return <PartyGrants {...props} key={page.party} party={page.party} />;
    case 'grant':
      return <GrantChange {...props} party={page.party} field={page.field} />;
  }
}
