import { useState } from 'preact/hooks';
import type { HomeDetail } from '../../api/types';
import { Icon } from '../../shared/icons';
import { locale, t } from '../../shared/i18n';
import { moment, now } from '../../shared/time';
import { alertName } from '../../shared/words';
import { unbroken } from '../../shared/unbroken';
import { useAsked } from '../asking';
import { listOf } from '../chainwords';
import { Contacts } from '../contacts';
import { acts } from '../deeds';
import { Dialog, useDeed } from '../plan/dialog';
import { newKey } from '../queue';
import { detail } from '../state';
import * as api from './api';
import { telOf } from './carewords';
import { Shown, Sign } from './common';
import type { PartProps } from './parts';
import './records.css';

/** Who somebody is and what helpers must know, whom to call, and what the screen reminds of. */
export function CardPart({ id, name, zone, resident }: PartProps) {
  const home = detail.value?.id === id ? detail.value : null;
  return (
    <div class="part part-card">
      <Shown asked={resident} name={name}>
        {(card) => (
          <>
            <Details id={id} card={card} zone={zone} changed={resident.again} />
            <div class="part-aside">
              <People card={card} />
              {home && <Told home={home} />}
            </div>
          </>
        )}
      </Shown>
      <Reminders id={id} name={name} />
    </div>
  );
}

const Told = ({ home }: { home: HomeDetail }) => <Contacts home={home} />;

interface DetailsProps {
  id: string;
  card: api.Resident;
  zone: string | undefined;
  changed: () => void;
}

function Details({ id, card, zone, changed }: DetailsProps) {
  const [editing, setEditing] = useState(false);
  const rows: [string, string][] = [
    [t('card.important'), card.important],
    [t('card.wishes'), card.wishes],
    [t('card.entry'), card.entry],
    [t('card.address'), card.address],
    [t('card.name'), card.name],
    [t('card.called'), card.called],
    [t('card.born').replace(/ \(.*/, ''), card.born],
    [t('card.ask'), card.ask ? clockOf(card.ask) : ''],
  ];
  const filled = rows.filter(([, text]) => text);
  return (
    <section class="tool" aria-labelledby="card-title">
      <h2 id="card-title">{t('card.heading')}</h2>
      {filled.length === 0 && <p>{t('card.none')}</p>}
      <dl class="card-rows">
        {filled.map(([label, text]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
      {card.changed && (
        <p class="quiet">
          {t('card.changed', {
            when: moment(Date.parse(card.changed), now.value, zone),
            name: card.changed_by,
          })}
        </p>
      )}
      {acts() && (
        <button type="button" class="button" onClick={() => setEditing(true)}>
          {t('card.edit')}
        </button>
      )}
      {editing && <EditCard id={id} card={card} saved={changed} close={() => setEditing(false)} />}
    </section>
  );
}

const clockOf = (minutes: number) =>
  `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;

const minutesOf = (time: string): number => {
  const [h = NaN, m = NaN] = time.split(':').map(Number);
  return h * 60 + m;
};

// What is written, of what was read.
const cardOf = (c: api.Resident): api.Card => ({
  name: c.name,
  called: c.called,
  born: c.born,
  phone: c.phone,
  address: c.address,
  entry: c.entry,
  language: c.language,
  important: c.important,
  wishes: c.wishes,
  ask: c.ask,
});

interface EditProps {
  id: string;
  card: api.Resident;
  saved: () => void;
  close: () => void;
}

function EditCard({ id, card, saved, close }: EditProps) {
  const [draft, setDraft] = useState<api.Card>(() => cardOf(card));
  const line = (key: 'name' | 'called' | 'born' | 'phone') => (
    <label class="field">
      <span>{t(`card.${key}`)}</span>
      <input
        inputMode={key === 'phone' ? 'tel' : 'text'}
        maxLength={200}
        autoComplete="off"
        value={draft[key]}
        onInput={(e) => setDraft({ ...draft, [key]: e.currentTarget.value })}
      />
    </label>
  );
  const text = (key: 'important' | 'wishes' | 'entry' | 'address', most: number) => (
    <label class="field">
      <span>{t(`card.${key}`)}</span>
      <textarea
        rows={2}
        maxLength={most}
        value={draft[key]}
        onInput={(e) => setDraft({ ...draft, [key]: e.currentTarget.value })}
      />
    </label>
  );
  return (
    <Dialog
      title={t('card.edit')}
      check={() => (/^(\d{4}(-\d\d-\d\d)?)?$/.test(draft.born.trim()) ? '' : t('card.born_wrong'))}
      onSave={async () => {
        await api.putCard(id, { ...draft, born: draft.born.trim() });
        saved();
      }}
      onClose={close}
    >
      {text('important', 2000)}
      {text('entry', 200)}
      {text('wishes', 2000)}
      <div class="pair">
        {line('name')}
        {line('called')}
        {line('born')}
        {line('phone')}
      </div>
      {text('address', 2000)}
      <div class="pair">
        <label class="field">
          <span>{t('card.language')}</span>
          <select
            value={draft.language || 'sv'}
            onChange={(e) => setDraft({ ...draft, language: e.currentTarget.value })}
          >
            <option value="sv">Svenska</option>
            <option value="en">English</option>
          </select>
        </label>
        <label class="field">
          <span>{t('card.ask')}</span>
          <input
            type="time"
            value={draft.ask ? clockOf(draft.ask) : ''}
            onInput={(e) => setDraft({ ...draft, ask: minutesOf(e.currentTarget.value) || 0 })}
          />
        </label>
      </div>
    </Dialog>
  );
}

/** Those whom one can call at one touch: the resident first. */
function People({ card }: { card: api.Resident }) {
  const reachable = card.contacts.filter((c) => c.phone);
  return (
    <section class="tool" aria-labelledby="people-title">
      <h2 id="people-title">{t('card.contacts')}</h2>
      {!card.phone && reachable.length === 0 && <p>{t('card.contacts_none')}</p>}
      <ul class="callable">
        {card.phone && <Callable name={card.called || card.name} phone={card.phone} says="" />}
        {reachable.map((c) => (
          <Callable
            key={c.person}
            name={c.name}
            phone={c.phone}
            says={
              c.told.length > 0
                ? t('contacts.of', {
                    kinds: listOf(c.told.map((kind) => alertName({ kind }).toLocaleLowerCase())),
                  })
                : t('contacts.all')
            }
          />
        ))}
      </ul>
    </section>
  );
}

function Callable({ name, phone, says }: { name: string; phone: string; says: string }) {
  return (
    <li>
      <a class="button call" href={telOf(phone)}>
        <Sign name="phone" />
        <span>
          <span class="visually-hidden">{t('who.call', { name })} – </span>
          <strong aria-hidden="true">{name}</strong> <span class="call-number">{phone}</span>
        </span>
      </a>
      {says && <p class="quiet">{says}</p>}
    </li>
  );
}

function Reminders({ id, name }: { id: string; name: string }) {
  const asked = useAsked(() => api.reminders(id), [id]);
  const [editing, setEditing] = useState<api.Reminder | null>(null);
  return (
    <section class="tool" aria-labelledby="reminders-title">
      <h2 id="reminders-title">{t('reminders.heading')}</h2>
      <Shown asked={asked} name={name}>
        {(all) => (
          <>
            {all.length === 0 && <p>{t('reminders.none')}</p>}
            <ul class="reminders">
              {[...all]
                .sort((a, b) => a.at - b.at)
                .map((r) => (
                  <li key={r.id} class="reminder">
                    <strong class="reminder-at">{clockOf(r.at)}</strong>
                    <span class="reminder-text">
                      {r.text}
                      <span class="quiet">
                        {' '}
                        · {daysOf(r.days)}
                        {r.medication && ` · ${t('reminders.is_medication')}`}
                      </span>
                    </span>
                    {acts() && (
                      <button type="button" class="button" onClick={() => setEditing(r)}>
                        {t('reminders.change')}
                        <span class="visually-hidden"> – {r.text}</span>
                      </button>
                    )}
                  </li>
                ))}
            </ul>
          </>
        )}
      </Shown>
      {acts() && (
        <button
          type="button"
          class="button"
          onClick={() =>
            setEditing({ id: newKey(), text: '', at: 8 * 60, days: [], medication: false })
          }
        >
          <Icon name="clock" />
          {t('reminders.add')}
        </button>
      )}
      {editing && (
        <EditReminder
          home={id}
          reminder={editing}
          isNew={!asked.value?.some((r) => r.id === editing.id)}
          saved={asked.again}
          close={() => setEditing(null)}
        />
      )}
    </section>
  );
}

// 1 January 2024 was a Monday.
const dayName = (day: number, form: 'short' | 'long') =>
  new Intl.DateTimeFormat(locale(), { weekday: form, timeZone: 'UTC' }).format(
    Date.UTC(2024, 0, day),
  );

const daysOf = (days: readonly number[]): string =>
  days.length === 0 || days.length === 7
    ? t('reminders.every_day')
    : listOf([...days].sort().map((d) => dayName(d, days.length > 2 ? 'short' : 'long')));

interface EditReminderProps {
  home: string;
  reminder: api.Reminder;
  isNew: boolean;
  saved: () => void;
  close: () => void;
}

function EditReminder({ home, reminder, isNew, saved, close }: EditReminderProps) {
  const [draft, setDraft] = useState(reminder);
  const removal = useDeed();
  const check = () => {
    if (!draft.text.trim()) return t('reminders.text_missing');
    return Number.isFinite(draft.at) ? '' : t('reminders.at_missing');
  };
  const toggle = (day: number) => {
    const days = draft.days.includes(day)
      ? draft.days.filter((d) => d !== day)
      : [...draft.days, day];
    setDraft({ ...draft, days: days.sort() });
  };
  return (
    <Dialog
      title={t(isNew ? 'reminders.add' : 'reminders.edit')}
      check={check}
      onSave={async () => {
        await api.putReminder(home, { ...draft, text: draft.text.trim() });
        saved();
      }}
      onClose={close}
      more={
        !isNew && (
          <button
            type="button"
            class="button"
            disabled={removal.busy}
            onClick={() =>
              void removal.run(
                () => api.deleteReminder(home, reminder.id),
                () => {
                  saved();
                  close();
                },
              )
            }
          >
            {t('reminders.delete')}
          </button>
        )
      }
    >
      <label class="field">
        <span>{t('reminders.text')}</span>
        <input
          maxLength={120}
          value={draft.text}
          onInput={(e) => setDraft({ ...draft, text: e.currentTarget.value })}
        />
      </label>
      <label class="field">
        <span>{t('reminders.at')}</span>
        <input
          type="time"
          value={Number.isFinite(draft.at) ? clockOf(draft.at) : ''}
          onInput={(e) => setDraft({ ...draft, at: minutesOf(e.currentTarget.value) })}
        />
      </label>
      <fieldset class="group-of-checks">
        <legend>
          {t('reminders.days')} <span class="quiet">({daysOf(draft.days)})</span>
        </legend>
        <div class="segments">
          {[1, 2, 3, 4, 5, 6, 7].map((d) => (
            <label key={d} class="segment">
              <input
                type="checkbox"
                aria-label={dayName(d, 'long')}
                checked={draft.days.includes(d)}
                onChange={() => toggle(d)}
              />
              <span>{dayName(d, 'short')}</span>
            </label>
          ))}
        </div>
      </fieldset>
      <label class="check">
        <input
          type="checkbox"
          checked={draft.medication}
          onChange={(e) => setDraft({ ...draft, medication: e.currentTarget.checked })}
        />
        <span>{t('reminders.medication')}</span>
      </label>
      {removal.failed && (
        <p class="field-error" role="alert">
          {unbroken(removal.failed)}
        </p>
      )}
    </Dialog>
  );
}
