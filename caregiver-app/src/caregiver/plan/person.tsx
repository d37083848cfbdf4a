import { useState } from 'preact/hooks';
import type { Address, Person } from '../../api/types';
import { locale, t, type Key } from '../../shared/i18n';
import { provenOrNot } from '../../shared/proof';
import { alertName } from '../../shared/words';
import { channelName } from '../chainwords';
import '../admin/texts';
import { homes, me, say } from '../state';
import * as api from '../teamapi';
import { Dialog } from './dialog';
import { channels, e164, groups, idFor, ofHome, wrongAddress } from './peoplewords';
import { areasOf } from './rotawords';

interface PersonProps {
  people: readonly Person[];
  /** The person to change; a new one when there is none. */
  person?: Person;
  close: () => void;
  changed: () => void;
}

const isNumber = (channel: string) => channel === 'sms' || channel === 'voice';

const staff: readonly string[] = ['caregiver', 'coordinator', 'operator'];

// Nobody gives a role above their own.
const rolesToGive = () =>
  ['caregiver', 'coordinator', 'operator', 'relative'].filter(
    (r) => r !== 'operator' || me.value?.role === 'operator',
  );

/** Adds or changes a person: the name, what they may do, the ways to reach them in their order, whether they are away. */
export function PersonForm({ people, person, close, changed }: PersonProps) {
  const [name, setName] = useState(person?.name ?? '');
  const [language, setLanguage] = useState(person?.language || 'sv');
  const [away, setAway] = useState(person?.away ?? false);
  const [role, setRole] = useState<string>(person?.role ?? '');
  const [areas, setAreas] = useState<readonly string[]>(person?.areas ?? []);
  const known = areasOf(
    [...homes.value.values()].map((h) => h.area),
    locale(),
  ).filter(Boolean);
  const own = !!person && person.id === me.value?.person;
  const [addresses, setAddresses] = useState<readonly Address[]>(
    person?.addresses ?? [{ channel: 'sms', to: '' }],
  );
  const set = (i: number, change: Partial<Address>) =>
    setAddresses(addresses.map((a, j) => (i === j ? { ...a, ...change } : a)));
  const tidy = addresses.map((a) => (isNumber(a.channel) ? { ...a, to: e164(a.to) } : a));
  const up = (i: number) => {
    const next = [...addresses];
    next.splice(i - 1, 2, next[i]!, next[i - 1]!);
    setAddresses(next);
  };
  return (
    <Dialog
      title={person ? t('person.edit_title', { name: person.name }) : t('person.new_title')}
      onClose={close}
      check={() => {
        if (!name.trim()) return t('person.bad_name');
        return tidy.map(wrongAddress).find(Boolean) ?? '';
      }}
      onSave={async () => {
        const id =
          person?.id ??
          idFor(
            name,
            people.map((p) => p.id),
          );
        const entry = { name: name.trim(), language, away, addresses: tidy };
        const given = { role, areas: staff.includes(role) ? [...areas] : [] };
        await provenOrNot(() => api.putPerson(id, { ...entry, ...given }));
        say(t('person.saved', { name: name.trim() }));
        changed();
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
        <span>{t('person.role')}</span>
        <select
          value={role}
          disabled={own}
          aria-describedby="person-role"
          onChange={(e) => setRole(e.currentTarget.value)}
        >
          <option value="">{t('person.role.none')}</option>
          {rolesToGive().map((r) => (
            <option key={r} value={r}>
              {t(`role.${r}` as Key)}
            </option>
          ))}
        </select>
      </label>
      <p id="person-role" class="quiet">
        {t(own ? 'person.role_own' : 'person.role.hint')}
      </p>
      {staff.includes(role) && known.length > 1 && (
        <fieldset class="group-of-checks">
          <legend>{t('person.areas')}</legend>
          <p class="quiet">{t('person.areas_hint')}</p>
          {known.map((area) => (
            <label class="check" key={area}>
              <input
                type="checkbox"
                checked={areas.includes(area)}
                onChange={(e) =>
                  setAreas(
                    e.currentTarget.checked ? [...areas, area] : areas.filter((a) => a !== area),
                  )
                }
              />
              <span>{area}</span>
            </label>
          ))}
        </fieldset>
      )}
      <fieldset class="addresses">
        <legend>{t('person.addresses')}</legend>
        {addresses.length === 0 && <p class="quiet">{t('people.unreachable')}</p>}
        {addresses.map((a, i) => (
          <div class="address" key={i}>
            <select
              aria-label={t('person.channel', { n: i + 1 })}
              value={a.channel}
              onChange={(e) => set(i, { channel: e.currentTarget.value })}
            >
              {/* One that was given before and is no way any more is still shown. */}
              {[...new Set([...channels, a.channel])].map((c) => (
                <option key={c} value={c}>
                  {channelName(c)}
                </option>
              ))}
            </select>
            {a.channel === 'push' ? (
              <span class="address-push quiet">{t('person.push')}</span>
            ) : (
              <input
                type="text"
                inputMode={isNumber(a.channel) ? 'tel' : a.channel === 'email' ? 'email' : 'url'}
                aria-label={t('person.address', { n: i + 1 })}
                placeholder={isNumber(a.channel) ? '070-123 45 67' : ''}
                value={a.to}
                onInput={(e) => set(i, { to: e.currentTarget.value })}
                // A number as one writes it at home becomes one that works from anywhere.
                onBlur={() => isNumber(a.channel) && set(i, { to: e164(a.to) })}
              />
            )}
            <button
              type="button"
              class="button button-plain"
              disabled={i === 0}
              onClick={() => up(i)}
            >
              <span aria-hidden="true">↑</span>
              <span class="visually-hidden">{t('person.up', { n: i + 1 })}</span>
            </button>
            <button
              type="button"
              class="button button-plain"
              onClick={() => setAddresses(addresses.filter((_, j) => j !== i))}
            >
              <span aria-hidden="true">×</span>
              <span class="visually-hidden">{t('person.remove', { n: i + 1 })}</span>
            </button>
            {!channels.includes(a.channel) && (
              <p class="address-unused">
                {t('person.unused', { channel: channelName(a.channel) })}
              </p>
            )}
          </div>
        ))}
        <button
          type="button"
          class="button"
          disabled={addresses.length >= 16}
          onClick={() => setAddresses([...addresses, { channel: 'sms', to: '' }])}
        >
          {t('person.add_address')}
        </button>
      </fieldset>
      <label class="field">
        <span>{t('person.language')}</span>
        <select value={language} onChange={(e) => setLanguage(e.currentTarget.value)}>
          <option value="sv">Svenska</option>
          <option value="en">English</option>
        </select>
      </label>
      <label class="check">
        <input type="checkbox" checked={away} onChange={(e) => setAway(e.currentTarget.checked)} />
        <span>{t('person.away')}</span>
      </label>
    </Dialog>
  );
}

const kinds = [
  'sos',
  'fall',
  'smoke',
  'carbon_monoxide',
  'water_leak',
  'check_in_missed',
  'gateway_silent',
  'visit_missed',
  'call_back',
] as const;

interface MemberProps {
  person: Person;
  close: () => void;
  changed: () => void;
}

/** Puts a person into a group: of an area, or as a relative or neighbour of a home. */
export function MemberForm({ person, close, changed }: MemberProps) {
  const [group, setGroup] = useState<string>('all_staff');
  const [area, setArea] = useState('');
  const [home, setHome] = useState('');
  const [alerts, setAlerts] = useState<readonly string[]>(['sos', 'fall']);
  const collator = new Intl.Collator(locale());
  const all = [...homes.value.values()].sort((a, b) => collator.compare(a.name, b.name));
  const areas = areasOf(
    all.map((h) => h.area),
    locale(),
  ).filter(Boolean);
  const personal = ofHome(group);
  return (
    <Dialog
      title={t('member.title', { name: person.name })}
      onClose={close}
      check={() => {
        if (personal && !home) return t('member.bad_home');
        return personal && alerts.length === 0 ? t('silence.bad_kinds') : '';
      }}
      onSave={async () => {
        const scope = personal ? home : area;
        const told = personal ? [...alerts] : [];
        await api.putMember({ group, scope, person: person.id, alerts: told });
        say(t('person.saved', { name: person.name }));
        changed();
      }}
    >
      <fieldset class="group-of-checks">
        <legend>{t('member.group')}</legend>
        {groups.map((g) => (
          <label class="check" key={g}>
            <input type="radio" name="group" checked={group === g} onChange={() => setGroup(g)} />
            <span>
              {t(`member.as.${g}` as Key)}
              <span class="check-hint quiet">{t(`member.hint.${g}` as Key)}</span>
            </span>
          </label>
        ))}
      </fieldset>
      {personal ? (
        <>
          <label class="field">
            <span>{t('member.home')}</span>
            <select value={home} onChange={(e) => setHome(e.currentTarget.value)}>
              <option value="" />
              {all.map((h) => (
                <option key={h.id} value={h.id}>
                  {h.name}
                </option>
              ))}
            </select>
          </label>
          <fieldset class="group-of-checks">
            <legend>{t('member.alerts')}</legend>
            {kinds.map((kind) => (
              <label class="check" key={kind}>
                <input
                  type="checkbox"
                  checked={alerts.includes(kind)}
                  onChange={(e) =>
                    setAlerts(
                      e.currentTarget.checked
                        ? [...alerts, kind]
                        : alerts.filter((k) => k !== kind),
                    )
                  }
                />
                <span>{alertName({ kind })}</span>
              </label>
            ))}
          </fieldset>
        </>
      ) : (
        <label class="field">
          <span>{t('area.label')}</span>
          <select value={area} onChange={(e) => setArea(e.currentTarget.value)}>
            <option value="">{t('area.whole')}</option>
            {areas.map((a) => (
              <option key={a} value={a}>
                {a}
              </option>
            ))}
          </select>
        </label>
      )}
    </Dialog>
  );
}
