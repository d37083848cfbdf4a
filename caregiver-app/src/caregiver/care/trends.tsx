import { useMemo } from 'preact/hooks';
import * as base from '../../api/client';
import type { HomeDetail, Window } from '../../api/types';
import { locale, t, tn } from '../../shared/i18n';
import { addDays, dayOf, longDate, now, shortDate, startOfDay, weekday } from '../../shared/time';
import { useAsked } from '../asking';
import { Charts } from '../charts';
import { detail } from '../state';
import * as api from './api';
import { activeDays, bedHours, feltDays, type ActiveDay, type FeltDay } from './carewords';
import { Refusal, Shown } from './common';
import type { PartProps } from './parts';
import './records.css';

const span = 14;
const hour = 3_600_000;

/** How the days went: movements, nights, well-being and medicines, and what was measured. */
export function TrendsPart({ id, name, zone, refused }: PartProps) {
  const home = detail.value?.id === id ? detail.value : null;
  return (
    <div class="part part-trends">
      <section aria-labelledby="activity-title">
        <h2 id="activity-title">{t('trends.activity')}</h2>
        {refused.has('activity') ? (
          <Refusal field="activity" name={name} home={id} />
        ) : (
          <Activity id={id} name={name} zone={zone} />
        )}
      </section>
      <section aria-labelledby="felt-title">
        <h2 id="felt-title">{t('trends.felt')}</h2>
        {refused.has('health') ? (
          <Refusal field="health" name={name} home={id} />
        ) : (
          <Felt id={id} name={name} zone={zone} />
        )}
      </section>
      {refused.has('climate') && <Refusal field="climate" name={name} home={id} />}
      {home && <Charts key={`charts-${id}`} home={shownOf(home, refused)} />}
    </div>
  );
}

const climate = ['temperature', 'humidity', 'illuminance', 'power', 'energy', 'water_volume'];

// What is refused has no curve; the server does not send it either.
const shownOf = (home: HomeDetail, refused: ReadonlySet<string>): HomeDetail =>
  refused.has('climate')
    ? { ...home, last: home.last.filter((r) => !climate.includes(r.kind)) }
    : home;

interface Props {
  id: string;
  name: string;
  zone: string | undefined;
}

function Activity({ id, name, zone }: Props) {
  const today = dayOf(now.value, zone);
  const first = addDays(today, 1 - span);
  const asked = useAsked(async () => {
    const from = new Date(startOfDay(first, zone) - 6 * hour);
    const to = new Date(startOfDay(addDays(today, 1), zone));
    const [motion, bed] = await Promise.all([
      base.windows(id, 'motion', from, to, '1h'),
      base.windows(id, 'pressure', from, to, '1h'),
    ]);
    return { motion, bed };
  }, [id, today]);
  return (
    <Shown asked={asked} name={name}>
      {({ motion, bed }) => <Bars motion={motion} bed={bed} first={first} zone={zone} />}
    </Shown>
  );
}

interface BarsProps {
  motion: readonly Window[];
  bed: readonly Window[];
  first: string;
  zone: string | undefined;
}

function Bars({ motion, bed, first, zone }: BarsProps) {
  const days = useMemo(() => activeDays(motion, first, span, zone), [motion, first, zone]);
  const nights = useMemo(() => bedHours(bed, first, span, zone), [bed, first, zone]);
  const most = Math.max(1, ...days.map(total));
  // The day that is on is not over.
  const whole = days.slice(0, -1).filter((d) => !d.unknown);
  const usual = whole.length > 0 ? whole.reduce((n, d) => n + total(d), 0) / whole.length : 0;
  const yesterday = days.at(-2);
  const at = (d: ActiveDay) => startOfDay(d.day, zone) + 12 * hour;
  const number = (n: number) =>
    new Intl.NumberFormat(locale(), { maximumFractionDigits: 1 }).format(n);
  const bedText = (d: ActiveDay) => {
    const hours = nights.get(d.day);
    return hours === undefined ? '–' : t('trends.hours', { n: number(hours) });
  };
  return (
    <figure class="bars">
      <p class="lead">
        {t('trends.activity_text')}{' '}
        {yesterday && !yesterday.unknown && (
          <strong>
            {t('trends.usual', {
              n: number(Math.round(usual)),
              yesterday: number(total(yesterday)),
            })}
          </strong>
        )}
      </p>
      <svg
        class="bars-picture"
        viewBox={`0 0 ${span * 40} 150`}
        preserveAspectRatio="none"
        aria-hidden="true"
      >
        {days.map((d, i) => {
          const night = (d.night / most) * 140;
          const day = (d.day_time / most) * 140;
          return d.unknown ? (
            <rect key={d.day} class="bar-unknown" x={i * 40 + 6} y={146} width={28} height={4} />
          ) : (
            <g key={d.day}>
              <rect class="bar-day" x={i * 40 + 6} y={150 - day} width={28} height={day} />
              <rect
                class="bar-night"
                x={i * 40 + 6}
                y={150 - day - night}
                width={28}
                height={night}
              />
            </g>
          );
        })}
      </svg>
      <ol class="bars-days" aria-hidden="true">
        {days.map((d) => (
          <li key={d.day}>{weekday(at(d), zone).slice(0, 2)}</li>
        ))}
      </ol>
      <ul class="legend" aria-hidden="true">
        <li>
          <span class="swatch swatch-day" /> {t('trends.day')}
        </li>
        <li>
          <span class="swatch swatch-night" /> {t('trends.night')}
        </li>
      </ul>
      <details class="more-below">
        <summary>{t('trends.table')}</summary>
        <table>
          <thead>
            <tr>
              <th scope="col">{t('trends.date')}</th>
              <th scope="col">{t('trends.day')}</th>
              <th scope="col">{t('trends.night')}</th>
              {nights.size > 0 && <th scope="col">{t('trends.bed')}</th>}
            </tr>
          </thead>
          <tbody>
            {[...days].reverse().map((d) => (
              <tr key={d.day}>
                <th scope="row">{shortDate(at(d), zone)}</th>
                <td>{d.unknown ? t('trends.unknown') : number(d.day_time)}</td>
                <td>{d.unknown ? '–' : number(d.night)}</td>
                {nights.size > 0 && <td>{bedText(d)}</td>}
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </figure>
  );
}

const total = (d: ActiveDay) => d.day_time + d.night;

function Felt({ id, name, zone }: Props) {
  const today = dayOf(now.value, zone);
  const asked = useAsked(() => api.wellBeing(id, span), [id, today]);
  return (
    <Shown asked={asked} name={name}>
      {(all) =>
        all.answers.length + all.medicines.length === 0 ? (
          <p class="quiet">{t('trends.felt_none')}</p>
        ) : (
          <FeltRows rows={feltDays(all, today, span, zone)} zone={zone} />
        )
      }
    </Shown>
  );
}

function FeltRows({ rows, zone }: { rows: readonly FeltDay[]; zone: string | undefined }) {
  const medicines = rows.some((r) => r.taken + r.missed.length > 0);
  return (
    <table class="felt">
      <thead>
        <tr>
          <th scope="col">{t('trends.date')}</th>
          <th scope="col">{t('trends.felt_head')}</th>
          {medicines && <th scope="col">{t('trends.medicine_head')}</th>}
        </tr>
      </thead>
      <tbody>
        {rows.map((r) => {
          const at = startOfDay(r.day, zone) + 12 * hour;
          return (
            <tr key={r.day}>
              <th scope="row" title={longDate(at, zone)}>
                {shortDate(at, zone)}
              </th>
              <td>
                <span class={`felt-mark felt-${r.felt}`} aria-hidden="true">
                  {[1, 2, 3].map((n) => (
                    <span key={n} class={n <= r.felt ? 'dot dot-on' : 'dot'} />
                  ))}
                </span>{' '}
                {t(`felt.${r.felt as 0 | 1 | 2 | 3}`)}
              </td>
              {medicines && (
                <td>
                  {r.taken > 0 && tn('trends.taken', r.taken)}
                  {r.taken > 0 && r.missed.length > 0 && ', '}
                  {r.missed.length > 0 && (
                    <strong class="warn">
                      {t('trends.missed', { names: r.missed.join(', ') })}
                    </strong>
                  )}
                  {r.taken + r.missed.length === 0 && '–'}
                </td>
              )}
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
