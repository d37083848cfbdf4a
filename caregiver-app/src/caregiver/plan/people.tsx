import { useState } from 'preact/hooks';
import type { Member, Person } from '../../api/types';
import { locale, t } from '../../shared/i18n';
import { useAsked } from '../asking';
import { channelName } from '../chainwords';
import { homes, say } from '../state';
import * as api from '../teamapi';
import { useDeed } from './dialog';
import { Answer, Frame, manages } from './frame';
import './people.css';
import { memberWords, readableNumber } from './peoplewords';
import { MemberForm, PersonForm } from './person';

const homeName = (id: string) => homes.value.get(id)?.name ?? id;

type Open = { form: 'add' } | { form: 'person' | 'member'; person: Person };

/** Who can be told of alerts, how, and as what. */
export function PeopleScreen() {
  const asked = useAsked(() => api.people(), []);
  const [open, setOpen] = useState<Open | null>(null);
  const collator = new Intl.Collator(locale());
  const changed = () => {
    asked.again();
    setOpen(null);
  };
  return (
    <Frame page="people">
      <Answer asked={asked}>
        {({ people, last_resort }) => {
          const sorted = [...people].sort((a, b) => collator.compare(a.name, b.name));
          return (
            <>
              {!last_resort && (
                <div class="plan-warning" role="alert">
                  <p>{t('people.no_last_resort')}</p>
                </div>
              )}
              <div class="plan-tools">
                <p class="quiet">{t('people.lead')}</p>
                {manages() && (
                  <button
                    type="button"
                    class="button button-main"
                    onClick={() => setOpen({ form: 'add' })}
                  >
                    {t('people.add')}
                  </button>
                )}
              </div>
              {sorted.length === 0 && <p class="plan-wait">{t('people.none')}</p>}
              <ul class="people">
                {sorted.map((person) => (
                  <PersonCard
                    key={person.id}
                    person={person}
                    changed={asked.again}
                    edit={(form) => setOpen({ form, person })}
                  />
                ))}
              </ul>
              {open && open.form !== 'member' && (
                <PersonForm
                  people={people}
                  {...(open.form === 'person' ? { person: open.person } : {})}
                  close={() => setOpen(null)}
                  changed={changed}
                />
              )}
              {open?.form === 'member' && (
                <MemberForm person={open.person} close={() => setOpen(null)} changed={changed} />
              )}
            </>
          );
        }}
      </Answer>
    </Frame>
  );
}

interface CardProps {
  person: Person;
  changed: () => void;
  edit: (form: 'person' | 'member') => void;
}

function PersonCard({ person, changed, edit }: CardProps) {
  const deed = useDeed();
  const leave = (m: Member) =>
    void deed.run(
      () => api.deleteMember(m),
      () => {
        say(t('people.left', { name: person.name }));
        changed();
      },
    );
  const ways =
    person.addresses?.map(({ channel, to }) =>
      channel === 'push' ? channelName(channel) : `${channelName(channel)} ${readableNumber(to)}`,
    ) ?? person.channels.map(channelName);
  return (
    <li class="panel person">
      <div class="person-head">
        <h2>{person.name}</h2>
        {person.away && <span class="tag tag-attention">{t('people.away')}</span>}
      </div>
      {ways.length === 0 ? (
        <p class="person-warn">{t('people.unreachable')}</p>
      ) : (
        <ol class="person-ways" aria-label={t('people.ways')}>
          {ways.map((way) => (
            <li key={way}>{way}</li>
          ))}
        </ol>
      )}
      {person.groups.length === 0 ? (
        <p class="quiet">{t('people.no_group')}</p>
      ) : (
        <ul class="person-groups" aria-label={t('people.groups')}>
          {person.groups.map((m) => {
            const words = memberWords(m, homeName);
            return (
              <li key={`${m.group} ${m.scope}`} class={`member member-${m.group}`}>
                <span>{words}</span>
                {manages() && (
                  <button
                    type="button"
                    class="button button-plain member-leave"
                    disabled={deed.busy}
                    onClick={() => leave(m)}
                  >
                    <span aria-hidden="true">×</span>
                    <span class="visually-hidden">
                      {t('people.leave', { name: person.name, group: words })}
                    </span>
                  </button>
                )}
              </li>
            );
          })}
        </ul>
      )}
      {deed.failed && (
        <p class="field-error" role="alert">
          {deed.failed}
        </p>
      )}
      {manages() && (
        <div class="person-actions">
          <button type="button" class="button" onClick={() => edit('person')}>
            {t('people.edit')}
            <span class="visually-hidden"> – {person.name}</span>
          </button>
          <button type="button" class="button" onClick={() => edit('member')}>
            {t('people.join')}
            <span class="visually-hidden"> – {person.name}</span>
          </button>
        </div>
      )}
    </li>
  );
}
