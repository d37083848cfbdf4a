import { useSignal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import * as api from '../api/client';
import type { Alert, HomeDetail, Reading } from '../api/types';
import { Icon } from '../shared/icons';
import { language, t } from '../shared/i18n';
import { addDays, clock, dayOf, longDate, now, startOfDay } from '../shared/time';
import { dayWord, roomName } from '../shared/words';
import { intervalName, markName, times } from './daywords';
import { fresh } from './state';
import { Picture } from './picture';
import { storyOf } from './story';
import { layOut, lookBack, silencesOf, type Timeline } from './timeline';

type Fetched =
  | { state: 'loading' }
  | { state: 'failed' }
  | { state: 'here'; readings: readonly Reading[]; alerts: readonly Alert[] };

/** The home's day: a picture one can read in three seconds, and the same as a list. */
export function Day({ home }: { home: HomeDetail }) {
  const zone = home.zone;
  const today = dayOf(now.value, zone);
  const chosen = useSignal(today);
  const fetched = useSignal<Fetched>({ state: 'loading' });
  const day = chosen.value;
  const span = useMemo(
    () => ({ from: startOfDay(day, zone), to: startOfDay(addDays(day, 1), zone) }),
    [day, zone],
  );

  const attempt = useSignal(0);
  useEffect(() => {
    let left = false;
    fetched.value = { state: 'loading' };
    Promise.all([
      api.readings(home.id, new Date(span.from - lookBack), new Date(span.to)),
      api.alerts({ state: 'active', home: home.id }),
      api.alerts({ state: 'resolved', home: home.id }),
    ]).then(
      ([readings, active, resolved]) => {
        if (!left) fetched.value = { state: 'here', readings, alerts: [...active, ...resolved] };
      },
      () => {
        if (!left) fetched.value = { state: 'failed' };
      },
    );
    return () => {
      left = true;
    };
  }, [home.id, span.from, span.to, attempt.value]);

  // What comes live belongs to the present day's picture.
  useEffect(
    () =>
      fresh.subscribe((readings) => {
        const is = fetched.peek();
        if (readings.length === 0 || is.state !== 'here') return;
        fetched.value = { ...is, readings: [...is.readings, ...readings] };
      }),
    [],
  );

  const data = fetched.value;
  const at = now.value;
  const timeline = useMemo(() => {
    if (data.state !== 'here') return null;
    const silences = silencesOf(data.alerts, at);
    if (home.silent && home.last_heard) {
      silences.push({ from: Date.parse(home.last_heard), to: at });
    }
    return layOut(data.readings, span, at, silences);
  }, [data, span, Math.floor(at / 60_000), home.silent, home.last_heard]);

  const word = dayWord(day, today);
  const date = longDate(span.from + 12 * 3_600_000, zone);
  return (
    <section class="day" aria-labelledby="day-title">
      <div class="day-head">
        <h2 id="day-title">
          {t('day.heading')}
          <span class="day-date" role="status">
            {[word, date].filter(Boolean).join(', ')}
          </span>
        </h2>
        <div class="day-picker">
          <button
            type="button"
            class="button button-square"
            aria-label={t('day.previous')}
            onClick={() => (chosen.value = addDays(day, -1))}
          >
            <Icon name="left" />
          </button>
          <button
            type="button"
            class="button"
            disabled={day === today}
            onClick={() => (chosen.value = today)}
          >
            {t('day.go_today')}
          </button>
          <button
            type="button"
            class="button button-square"
            aria-label={t('day.next')}
            disabled={day >= today}
            onClick={() => (chosen.value = addDays(day, 1))}
          >
            <Icon name="right" />
          </button>
        </div>
      </div>
      {data.state === 'loading' && (
        <p class="day-wait quiet" role="status">
          {t('day.loading')}
        </p>
      )}
      {data.state === 'failed' && (
        <p class="day-wait" role="alert">
          {t('day.failed')}{' '}
          <button type="button" class="button" onClick={() => attempt.value++}>
            {t('error.retry')}
          </button>
        </p>
      )}
      {timeline && <Shown timeline={timeline} zone={zone} date={date} at={at} />}
    </section>
  );
}

interface ShownProps {
  timeline: Timeline;
  zone: string;
  date: string;
  at: number;
}

function Shown({ timeline, zone, date, at }: ShownProps) {
  const parts = storyOf(timeline, zone, at);
  const nothing = timeline.lanes.length + timeline.marks.length + timeline.gaps.length === 0;
  if (nothing) return <p class="day-wait quiet">{t('day.nothing')}</p>;
  return (
    <>
      {parts.length > 0 && (
        <ul class="day-summary">
          {parts.map((p) => (
            <li key={p}>{timesStrong(p)}</li>
          ))}
        </ul>
      )}
      <Picture
        timeline={timeline}
        zone={zone}
        at={at}
        label={t('day.summary', { date, parts: parts.join(', ') || t('day.nothing') })}
      />
      <Table timeline={timeline} zone={zone} />
    </>
  );
}

// The eye looks for the times first.
const timesStrong = (text: string) =>
  text.split(/(\d\d:\d\d)/).map((s, i) => (i % 2 ? <strong key={i}>{s}</strong> : s));

function Table({ timeline, zone }: { timeline: Timeline; zone: string }) {
  const open = useSignal(false);
  const details = useRef<HTMLDetailsElement>(null);
  const rows = useMemo(() => {
    if (!open.value) return [];
    return [
      ...timeline.marks.map((m) => ({
        t: m.t,
        time: clock(m.t, zone),
        room: m.reading.room,
        what: markName(m),
      })),
      ...timeline.gaps.map((g) => ({
        t: g.from,
        time: times(g.from, g.to, zone),
        room: '',
        what: t(`day.gap_${g.why}`),
      })),
      ...timeline.lanes.flatMap((lane) =>
        lane.intervals.map((i) => ({
          t: i.from,
          time: times(i.from, i.to, zone),
          room: lane.room,
          what: intervalName(i),
        })),
      ),
    ].sort((a, b) => b.t - a.t);
  }, [timeline, open.value, zone, language.value]);
  return (
    <details
      class="day-table"
      ref={details}
      onToggle={() => (open.value = details.current?.open ?? false)}
    >
      <summary>{t('day.table')}</summary>
      {open.value && (
        <table>
          <thead>
            <tr>
              <th scope="col">{t('day.table_time')}</th>
              <th scope="col">{t('day.table_room')}</th>
              <th scope="col">{t('day.table_what')}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((r, i) => (
              <tr key={i}>
                <td>{r.time}</td>
                <td>{r.room && roomName(r.room)}</td>
                <td>{r.what}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </details>
  );
}
