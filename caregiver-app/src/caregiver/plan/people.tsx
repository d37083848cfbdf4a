import { useState } from 'preact/hooks';
import type { Member, Person } from '../../api/types';
import { locale, t, tMaybe, tn } from '../../shared/i18n';
import { moment, now } from '../../shared/time';
import { unbroken } from '../../shared/unbroken';
import { endSignIns } from '../admin/api';
import '../admin/texts';
import { useAsked } from '../asking';
import { Later } from '../later';
import { homes, me, say } from '../state';
import * as api from '../teamapi';
import { Dialog, useDeed } from './dialog';
import { Answer, Frame, manages } from './frame';
import './people.css';
import { memberWords, readableNumber, wayName } from './peoplewords';
import { MemberForm, PersonForm } from './person';

const homeName = (id: string) => homes.value.get(id)?.name ?? id;

type Form = 'person' | 'member' | 'invite' | 'lost';
type Open = { form: 'add' } | { form: Form; person: Person };

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
              {(open?.form === 'add' || open?.form === 'person') && (
                <PersonForm
                  people={people}
                  {...(open.form === 'person' ? { person: open.person } : {})}
                  close={() => setOpen(null)}
                  changed={changed}
                />
              )}
              {open?.form === 'invite' && (
                <Later page="invite" quiet person={open.person} close={changed} />
              )}
              {open?.form === 'lost' && (
                <LostPhone person={open.person} close={() => setOpen(null)} changed={changed} />
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
  edit: (form: Form) => void;
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
      channel === 'push' ? wayName(channel) : `${wayName(channel)} ${readableNumber(to)}`,
    ) ?? person.channels.map(wayName);
  return (
    <li class="panel person">
      <div class="person-head">
        <h2>{person.name}</h2>
        {person.away && <span class="tag tag-attention">{t('people.away')}</span>}
      </div>
      <SignIn person={person} />
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
          {unbroken(deed.failed)}
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
          {person.role && person.id !== me.value?.person && (
            <button type="button" class="button" onClick={() => edit('invite')}>
              {t(person.invited ? 'people.invite_again' : 'people.invite')}
              <span class="visually-hidden"> – {person.name}</span>
            </button>
          )}
          {!!person.passkeys && (
            <button type="button" class="button" onClick={() => edit('lost')}>
              {t('people.lost')}
              <span class="visually-hidden"> – {person.name}</span>
            </button>
          )}
        </div>
      )}
    </li>
  );
}

/** What the person may do in Lykta, and whether they can come in. */
function SignIn({ person }: { person: Person }) {
  const { role, areas, passkeys = 0, invited } = person;
  if (role === undefined) return null;
  if (!role) return <p class="quiet">{t('people.role_none')}</p>;
  return (
    <p class="person-in">
      <strong>
        {tMaybe(`role.${role}`) ?? role}
        {areas && areas.length > 0 && `, ${areas.join(', ')}`}
      </strong>
      <span class="quiet">
        {passkeys > 0
          ? tn('people.in.passkeys', passkeys)
          : invited
            ? t('people.in.invited', { when: moment(Date.parse(invited), now.value) })
            : t('people.in.not')}
      </span>
    </p>
  );
}

interface LostProps {
  person: Person;
  close: () => void;
  changed: () => void;
}

/** A telephone is gone: whoever has it must not come in. */
function LostPhone({ person, close, changed }: LostProps) {
  const { name } = person;
  return (
    <Dialog
      title={t('people.lost_title', { name })}
      save={t('people.lost_do')}
      onClose={close}
      onSave={async () => {
        await endSignIns(person.id);
        say(t('people.lost_done', { name }));
        changed();
      }}
    >
      <p>{t('people.lost_text', { name })}</p>
    </Dialog>
  );
}
