import { outcomeName } from '../shared/names';
import { t, tMaybe } from '../shared/i18n';
import { atMoment, now } from '../shared/time';
import type { FamilyHome } from './api';
import './pagetexts';
import { Panel } from './panel';
import { homeOf } from './state';
import { alertSays, fieldName } from './words';

/** What is not news: how they move about, the week that was, and what is not shown. */
export function SideOf({ home: id }: { home: string }) {
  const home = homeOf(id);
  const at = now.value;
  return (
    home && (
      <>
        <Activity home={home} at={at} />
        <Week home={home} at={at} />
        <NotShared home={home} />
      </>
    )
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
