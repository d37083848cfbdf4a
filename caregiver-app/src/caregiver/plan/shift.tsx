import { useState } from 'preact/hooks';
import type { Person, Shift } from '../../api/types';
import { t } from '../../shared/i18n';
import { addDays, atMinute, dayOf, serverNow } from '../../shared/time';
import { unbroken } from '../../shared/unbroken';
import { newKey } from '../queue';
import { say } from '../state';
import * as api from '../teamapi';
import { Dialog, useDeed } from './dialog';
import { manages } from './frame';
import { stretchWords, type Stretch } from './rotawords';
import { instantOf, local } from './zoned';

interface FormProps {
  zone: string | undefined;
  people: readonly Person[];
  close: () => void;
  changed: () => void;
}

interface ShiftProps extends FormProps {
  area: string;
  /** The shift to change; a new one when there is none. */
  shift?: Shift;
  /** What a new shift is to cover. */
  gap?: Stretch;
  handOver: (shift: Shift) => void;
}

// A new shift, when nothing else is said, is tomorrow's by day.
function suggested(zone: string | undefined): Stretch {
  const tomorrow = addDays(dayOf(serverNow(), zone), 1);
  return { from: atMinute(tomorrow, 7 * 60, zone), to: atMinute(tomorrow, 16 * 60, zone) };
}

/** Adds, changes or removes a shift. */
export function ShiftForm(props: ShiftProps) {
  const { area, shift, zone, people, close, changed } = props;
  const span = shift
    ? { from: Date.parse(shift.from), to: Date.parse(shift.to) }
    : (props.gap ?? suggested(zone));
  const [person, setPerson] = useState(shift?.person ?? '');
  const [from, setFrom] = useState(local(span.from, zone));
  const [to, setTo] = useState(local(span.to, zone));
  const [override, setOverride] = useState(shift?.override ?? false);
  // A field shows minutes; what was not touched keeps its seconds.
  const instant = (field: string, was: number) =>
    field === local(was, zone) ? was : instantOf(field, zone);
  const begins = instant(from, span.from);
  const ends = instant(to, span.to);
  const over = shift && Date.parse(shift.to) <= serverNow();
  return (
    <Dialog
      title={t(shift ? 'rota.edit_title' : 'rota.new_title')}
      onClose={close}
      check={() => {
        if (!person) return t('rota.bad_person');
        return begins < ends ? '' : t('rota.bad_time');
      }}
      onSave={async () => {
        await api.putShift({
          id: shift?.id ?? newKey(),
          area,
          person,
          from: new Date(begins).toISOString(),
          to: new Date(ends).toISOString(),
          override,
        });
        say(t('rota.saved'));
        changed();
      }}
      more={
        shift && (
          <>
            {!over && (
              <button type="button" class="button" onClick={() => props.handOver(shift)}>
                {t('rota.hand')}
              </button>
            )}
            <Remove shift={shift} changed={changed} />
          </>
        )
      }
    >
      <PersonField label={t('rota.person')} people={people} person={person} choose={setPerson} />
      <div class="pair">
        <label class="field">
          <span>{t('rota.from')}</span>
          <input
            type="datetime-local"
            value={from}
            onInput={(e) => setFrom(e.currentTarget.value)}
          />
        </label>
        <label class="field">
          <span>{t('rota.to')}</span>
          <input type="datetime-local" value={to} onInput={(e) => setTo(e.currentTarget.value)} />
        </label>
      </div>
      <label class="check">
        <input
          type="checkbox"
          checked={override}
          onChange={(e) => setOverride(e.currentTarget.checked)}
        />
        <span>{t('rota.override')}</span>
      </label>
    </Dialog>
  );
}

function Remove({ shift, changed }: { shift: Shift; changed: () => void }) {
  const deed = useDeed();
  const removed = () => {
    say(t('rota.removed'));
    changed();
  };
  return (
    <>
      <button
        type="button"
        class="button"
        disabled={deed.busy}
        onClick={() => void deed.run(() => api.deleteShift(shift.id), removed)}
      >
        {t('rota.remove')}
      </button>
      {deed.failed && (
        <p class="field-error" role="alert">
          {unbroken(deed.failed)}
        </p>
      )}
    </>
  );
}

/** Gives the rest of a shift to a colleague. */
export function HandOver({ shift, zone, people, close, changed }: FormProps & { shift: Shift }) {
  const begins = Date.parse(shift.from);
  const ends = Date.parse(shift.to);
  const first = Math.max(begins, serverNow());
  const [person, setPerson] = useState('');
  const [from, setFrom] = useState(local(first, zone));
  const at = from === local(first, zone) ? first : instantOf(from, zone);
  const name = (id: string) => people.find((p) => p.id === id)?.name ?? id;
  if (ends <= serverNow()) {
    return (
      <Dialog title={t('rota.hand_title')} save={t('form.close')} onClose={close} onSave={noWork}>
        <p>{t('rota.over')}</p>
      </Dialog>
    );
  }
  return (
    <Dialog
      title={t('rota.hand_title')}
      save={t('rota.hand_save')}
      onClose={close}
      check={() => {
        if (!person) return t('rota.bad_person');
        return at >= begins && at < ends ? '' : t('rota.bad_time');
      }}
      onSave={async () => {
        // Of a shift that has not begun nothing is left to who had it.
        if (at <= begins && manages()) await api.putShift({ ...shift, person });
        else await api.handOver(shift.id, person, at, newKey());
        say(t('rota.handed', { name: name(person) }));
        changed();
      }}
    >
      <p>
        {t('rota.hand_text', {
          name: name(shift.person),
          when: stretchWords({ from: begins, to: ends }, zone),
        })}
      </p>
      <PersonField
        label={t('rota.hand_to')}
        people={people.filter((p) => p.id !== shift.person)}
        person={person}
        choose={setPerson}
      />
      <label class="field">
        <span>{t('rota.hand_from')}</span>
        <input type="datetime-local" value={from} onInput={(e) => setFrom(e.currentTarget.value)} />
      </label>
    </Dialog>
  );
}

const noWork = () => Promise.resolve();

interface PersonProps {
  label: string;
  people: readonly Person[];
  person: string;
  choose: (id: string) => void;
}

// Relatives and neighbours work no shifts.
const works = (p: Person) =>
  p.groups.length === 0 || p.groups.some((m) => m.group !== 'contacts' && m.group !== 'responders');

function PersonField({ label, people, person, choose }: PersonProps) {
  const able = people.filter((p) => works(p) || p.id === person);
  return (
    <label class="field">
      <span>{label}</span>
      <select value={person} onChange={(e) => choose(e.currentTarget.value)}>
        <option value="" />
        {able.map((p) => (
          <option key={p.id} value={p.id}>
            {p.away ? t('person.away_named', { name: p.name }) : p.name}
          </option>
        ))}
      </select>
    </label>
  );
}
