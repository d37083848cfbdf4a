import type { HomeDetail, People } from '../api/types';
import { t, type Key } from '../shared/i18n';
import { alertName } from '../shared/words';
import { unbroken } from '../shared/unbroken';
import { useAsked } from './asking';
import { channelName, listOf } from './chainwords';
import './hometools.css';
import { Later } from './later';
import * as api from './teamapi';

/** Who is told of the home's alerts beside the staff: relatives by consent, and responders. */
export function Contacts({ home }: { home: HomeDetail }) {
  const { value, failed, again } = useAsked(() => api.people(), [home.id]);
  const own = value ? contactsOf(value, home.id) : [];
  return (
    <section class="tool" aria-labelledby="contacts-title">
      <h2 id="contacts-title">{t('contacts.heading')}</h2>
      {failed && (
        <p class="field-error" role="alert">
          {unbroken(failed)}
        </p>
      )}
      {value && own.length === 0 && <p>{t('contacts.none')}</p>}
      <ul class="silence-list">
        {own.map((c) => (
          <li key={`${c.group} ${c.id}`}>
            <strong>{c.name}</strong> – {t(`member.as.${c.group}` as Key)}
            {c.away && ` (${t('people.away')})`}
            <p class="quiet">
              {c.alerts.length === 0
                ? t('contacts.all')
                : t('contacts.of', {
                    kinds: listOf(c.alerts.map((kind) => alertName({ kind }).toLocaleLowerCase())),
                  })}
              {` · ${c.channels.length > 0 ? c.channels.map(channelName).join(', ') : t('people.unreachable')}`}
            </p>
          </li>
        ))}
      </ul>
      {value && (
        <Later
          page="invite-relative"
          quiet
          home={home}
          relatives={own.filter((c) => c.role === 'relative')}
          changed={again}
        />
      )}
      <a class="button" href="/people">
        {t('contacts.all_people')}
      </a>
    </section>
  );
}

const groups = ['contacts', 'responders'];

const contactsOf = ({ people }: People, home: string) =>
  people.flatMap((p) =>
    p.groups
      .filter((m) => m.scope === home && groups.includes(m.group))
      .map(({ group, alerts }) => ({ ...p, group, alerts })),
  );
