import { useEffect, useState } from 'preact/hooks';
import type { Person } from '../../api/types';
import { newKey } from '../../shared/queue';
import { locale, t, tn, type Key } from '../../shared/i18n';
import { addDays, clock, dayOf, moment, now, serverNow, startOfDay } from '../../shared/time';
import { unbroken } from '../../shared/unbroken';
import * as api from '../admin/api';
import { inWords } from '../asking';
import { can } from '../may';
import { homes, say } from '../state';
import { Dialog } from './dialog';
import { weekNumber } from './rotawords';
import { isMeanwhile, Meanwhile, useMeanwhile } from './meanwhile';
import { copiesOf, entryOf, minutesOf, overlapping, timesOf, type Copies } from './visitwords';
import { instantOf } from './zoned';

/** What a form of a visit begins with: a visit that is there, or what is known of a new one. */
export interface Draft {
  visit?: api.Visit;
  day?: string;
  person?: string;
  home?: string;
}

const lengths = [15, 30, 45, 60, 90, 120] as const;
const usual = [
  'morning',
  'medicine',
  'lunch',
  'shower',
  'shopping',
  'cleaning',
  'evening',
  'look',
] as const;

interface FormProps {
  draft: Draft;
  area: string;
  zone: string | undefined;
  staff: readonly Person[];
  /** The other visits of the week, to find what is at the same time. */
  visits: readonly api.Visit[];
  close: () => void;
  changed: () => void;
}

/** Plans, moves or cancels a visit, and says yes to one that a relative asks for. */
export function VisitForm({ draft, area, zone, staff, visits, close, changed }: FormProps) {
  const { visit } = draft;
  const [id] = useState(visit?.id ?? newKey());
  const at = visit ? Date.parse(visit.from) : NaN;
  const [home, setHome] = useState(visit?.home ?? draft.home ?? '');
  const [person, setPerson] = useState(visit?.person ?? draft.person ?? '');
  const [day, setDay] = useState(visit ? dayOf(at, zone) : (draft.day ?? ''));
  const [time, setTime] = useState(visit ? clock(at, zone) : nextHour(zone));
  const [length, setLength] = useState(visit ? minutesOf(visit) : 30);
  const [what, setWhat] = useState(visit?.what ?? '');
  const [video, setVideo] = useState(visit?.video ?? false);
  const [cancels, setCancels] = useState(false);
  const [reason, setReason] = useState('');
  const asks = visit?.state === 'requested';
  const from = instantOf(`${day}T${time}`, zone);
  const entry = (): api.VisitEntry => ({
    home,
    person,
    what: what.trim(),
    video,
    from: new Date(from).toISOString(),
    to: new Date(from + length * 60_000).toISOString(),
    state: 'planned',
    note: visit?.note ?? '',
    rev: visit?.rev ?? 0,
  });
  const meanwhile = useMeanwhile(visit);
  const clash = Number.isNaN(from) ? undefined : overlapping(visits, entry(), id);
  const collator = new Intl.Collator(locale());
  const choices = [...homes.value.values()]
    .filter((h) => h.area === area || h.id === home)
    .sort((a, b) => collator.compare(a.name, b.name));

  if (meanwhile.theirs) {
    return (
      <Meanwhile
        {...meanwhile}
        theirs={meanwhile.theirs}
        nameOf={(p) => staff.find(({ id }) => id === p)?.name ?? ''}
        zone={zone}
        changed={changed}
      />
    );
  }
  if (cancels && visit) {
    return (
      <Dialog
        key="cancel"
        title={t('planned.cancel_title')}
        save={t('planned.cancel_do')}
        onClose={close}
        check={() => (reason.trim() ? '' : t('planned.bad_reason'))}
        onSave={async () => {
          await meanwhile.put(id, entryOf(visit, { state: 'cancelled', note: reason.trim() }));
          say(t('planned.cancelled_done'));
          changed();
        }}
      >
        <p>
          {visit.home_name}, {timesOf(visit, zone)}
          {visit.what && ` · ${visit.what}`}
        </p>
        <label class="field">
          <span>{t('planned.cancel_reason')}</span>
          <textarea
            rows={2}
            maxLength={1000}
            value={reason}
            onInput={(e) => setReason(e.currentTarget.value)}
          />
        </label>
      </Dialog>
    );
  }
  return (
    <Dialog
      key="plan"
      title={t(asks ? 'planned.accept_title' : visit ? 'planned.edit_title' : 'planned.new_title')}
      onClose={close}
      check={() => {
        if (!home) return t('planned.bad_home');
        return Number.isNaN(from) ? t('planned.bad_time') : '';
      }}
      onSave={async () => {
        await meanwhile.put(id, entry());
        say(t(asks ? 'planned.accepted' : 'planned.saved'));
        changed();
      }}
      more={
        visit &&
        !asks && (
          <button type="button" class="button" onClick={() => setCancels(true)}>
            {t('planned.cancel')}
          </button>
        )
      }
    >
      {asks && <p class="quiet">{t('planned.request_by', { name: visit.asked_by })}</p>}
      <div class="pair">
        <label class="field">
          <span>{t('planned.home')}</span>
          <select value={home} disabled={asks} onChange={(e) => setHome(e.currentTarget.value)}>
            <option value="" />
            {choices.map((h) => (
              <option key={h.id} value={h.id}>
                {h.name}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          <span>{t('planned.person')}</span>
          <select value={person} onChange={(e) => setPerson(e.currentTarget.value)}>
            <option value="">{t('planned.nobody')}</option>
            {[...staff]
              .sort((a, b) => collator.compare(a.name, b.name))
              .map((p) => (
                <option key={p.id} value={p.id}>
                  {p.away ? t('person.away_named', { name: p.name }) : p.name}
                </option>
              ))}
          </select>
        </label>
      </div>
      <div class="plan-visit-when">
        <label class="field">
          <span>{t('planned.day')}</span>
          <input type="date" value={day} onInput={(e) => setDay(e.currentTarget.value)} />
        </label>
        <label class="field">
          <span>{t('planned.from')}</span>
          <input
            type="time"
            step={300}
            value={time}
            onInput={(e) => setTime(e.currentTarget.value)}
          />
        </label>
        <label class="field">
          <span>{t('planned.length')}</span>
          <select value={String(length)} onChange={(e) => setLength(Number(e.currentTarget.value))}>
            {[...new Set([...lengths, length])]
              .sort((a, b) => a - b)
              .map((n) => (
                <option key={n} value={String(n)}>
                  {t('planned.minutes', { n })}
                </option>
              ))}
          </select>
        </label>
      </div>
      <label class="field">
        <span>{t('planned.what')}</span>
        <input
          type="text"
          list="visit-usual"
          maxLength={200}
          autoComplete="off"
          value={what}
          onInput={(e) => setWhat(e.currentTarget.value)}
        />
        <datalist id="visit-usual">
          {usual.map((u) => (
            <option key={u} value={t(`planned.what.${u}` as Key)} />
          ))}
        </datalist>
      </label>
      {can('video') && (
        <label class="check">
          <input
            type="checkbox"
            checked={video}
            onChange={(e) => setVideo(e.currentTarget.checked)}
          />
          <span>{t('planned.video')}</span>
        </label>
      )}
      {clash && (
        <p class="plan-visit-clash" role="status">
          {t('planned.overlap', {
            name: clash.who,
            what: clash.home_name,
            when: timesOf(clash, zone),
          })}
        </p>
      )}
      {visit?.changed && (
        <p class="quiet">
          {t('planned.last_change', {
            by: visit.by,
            when: moment(Date.parse(visit.changed), now.value, zone),
          })}
        </p>
      )}
    </Dialog>
  );
}

// The next whole hour by the clock of the homes: "15:00"; the last of a day stays in it.
const nextHour = (zone: string | undefined) => {
  const hour = Number(clock(serverNow(), zone).slice(0, 2));
  return `${String(Math.min(23, hour + 1)).padStart(2, '0')}:00`;
};

interface AnswerProps {
  visit: api.Visit;
  zone?: string | undefined;
  close: () => void;
  changed: () => void;
}

/** Says no to what a relative asks for, and why. */
export function Decline({ visit, zone, close, changed }: AnswerProps) {
  const [reason, setReason] = useState('');
  const name = visit.asked_by;
  const meanwhile = useMeanwhile(visit);
  if (meanwhile.theirs) {
    return <Meanwhile {...meanwhile} theirs={meanwhile.theirs} zone={zone} changed={changed} />;
  }
  return (
    <Dialog
      title={t('planned.decline_title', { name })}
      save={t('planned.decline_do')}
      onClose={close}
      check={() => (reason.trim() ? '' : t('planned.bad_reason'))}
      onSave={async () => {
        await meanwhile.put(visit.id, entryOf(visit, { state: 'declined', note: reason.trim() }));
        say(t('planned.declined', { name }));
        changed();
      }}
    >
      <label class="field">
        <span>{t('planned.decline_reason', { name })}</span>
        <textarea
          rows={3}
          maxLength={1000}
          aria-describedby="decline-hint"
          value={reason}
          onInput={(e) => setReason(e.currentTarget.value)}
        />
      </label>
      <p id="decline-hint" class="quiet">
        {t('planned.decline_hint')}
      </p>
    </Dialog>
  );
}

interface CopyProps {
  monday: string;
  zone: string | undefined;
  area: string;
  present: readonly api.Visit[];
  close: () => void;
  changed: () => void;
}

/** Puts the visits of the week before into the week. What is there already is left alone. */
export function CopyWeek({ monday, zone, area, present, close, changed }: CopyProps) {
  const [copies, setCopies] = useState<Copies>();
  const [failed, setFailed] = useState('');
  const [done, setDone] = useState(0);
  const before = addDays(monday, -7);
  const weeks = { from: weekNumber(before), to: weekNumber(monday) };
  useEffect(() => {
    api.visits(startOfDay(before, zone), startOfDay(monday, zone), area).then(
      (last) => setCopies(copiesOf(last, present, monday, zone)),
      (error: unknown) => setFailed(inWords(error)),
    );
  }, []);
  const all = copies?.fresh.length ?? 0;
  return (
    <Dialog
      title={t('planned.copy_title', weeks)}
      save={all > 0 ? t('planned.copy_do') : t('form.close')}
      only={all === 0}
      onClose={close}
      onSave={async () => {
        // One that fails stops the rest; another try goes on where it stopped.
        for (const [id, entry] of copies?.fresh.slice(done) ?? []) {
          // One that is there already stays as it is: it was copied before, and changed since.
          await api.putVisit(id, entry).catch((error: unknown) => {
            if (!isMeanwhile(error)) throw error;
          });
          setDone((n) => n + 1);
        }
        if (all > 0) say(tn('planned.copied', all));
        changed();
      }}
    >
      {failed && (
        <p class="field-error" role="alert">
          {unbroken(failed)}
        </p>
      )}
      {!copies && !failed && <p role="status">{t('app.loading')}</p>}
      {copies && (
        <>
          <p>
            {all > 0
              ? tn('planned.copy_text', all)
              : t('planned.copy_nothing', { from: weeks.from })}
          </p>
          {copies.there > 0 && <p class="quiet">{tn('planned.copy_there', copies.there)}</p>}
          {done > 0 && <p role="status">{t('planned.copy_going', { done, all })}</p>}
        </>
      )}
    </Dialog>
  );
}
