import { signal } from '@preact/signals';
import type { Alert } from '../api/types';
import { Lantern } from '../shared/icons';
import { t, tMaybe, tn, type Key } from '../shared/i18n';
import { clock } from '../shared/time';
import { AlertCard } from './alertcard';
import { Later } from './later';
import { activeAlerts, homes, link } from './state';

/** How many of one severity show before one asks for more. Emergencies all show. */
const page = 20;
const shownOf = signal<Readonly<Record<string, number>>>({});

/** From how many alerts on their cards are drawn smaller, so that more are in sight. */
export const crowd = 3;

/** What needs a human now. */
export function NowScreen() {
  const alerts = activeAlerts.value;
  const groups = new Map<string, Alert[]>();
  for (const alert of alerts) {
    const known = tMaybe(`severity.${alert.severity}`) ? alert.severity : 'other';
    const name = alert.test ? 'test' : known;
    groups.set(name, [...(groups.get(name) ?? []), alert]);
  }
  return (
    <div class="now">
      <h1 tabIndex={-1} class={alerts.length === 0 ? 'visually-hidden' : ''}>
        {t(heading(alerts))}
      </h1>
      <Later page="push-hint" quiet />
      {alerts.length === 0 && <Calm />}
      {[...groups].map(([severity, group]) => (
        <Group key={severity} severity={severity} alerts={group} />
      ))}
    </div>
  );
}

// Who reads "nothing acute" while the live link is down would be misled.
function heading(alerts: readonly Alert[]): Key {
  if (alerts.some((a) => !a.test && a.severity !== 'attention' && a.severity !== 'technical')) {
    return 'now.heading';
  }
  return link.value.up ? 'now.no_emergency' : 'now.title';
}

function Group({ severity, alerts }: { severity: string; alerts: Alert[] }) {
  const shown = severity === 'emergency' ? Infinity : (shownOf.value[severity] ?? page);
  const rest = alerts.length - shown;
  return (
    <section class={`group group-${severity}`} aria-labelledby={`group-${severity}`}>
      <h2 id={`group-${severity}`} class="group-title">
        {t(`severity.${severity}` as Key)} <span class="count">{alerts.length}</span>
      </h2>
      <ul class={alerts.length >= crowd ? 'cards cards-crowd' : 'cards'}>
        {alerts.slice(0, shown).map((alert) => (
          <li key={alert.id}>
            <AlertCard alert={alert} />
          </li>
        ))}
      </ul>
      {rest > 0 && (
        <button
          type="button"
          class="button"
          onClick={() => (shownOf.value = { ...shownOf.value, [severity]: shown + page })}
        >
          {tn('now.more', Math.min(page, rest))}
        </button>
      )}
    </section>
  );
}

// That all is calm is said of now only, which without the live link nobody knows.
function Calm() {
  const { up, heard } = link.value;
  const silent = [...homes.value.values()].filter((h) => h.silent).length;
  return (
    <div class="calm">
      <Lantern large />
      <h2 class="calm-title">{up ? t('now.empty') : t('now.empty_at', { clock: clock(heard) })}</h2>
      <p>{up ? t('now.empty_text') : t('now.empty_stale')}</p>
      <p class="quiet">
        <a href="/homes">{tn('now.watching', homes.value.size)}</a>
        {silent > 0 && ` · ${tn('now.silent', silent)}`}
      </p>
    </div>
  );
}
