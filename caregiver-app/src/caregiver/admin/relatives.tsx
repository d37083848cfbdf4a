import { useState } from 'preact/hooks';
import type { Home } from '../../api/types';
import { t } from '../../shared/i18n';
import { alertName } from '../../shared/words';
import { Later } from '../later';
import { may } from '../may';
import { Dialog } from '../plan/dialog';
import { e164, idFor, wrongAddress } from '../plan/peoplewords';
import { say } from '../state';
import * as api from '../teamapi';
import './invite.css';
import './texts';

const told = ['sos', 'fall', 'check_in_missed'] as const;

interface RelativesProps {
  home: Home;
  /** Relatives of the home who can come in: each can be invited anew. */
  relatives?: readonly { id: string; name: string }[];
  changed?: () => void;
}

/** Invites relatives of a home, those who are there and new ones; who may not add people invites those who are. */
export function InviteRelative({ home, relatives = [], changed }: RelativesProps) {
  const [asks, setAsks] = useState(false);
  const [added, setAdded] = useState<{ id: string; name: string }>();
  const adds = may('manage_people');
  if (!adds && relatives.length === 0) return null;
  return (
    <div class="relatives">
      {relatives.map(({ id, name }) => (
        <button key={id} type="button" class="button" onClick={() => setAdded({ id, name })}>
          {t('invite.title', { name })} …
        </button>
      ))}
      {adds && (
        <button type="button" class="button" onClick={() => setAsks(true)}>
          {t('relatives.add')}
        </button>
      )}
      {asks && (
        <RelativeForm
          home={home}
          close={() => setAsks(false)}
          added={(person) => {
            setAsks(false);
            setAdded(person);
            changed?.();
          }}
        />
      )}
      {added && <Later page="invite" quiet person={added} close={() => setAdded(undefined)} />}
    </div>
  );
}

interface FormProps {
  home: Home;
  close: () => void;
  added: (person: { id: string; name: string }) => void;
}

function RelativeForm({ home, close, added }: FormProps) {
  const [name, setName] = useState('');
  const [phone, setPhone] = useState('');
  const [alerts, setAlerts] = useState<readonly string[]>(['sos', 'fall']);
  const number = phone.trim() && e164(phone);
  const addresses = number ? [{ channel: 'sms', to: number }] : [];
  return (
    <Dialog
      title={t('relatives.of', { name: home.name })}
      save={t('invite.make')}
      onClose={close}
      check={() => {
        if (!name.trim()) return t('person.bad_name');
        return addresses.map(wrongAddress).find(Boolean) ?? '';
      }}
      onSave={async () => {
        const { people } = await api.people();
        const id = idFor(
          name,
          people.map((p) => p.id),
        );
        const person = { name: name.trim(), language: 'sv', away: false, addresses };
        await api.putPerson(id, { ...person, role: 'relative', areas: [] });
        const member = { group: 'contacts', scope: home.id, person: id, alerts: [...alerts] };
        await api.putMember(member);
        say(t('person.saved', { name: name.trim() }));
        added({ id, name: name.trim() });
      }}
    >
      <label class="field">
        <span>{t('person.name')}</span>
        <input
          type="text"
          maxLength={100}
          autoComplete="off"
          value={name}
          onInput={(e) => setName(e.currentTarget.value)}
        />
      </label>
      <label class="field">
        <span>{t('relatives.phone')}</span>
        <input
          type="text"
          inputMode="tel"
          autoComplete="off"
          placeholder="070-123 45 67"
          aria-describedby="relative-phone"
          value={phone}
          onInput={(e) => setPhone(e.currentTarget.value)}
        />
      </label>
      <p id="relative-phone" class="quiet">
        {t('relatives.phone_hint')}
      </p>
      <fieldset class="group-of-checks">
        <legend>{t('relatives.told')}</legend>
        {told.map((kind) => (
          <label class="check" key={kind}>
            <input
              type="checkbox"
              checked={alerts.includes(kind)}
              onChange={(e) =>
                setAlerts(
                  e.currentTarget.checked ? [...alerts, kind] : alerts.filter((k) => k !== kind),
                )
              }
            />
            <span>{alertName({ kind })}</span>
          </label>
        ))}
      </fieldset>
    </Dialog>
  );
}
