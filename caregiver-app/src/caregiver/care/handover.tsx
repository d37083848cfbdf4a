import { useRef, useState } from 'preact/hooks';
import type { Alert } from '../../api/types';
import { t, tn } from '../../shared/i18n';
import { clock, moment, now, serverNow, shortDate } from '../../shared/time';
import { alertName, outcomeName } from '../../shared/words';
import { useArrivals, useAsked } from '../asking';
import { acts } from '../deeds';
import { AreaPicker, zoneOf } from '../plan/frame';
import { holderOf, homes, me } from '../state';
import * as api from './api';
import { handOverSpan, kindOf, spanOf, templates, templateText, withSentence } from './carewords';
import { Came, RefusedDeeds, Sentences, Shown, Unsent, waitingOf, when } from './common';
import './handover.css';
import './visits.css';
import { writeNote } from './notewriting';
import { myAreas, shiftsAround } from './shift';

const hour = 3_600_000;
type Choice = 'own' | '8h' | '24h' | 'choose';

/** A shift in a minute: what happened, what is open, what the next must know. */
export function HandOverScreen() {
  const zone = zoneOf();
  const given = Number(new URLSearchParams(location.search).get('from'));
  const [opened] = useState(serverNow);
  const shifts = useAsked(() => shiftsAround(opened), []);
  const [choice, setChoice] = useState<Choice>(given ? 'choose' : 'own');
  const own = handOverSpan(shifts.value ?? [], me.value?.person ?? '', opened);
  const [chosen, setChosen] = useState({ from: given || opened - 8 * hour, to: opened });
  const areas = [...new Set([...homes.value.values()].map((h) => h.area))].filter(
    (a) => a && (myAreas().length === 0 || myAreas().includes(a)),
  );
  const [area, setArea] = useState(myAreas().length === 1 ? myAreas()[0]! : '');
  const span = {
    own: { from: own.from, to: own.to },
    '8h': { from: opened - 8 * hour, to: opened },
    '24h': { from: opened - 24 * hour, to: opened },
    choose: chosen,
  }[choice];
  // What is to come cannot be handed over as done; but visits that are left can be told of.
  const ready = choice !== 'own' || shifts.value !== undefined || shifts.failed !== '';
  return (
    <div class="handover">
      <div class="shift-head">
        <div>
          <h1 tabIndex={-1}>{t('handover.title')}</h1>
          <p class="quiet" role="status">
            {t('handover.lead', {
              from: moment(span.from, opened, zone),
              to: moment(span.to, opened, zone),
            })}
          </p>
        </div>
        <button type="button" class="button no-print" onClick={() => print()}>
          {t('handover.print')}
        </button>
      </div>
      <div class="handover-choice no-print">
        <fieldset class="segments">
          <legend class="visually-hidden">{t('handover.period')}</legend>
          {(['own', '8h', '24h', 'choose'] as const).map((c) => (
            <label key={c} class="segment">
              <input
                type="radio"
                name="period"
                checked={choice === c}
                onChange={() => setChoice(c)}
              />
              <span>
                {c === 'own'
                  ? t('handover.own', { span: spanWords(own, zone) })
                  : t(`handover.${c}`)}
              </span>
            </label>
          ))}
        </fieldset>
        {choice === 'choose' && (
          <div class="pair handover-times">
            {(['from', 'to'] as const).map((end) => (
              <label class="field" key={end}>
                <span>{t(`handover.${end}`)}</span>
                <input
                  type="datetime-local"
                  value={localOf(chosen[end])}
                  onChange={(e) => {
                    const at = new Date(e.currentTarget.value).getTime();
                    if (at) setChosen({ ...chosen, [end]: at });
                  }}
                />
              </label>
            ))}
          </div>
        )}
        {areas.length > 1 && (
          <AreaPicker
            areas={['', ...areas]}
            area={area}
            name={(a) => a || t('handover.all_areas')}
            choose={setArea}
          />
        )}
      </div>
      {ready && (
        <Told span={span} area={area} zone={zone} key={`${span.from} ${span.to} ${area}`} />
      )}
    </div>
  );
}

const spanWords = (s: { from: number; to: number }, zone?: string) =>
  `${clock(s.from, zone)}–${clock(s.to, zone)}`;

// As an input of date and time has it, by this device's clock.
function localOf(ms: number): string {
  const d = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000);
  return d.toISOString().slice(0, 16);
}

interface ToldProps {
  span: { from: number; to: number };
  area: string;
  zone: string | undefined;
}

function Told({ span, area, zone }: ToldProps) {
  const asked = useAsked(() => api.handOver(span.from, span.to, area), []);
  useArrivals(asked.again, ['visit', 'note']);
  return (
    <Shown asked={asked}>
      {(is) => (
        <div class="handover-body">
          <Summary is={is} />
          {is.cut && <p role="status">{t('handover.cut')}</p>}
          <NextShift is={is} zone={zone} />
          <div class="handover-columns">
            <Alerts heading={t('handover.open')} alerts={is.open} zone={zone} urgent />
            <Alerts
              heading={t('handover.alerts')}
              alerts={is.alerts.filter((a) => !is.open.some((o) => o.id === a.id))}
              zone={zone}
            />
            <Visits visits={[...is.visits.missed, ...is.visits.open]} zone={zone} />
            <Notes notes={is.notes.filter((n) => n.kind !== 'hand_over')} zone={zone} />
            <Lines
              heading={t('handover.silences')}
              lines={is.silences.map((s) => ({
                home: s.home,
                text: t('handover.silence', { when: when(s.to, zone), reason: s.reason }),
              }))}
            />
            <Lines
              heading={t('handover.silent')}
              lines={is.silent_homes.map((s) => ({
                home: s.home,
                text: s.since ? t('handover.silent_since', { when: when(s.since, zone) }) : '',
              }))}
            />
          </div>
        </div>
      )}
    </Shown>
  );
}

function Summary({ is }: { is: api.HandOver }) {
  const missed = is.visits.missed.length;
  const calm = is.alerts.length + is.open.length + missed === 0;
  const counts = [
    tn('handover.sum_alerts', is.alerts.length),
    is.open.length > 0 && tn('handover.sum_open', is.open.length),
    tn('handover.sum_done', is.visits.done),
    missed > 0 && tn('handover.sum_missed', missed),
  ].filter(Boolean);
  return (
    <p class="handover-sum">
      {calm ? t('handover.calm') : ''} <strong>{counts.join(' · ')}</strong>
    </p>
  );
}

const homeName = (id: string) => homes.value.get(id)?.name ?? id;

const HomeLink = ({ home }: { home: string }) => (
  <a href={`/homes/${encodeURIComponent(home)}`}>{homeName(home)}</a>
);

function NextShift({ is, zone }: { is: api.HandOver; zone: string | undefined }) {
  const notes = is.notes.filter((n) => n.kind === 'hand_over');
  const waiting = waitingOf('note').filter((d) => d.body['kind'] === 'hand_over');
  return (
    <section class="handover-next" aria-labelledby="next-title">
      <h2 id="next-title">{t('handover.next')}</h2>
      {notes.length + waiting.length === 0 && <p class="quiet">{t('handover.next_none')}</p>}
      <ul class="notes">
        {waiting.map((d) => (
          <li key={d.key} class="note note-next note-waiting">
            <p class="note-head">
              <strong>{homeName(d.home)}</strong> · {d.who} <Unsent deed={d} />
            </p>
            <p class="note-text">{String(d.body['text'] ?? '')}</p>
          </li>
        ))}
        {notes.map((n) => (
          <li key={n.id} class="note note-next">
            <p class="note-head">
              <HomeLink home={n.home} /> · {n.author}, {when(n.written, zone)}
              <Came note={n} zone={zone} />
            </p>
            <p class="note-text">{n.text}</p>
          </li>
        ))}
      </ul>
      <RefusedDeeds kind="note" />
      {acts() && (
        <details class="more-below no-print">
          <summary class="button">{t('handover.write')}</summary>
          <WriteNext />
        </details>
      )}
    </section>
  );
}

function WriteNext() {
  const [home, setHome] = useState('');
  const [text, setText] = useState('');
  const [wrong, setWrong] = useState('');
  const choice = useRef<HTMLSelectElement>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const all = [...homes.value.values()].sort((a, b) => a.name.localeCompare(b.name));
  const submit = (event: Event) => {
    event.preventDefault();
    if (!home) {
      setWrong(t('handover.about_missing'));
      choice.current?.focus();
      return;
    }
    if (!text.trim()) {
      setWrong(t('notes.empty'));
      field.current?.focus();
      return;
    }
    setWrong('');
    writeNote(home, homeName(home), { kind: 'hand_over', text });
    setText('');
    setHome('');
    choice.current?.focus();
  };
  return (
    <form class="tool note-form no-print" onSubmit={submit} noValidate>
      <label class="field">
        <span>{t('handover.about')}</span>
        <select ref={choice} value={home} onChange={(e) => setHome(e.currentTarget.value)}>
          <option value="">{t('handover.about_choose')}</option>
          {all.map((h) => (
            <option key={h.id} value={h.id}>
              {h.name}
            </option>
          ))}
        </select>
      </label>
      <Sentences
        sentences={templates.hand_over.map(templateText)}
        choose={(s) => setText(withSentence(text, s))}
      />
      <label class="field">
        <span>{t('notes.text')}</span>
        <textarea
          ref={field}
          rows={3}
          maxLength={4000}
          value={text}
          onInput={(e) => setText(e.currentTarget.value)}
        />
      </label>
      {wrong && (
        <p class="field-error" role="alert">
          {wrong}
        </p>
      )}
      <button type="submit" class="button button-main">
        {t('handover.save')}
      </button>
    </form>
  );
}

interface AlertsProps {
  heading: string;
  alerts: readonly Alert[];
  zone: string | undefined;
  urgent?: boolean;
}

function Alerts({ heading, alerts, zone, urgent }: AlertsProps) {
  if (alerts.length === 0) return null;
  return (
    <section>
      <h2>{heading}</h2>
      <ul class="handover-list">
        {alerts.map((a) => (
          <li key={a.id} class={urgent && a.severity === 'emergency' ? 'urgent' : ''}>
            <strong>{when(a.observed, zone)}</strong> <HomeLink home={a.home} /> ·{' '}
            <a href={`/alert/${encodeURIComponent(a.id)}`}>{alertName(a)}</a>
            <span class="quiet"> – {endOf(a)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function endOf(a: Alert): string {
  if (a.state === 'resolved' && !a.resolved_by) {
    return [outcomeName(a.outcome ?? '').toLocaleLowerCase(), a.note].filter(Boolean).join(': ');
  }
  if (a.state === 'resolved') {
    return t('handover.closed', {
      by: a.resolved_by ?? '',
      outcome: [outcomeName(a.outcome ?? '').toLocaleLowerCase(), a.note]
        .filter(Boolean)
        .join(': '),
    });
  }
  const holder = holderOf(a);
  return holder ? t('handover.held', { name: holder }) : t('handover.nobody');
}

function Visits({ visits, zone }: { visits: readonly api.Visit[]; zone: string | undefined }) {
  // A visit that is still to come is no loose end of the shift.
  const loose = visits.filter((v) => v.state === 'missed' || Date.parse(v.to) < now.value);
  if (loose.length === 0) return null;
  return (
    <section>
      <h2>{t('handover.visits')}</h2>
      <ul class="handover-list">
        {loose.map((v) => (
          <li key={v.id}>
            <strong>
              {shortDate(Date.parse(v.from), zone)} {spanOf(v.from, v.to, zone)}
            </strong>{' '}
            <HomeLink home={v.home} /> · {v.what}
            <span class="quiet">
              {' '}
              –{' '}
              {[
                t(v.state === 'missed' ? 'visit.missed' : 'visit.late').toLocaleLowerCase(),
                v.who,
                v.note,
              ]
                .filter(Boolean)
                .join(', ')}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Notes({ notes, zone }: { notes: readonly api.Note[]; zone: string | undefined }) {
  if (notes.length === 0) return null;
  const byHome = new Map<string, api.Note[]>();
  for (const n of notes) byHome.set(n.home, [...(byHome.get(n.home) ?? []), n]);
  return (
    <section>
      <h2>{t('handover.notes')}</h2>
      {[...byHome].map(([home, own]) => (
        <div key={home} class="handover-home">
          <h3>
            <HomeLink home={home} />
          </h3>
          <ul class="handover-list">
            {own.map((n) => (
              <li key={n.id}>
                <strong>{when(n.written, zone)}</strong> {n.text}{' '}
                <span class="quiet">
                  – {n.author}, {kindOf(n.kind).toLocaleLowerCase()}
                </span>{' '}
                <Came note={n} zone={zone} />
              </li>
            ))}
          </ul>
        </div>
      ))}
    </section>
  );
}

function Lines({ heading, lines }: { heading: string; lines: { home: string; text: string }[] }) {
  if (lines.length === 0) return null;
  return (
    <section>
      <h2>{heading}</h2>
      <ul class="handover-list">
        {lines.map((l, i) => (
          <li key={i}>
            <HomeLink home={l.home} />
            <span class="quiet"> – {l.text}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
