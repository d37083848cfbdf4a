import type { ComponentChildren } from 'preact';
import { Icon } from '../shared/icons';
import { t, tMaybe, tn, type Key } from '../shared/i18n';
import { atMoment, now } from '../shared/time';
import { outcomeName } from '../shared/names';
import { AlertCard } from './alert';
import type { FamilyHome } from './api';
import { FamilyIcon } from './icons';
import { HomeLantern } from './light';
import { Later } from './later';
import { lightWords } from './lightwords';
import { homePath } from './route';
import { homes, oldSince } from './state';
import { alertSays, dayName, fieldName, span } from './words';

/** The lanterns of all homes, for who has more than one; and what to do for who has none. */
export function Start({ gone }: { gone: boolean }) {
  const all = homes.value ?? [];
  if (all.length === 0) {
    return (
      <section class="panel">
        <h1 tabIndex={-1}>{t('family.none')}</h1>
        <p>{t('family.none_text')}</p>
      </section>
    );
  }
  return (
    <>
      <h1 tabIndex={-1}>{t('family.start')}</h1>
      {gone && <p class="panel">{t('family.error.gone')}</p>}
      <ul class="lanterns">
        {all.map((home) => {
          const said = lightWords(home, now.value, oldSince.value);
          const open = openAlerts(home);
          return (
            <li key={home.home}>
              <a class="lantern-row" href={homePath(home.home)}>
                <HomeLantern light={lightOf(home)} small />
                <span class="lantern-words">
                  <strong>{said.title}</strong>
                  {said.text && <span class="quiet">{said.text}</span>}
                  {open.length > 0 && (
                    <span class="row-alert">{tn('family.open_alerts', open.length)}</span>
                  )}
                </span>
                <Icon name="right" />
              </a>
            </li>
          );
        })}
      </ul>
    </>
  );
}

/** How the lantern is drawn: an old answer gives no light. */
const lightOf = (home: FamilyHome) => (oldSince.value ? 'unknown' : home.light);

const openAlerts = (home: FamilyHome) => home.alerts.filter((a) => a.state !== 'resolved');

const rank: Record<string, number> = { emergency: 0, attention: 1, technical: 2 };

/** How it is with one home: the first screen. */
export function HomeScreen({ home, alert }: { home: FamilyHome; alert: string }) {
  const at = now.value;
  const light = lightOf(home);
  const said = lightWords(home, at, oldSince.value);
  const open = openAlerts(home).sort(
    (a, b) =>
      (rank[a.severity] ?? 3) - (rank[b.severity] ?? 3) ||
      Date.parse(a.observed) - Date.parse(b.observed),
  );
  const emergency = open.some((a) => a.severity === 'emergency' && !a.test);
  const beforeAlarm =
    home.light === 'lit' &&
    home.checked_in !== null &&
    Date.parse(home.checked_in) < Date.parse(open[0]?.observed ?? '');
  const cards = open.map((a) => (
    <AlertCard key={a.id} alert={a} home={home} wanted={a.id === alert} />
  ));
  const over = alert !== '' && home.alerts.find((a) => a.id === alert && a.state === 'resolved');
  return (
    <div class="home">
      <div class="home-main">
        {emergency && (
          <h1 class="visually-hidden" tabIndex={-1}>
            {t('family.alarm_at', { name: home.name })}
          </h1>
        )}
        {emergency && cards}
        {over && (
          <p class="panel" role="status">
            <strong>{alertSays(over, home.name)}.</strong>{' '}
            {t('family.alert.over', { outcome: outcomeName(over.outcome ?? '') })}
          </p>
        )}
        {emergency ? (
          <section class="panel hero-small">
            <HomeLantern light={light} small />
            <div>
              <h2>{said.title}</h2>
              {said.text && (
                <p class="quiet">
                  {beforeAlarm ? t('family.light.before', { when: said.text }) : said.text}
                </p>
              )}
            </div>
          </section>
        ) : (
          <section class={`hero hero-${light}`} aria-live="polite">
            <HomeLantern light={light} />
            <div class="hero-words">
              <h1 tabIndex={-1}>{said.title}</h1>
              {said.text && <p class="hero-text">{said.text}</p>}
              <Calm home={home} open={open.length} />
            </div>
          </section>
        )}
        {!emergency && cards}
        <div class="hero-deeds">
          {home.allowed.includes('messages') && (
            <a class="button" href={homePath(home.home, 'messages')}>
              <FamilyIcon name="message" />
              {t('family.write')}
            </a>
          )}
          {home.allowed.includes('visits') && (
            <a class="button" href={homePath(home.home, 'visits')}>
              <FamilyIcon name="calendar" />
              {t('family.ask_visit')}
            </a>
          )}
        </div>
      </div>
      <div class="home-side">
        <NextVisit home={home} at={at} />
        <Activity home={home} at={at} />
        {home.allowed.includes('health') && (
          <Panel title="family.health.title" icon="heart">
            <Later page="health" home={home.home} />
          </Panel>
        )}
        {(home.card || home.allowed.includes('climate')) && <Later page="house" home={home.home} />}
        <Week home={home} at={at} />
        <NotShared home={home} />
      </div>
    </div>
  );
}

function Calm({ home, open }: { home: FamilyHome; open: number }) {
  if (home.calm === null) return null;
  // Beside a check-in that did not come, or without contact, nothing is called calm.
  if (home.calm && (home.light === 'out' || lightOf(home) === 'unknown')) return null;
  return home.calm ? (
    <p class="calm">
      <Icon name="check" />
      {t('family.calm')}
    </p>
  ) : (
    <p class="not-calm">
      <Icon name="sos" />
      {tn('family.open_alerts', Math.max(1, open))}
    </p>
  );
}

function Panel({
  title,
  icon,
  children,
}: {
  title: Key;
  icon: string;
  children: ComponentChildren;
}) {
  return (
    <section class="panel" aria-labelledby={title}>
      <h2 id={title}>
        <FamilyIcon name={icon} />
        {t(title)}
      </h2>
      {children}
    </section>
  );
}

function NextVisit({ home, at }: { home: FamilyHome; at: number }) {
  if (!home.allowed.includes('visits')) return null;
  const coming = home.visits
    .filter((v) => v.state === 'planned' && Date.parse(v.to) > at)
    .sort((a, b) => Date.parse(a.from) - Date.parse(b.from))
    .slice(0, 2);
  return (
    <Panel title="family.visits.next" icon="calendar">
      {coming.length === 0 && <p class="quiet">{t('family.visits.none')}</p>}
      <ul class="facts">
        {coming.map((v) => (
          <li key={v.id}>
            <strong>
              {dayName(Date.parse(v.from), at, home.zone)}{' '}
              {span(Date.parse(v.from), Date.parse(v.to), home.zone)}
            </strong>
            <span>
              {[v.who, v.what, v.video && t('family.visits.video')].filter(Boolean).join(' · ')}
            </span>
          </li>
        ))}
      </ul>
      <a class="more" href={homePath(home.home, 'visits')}>
        {t('family.visits.all')}
      </a>
    </Panel>
  );
}

function Activity({ home, at }: { home: FamilyHome; at: number }) {
  if (!home.activity) return null;
  const { today, last } = home.activity;
  return (
    <Panel title="family.activity.title" icon="walk">
      <p>
        <strong>{tMaybe(`family.activity.${today}`) ?? t('family.activity.unknown')}</strong>
      </p>
      {last && (
        <p class="quiet">
          {t('family.activity.last', { when: atMoment(Date.parse(last), at, home.zone) })}
        </p>
      )}
    </Panel>
  );
}

/** What was and is over, of the last days. */
function Week({ home, at }: { home: FamilyHome; at: number }) {
  const over = home.alerts.filter((a) => a.state === 'resolved' && !a.test);
  if (!home.allowed.includes('alerts')) return null;
  return (
    <Panel title="family.week.title" icon="check">
      {over.length === 0 ? (
        <p class="quiet">{t('family.week.none')}</p>
      ) : (
        <ul class="facts">
          {over.map((a) => (
            <li key={a.id}>
              <strong>{alertSays(a, home.name)}</strong>
              <span>
                {[
                  atMoment(Date.parse(a.observed), at, home.zone),
                  outcomeName(a.outcome ?? ''),
                ].join(' · ')}
              </span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

/** What the resident keeps for themselves: said plainly, and not as something that went wrong. */
function NotShared({ home }: { home: FamilyHome }) {
  if (home.refused.length === 0) return null;
  return (
    <Panel title="family.refused.title" icon="lock">
      <div>
        <p>{t('family.refused', { name: home.name })}</p>
        <ul class="refused">
          {home.refused.map((field) => (
            <li key={field}>{fieldName(field)}</li>
          ))}
        </ul>
      </div>
      {home.light !== 'hidden' && <p class="quiet">{t('family.decides', { name: home.name })}</p>}
    </Panel>
  );
}
