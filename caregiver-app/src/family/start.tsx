import { t, tn } from '../shared/i18n';
import { Icon } from '../shared/icons';
import { now } from '../shared/time';
import { lightOf, openAlerts } from './home';
import { HomeLantern } from './light';
import { lightWords } from './lightwords';
import './pagetexts';
import { homePath } from './route';
import { homes, oldSince } from './state';

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
