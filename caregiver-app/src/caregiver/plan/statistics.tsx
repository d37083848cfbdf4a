import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { Lantern } from '../../shared/icons';
import { locale, t, tn, type Key } from '../../shared/i18n';
import { addDays, dayOf, serverNow, shortDate, startOfDay } from '../../shared/time';
import { outcomeName } from '../../shared/words';
import * as api from '../admin/api';
import '../admin/texts';
import { useAsked } from '../asking';
import { can, may } from '../may';
import { homes } from '../state';
import { Answer, AreaPicker, Frame, zoneOf } from './frame';
import { areaName, areasOf } from './rotawords';
import { Columns, Line, type Row } from './statcharts';
import './statistics.css';
import { alarmsOf, lasting, most, stacked, sumsOf } from './statwords';

const periods = [7, 30, 90] as const;
const every = '\u0000';

/** How it has gone: alarms, how soon they were taken, visits, homes that are protected. */
export function StatisticsScreen() {
  return <Frame page="statistics">{may('read_statistics') && <Numbers />}</Frame>;
}

function Numbers() {
  const zone = zoneOf();
  const [days, setDays] = useState<(typeof periods)[number]>(30);
  const [area, setArea] = useState(every);
  const areas = areasOf(
    [...homes.value.values()].map((h) => h.area),
    locale(),
  ).filter(Boolean);
  const today = dayOf(serverNow(), zone);
  const from = startOfDay(addDays(today, 1 - days), zone);
  const to = startOfDay(addDays(today, 1), zone);
  const asked = useAsked(
    () => api.statistics(from, to, area === every ? '' : area),
    [days, area, today],
  );
  return (
    <>
      <div class="plan-tools stats-tools">
        <fieldset class="segments">
          <legend>{t('stats.period')}</legend>
          {periods.map((n) => (
            <label key={n} class="segment">
              <input type="radio" name="period" checked={days === n} onChange={() => setDays(n)} />
              <span>{t(`stats.days.${n}` as Key)}</span>
            </label>
          ))}
        </fieldset>
        {areas.length > 1 && (
          <AreaPicker
            areas={[every, ...areas]}
            area={area}
            name={(a) => (a === every ? t('area.whole') : areaName(a, areas))}
            choose={setArea}
          />
        )}
      </div>
      <Answer asked={asked}>{(s) => <Pictures s={s} zone={zone} />}</Answer>
    </>
  );
}

// "24/10"
const markOf = (date: string) => `${Number(date.slice(8))}/${Number(date.slice(5, 7))}`;

interface PicturesProps {
  s: api.Statistics;
  zone: string | undefined;
}

function Pictures({ s, zone }: PicturesProps) {
  const sums = sumsOf(s);
  const day = (d: api.DayCount) => shortDate(startOfDay(d.date, zone), zone);
  const busiest = most(s.days, alarmsOf);
  const slowest = most(s.days, (d) => d.taken_p90 ?? 0);
  const hour = most([...s.by_hour.keys()], (h) => s.by_hour[h]!);
  const outcomes = Object.entries(s.by_outcome).sort(([, a], [, b]) => b - a);
  const left = s.homes - s.protected;
  const whole = (n: number) => new Intl.NumberFormat(locale()).format(n);
  const rows = (values: (d: api.DayCount) => (number | null)[]): Row[] =>
    s.days.map((d) => ({ name: day(d), mark: markOf(d.date), values: values(d) }));
  const clockOf = (h: number) => String(h).padStart(2, '0');
  return (
    <>
      <ul class="stats-tiles">
        <li class="panel stats-lit">
          <Lantern />
          <Tile
            name={t('stats.tile.protected')}
            value={t('stats.tile.protected_of', { n: whole(s.protected), of: whole(s.homes) })}
            more={left > 0 ? tn('stats.protected_left', left) : t('stats.protected_all')}
          />
        </li>
        <li class="panel">
          <Tile
            name={t('stats.tile.alarms')}
            value={whole(sums.alarms)}
            more={tn('stats.tile.alarms_urgent', sums.emergency)}
          />
        </li>
        <li class="panel">
          <Tile
            name={t('stats.tile.taken')}
            value={sums.taken === null ? t('stats.tile.none') : lasting(sums.taken)}
            more={t('stats.tile.taken_text')}
          />
        </li>
        <li class="panel">
          <Tile
            name={t('stats.tile.visits')}
            value={whole(sums.done)}
            more={tn('stats.tile.visits_missed', sums.missed)}
          />
        </li>
        {can('video') && (
          <li class="panel">
            <Tile
              name={t('callstats.title')}
              value={whole(sums.calls)}
              more={t('callstats.saved_more', { n: whole(sums.saved) })}
            />
          </li>
        )}
        <li class="panel">
          <Tile name={t('stats.tile.messages')} value={whole(s.messages)} />
        </li>
      </ul>
      <div class="stats">
        <Picture
          id="alarms"
          title={t('stats.alarms')}
          says={
            busiest
              ? t('stats.alarms_says', {
                  total: sums.alarms,
                  days: s.days.length,
                  date: day(busiest),
                  most: alarmsOf(busiest),
                })
              : t('stats.none')
          }
          first={t('stats.date')}
          parts={stacked.map((k) => t(`severity.${k}` as Key))}
          rows={rows((d) => stacked.map((k) => d[k]))}
        >
          {(rows) => <Columns rows={rows} />}
        </Picture>
        <Picture
          id="taken"
          title={t('stats.taken')}
          says={
            slowest && sums.taken !== null
              ? t('stats.taken_says', {
                  median: lasting(sums.taken),
                  p90: lasting(slowest.taken_p90!),
                  date: day(slowest),
                })
              : t('stats.none')
          }
          first={t('stats.date')}
          parts={[t('stats.taken_median'), t('stats.taken_p90')]}
          rows={rows((d) => [d.taken_median, d.taken_p90])}
          value={lasting}
        >
          {(rows) => <Line rows={rows} value={lasting} />}
        </Picture>
        <Picture
          id="hours"
          title={t('stats.hours')}
          says={
            hour !== undefined
              ? t('stats.hours_says', {
                  from: clockOf(hour),
                  to: clockOf(hour + 1),
                  most: s.by_hour[hour]!,
                })
              : t('stats.none')
          }
          first={t('stats.hour')}
          parts={[t('severity.emergency')]}
          rows={s.by_hour.map((n, h) => ({ name: clockOf(h), values: [n] }))}
        >
          {(rows) => <Columns rows={rows} marks={[0, 6, 12, 18, 23]} />}
        </Picture>
        <Picture
          id="visits"
          title={t('stats.visits')}
          says={t('stats.visits_says', { done: sums.done, missed: sums.missed })}
          first={t('stats.date')}
          parts={[t('stats.visits_done'), t('stats.visits_missed')]}
          rows={rows((d) => [d.visits_done, d.visits_missed])}
          colours={[0, 1]}
        >
          {(rows) => <Columns rows={rows} colours={[0, 1]} />}
        </Picture>
        {can('video') && (
          <Picture
            id="calls"
            title={t('callstats.title')}
            says={
              sums.calls > 0
                ? t('callstats.says', {
                    calls: sums.calls,
                    minutes: whole(Math.round(sums.callMinutes)),
                    saved: whole(sums.saved),
                  })
                : t('callstats.none')
            }
            first={t('stats.date')}
            parts={[t('callstats.minutes'), t('callstats.saved')]}
            rows={rows((d) => [Math.round(d.call_minutes ?? 0), d.saved_minutes ?? 0])}
            colours={[0, 1]}
          >
            {(rows) => <Columns rows={rows} colours={[0, 1]} />}
          </Picture>
        )}
        <Picture
          id="outcomes"
          title={t('stats.outcomes')}
          says={
            outcomes[0]
              ? t('stats.outcomes_says', {
                  outcome: outcomeName(outcomes[0][0]),
                  n: outcomes[0][1],
                })
              : t('stats.none')
          }
          first={t('stats.outcome')}
          parts={[t('stats.count')]}
          rows={outcomes.map(([o, n]) => ({ name: outcomeName(o), values: [n] }))}
        >
          {(rows) => <Bars rows={rows} />}
        </Picture>
      </div>
    </>
  );
}

function Tile({ name, value, more }: { name: string; value: string; more?: string }) {
  return (
    <p class="stats-tile">
      <span>{name}</span>
      <strong>{value}</strong>
      {more && <span class="quiet">{more}</span>}
    </p>
  );
}

interface PictureProps {
  id: string;
  title: string;
  /** What the picture shows, in a sentence. */
  says: string;
  /** What the first column of its table is. */
  first: string;
  parts: readonly string[];
  rows: readonly Row[];
  /** Which of the curves' colours each part has. */
  colours?: readonly number[];
  value?: (n: number) => string;
  children: (rows: readonly Row[]) => ComponentChildren;
}

// A picture, what it says, and its figures as a table for who wants them or cannot see it.
function Picture(props: PictureProps) {
  const { id, title, says, first, parts, rows, colours = [1, 2, 0], value = String } = props;
  return (
    <section class="panel stat" aria-labelledby={`stat-${id}`}>
      <h2 id={`stat-${id}`}>{title}</h2>
      <p class="quiet">{says}</p>
      {parts.length > 1 && (
        <ul class="load-legend" aria-hidden="true">
          {parts.map((part, i) => (
            <li key={part}>
              <span class={`stat-swatch stat-fill-${colours[i]}`} />
              {part}
            </li>
          ))}
        </ul>
      )}
      {rows.length > 0 && props.children(rows)}
      {rows.length > 0 && (
        <details class="stat-figures">
          <summary>{t('stats.table')}</summary>
          <div
            class="stat-scroll"
            tabIndex={0}
            role="region"
            aria-label={`${title}: ${t('stats.table')}`}
          >
            <table>
              <thead>
                <tr>
                  <th scope="col">{first}</th>
                  {parts.map((part) => (
                    <th key={part} scope="col">
                      {part}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {rows.map((row) => (
                  <tr key={row.name}>
                    <th scope="row">{row.name}</th>
                    {row.values.map((v, i) => (
                      <td key={i}>{v === null ? t('stats.tile.none') : value(v)}</td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </details>
      )}
    </section>
  );
}

// Outcomes have long names: each has a line of its own.
function Bars({ rows }: { rows: readonly Row[] }) {
  const top = Math.max(1, ...rows.map((r) => r.values[0] ?? 0));
  return (
    <ul class="load-rows">
      {rows.map((r) => (
        <li key={r.name}>
          <p class="load-name">
            <span>{r.name}</span> <strong>{r.values[0]}</strong>
          </p>
          <div class="load-bar" aria-hidden="true">
            <span
              class="stat-bar stat-fill-0"
              style={{ width: `${((r.values[0] ?? 0) / top) * 100}%` }}
            />
          </div>
        </li>
      ))}
    </ul>
  );
}
