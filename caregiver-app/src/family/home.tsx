import { Icon } from '../shared/icons';
import { t, tn } from '../shared/i18n';
import { now } from '../shared/time';
import { outcomeName } from '../shared/names';
import { AlertCard } from './alert';
import type { FamilyHome } from './api';
import { FamilyIcon } from './icons';
import { HomeLantern } from './light';
import { Later } from './later';
import { lightWords } from './lightwords';
import { Panel } from './panel';
import { homePath } from './route';
import { oldSince } from './state';
import { alertSays, dayName, span } from './words';

/** How the lantern is drawn: an old answer gives no light. */
export const lightOf = (home: FamilyHome) => (oldSince.value ? 'unknown' : home.light);

export const openAlerts = (home: FamilyHome) => home.alerts.filter((a) => a.state !== 'resolved');

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
          {home.allowed.includes('video') && <Later page="callable" home={home.home} />}
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
        {home.allowed.includes('health') && (
          <Panel title="family.health.title" icon="heart">
            <Later page="health" home={home.home} />
          </Panel>
        )}
        {(home.card || home.allowed.includes('climate')) && <Later page="house" home={home.home} />}
        <Later page="side" home={home.home} />
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
