import { useState } from 'preact/hooks';
import type { Load } from '../../api/types';
import { Icon } from '../../shared/icons';
import { t, tn, type Key } from '../../shared/i18n';
import { addDays, dayOf, serverNow, startOfDay } from '../../shared/time';
import { alertName, outcomeName } from '../../shared/words';
import { useAsked } from '../asking';
import * as api from '../teamapi';
import { Answer, Frame, manages, zoneOf } from './frame';
import './load.css';
import { endedOf, takenWords, totalOf, type Ended } from './loadwords';
import { mondayOf, weekNumber } from './rotawords';

/** What a week's alerts asked of the staff: how many, how many were real, whom they woke. */
export function LoadScreen() {
  return <Frame page="load">{manages() && <Weekly />}</Frame>;
}

function Weekly() {
  const zone = zoneOf();
  const present = mondayOf(dayOf(serverNow(), zone));
  const [monday, setMonday] = useState(present);
  const from = startOfDay(monday, zone);
  const to = startOfDay(addDays(monday, 7), zone);
  const asked = useAsked(() => api.load(from, to), [monday]);
  return (
    <>
      <div class="week-picker">
        <button
          type="button"
          class="button button-square"
          onClick={() => setMonday(addDays(monday, -7))}
        >
          <Icon name="left" />
          <span class="visually-hidden">{t('rota.previous')}</span>
        </button>
        <button
          type="button"
          class="button button-square"
          disabled={monday >= present}
          onClick={() => setMonday(addDays(monday, 7))}
        >
          <Icon name="right" />
          <span class="visually-hidden">{t('rota.next')}</span>
        </button>
        <p role="status">{t('rota.week', { week: weekNumber(monday) })}</p>
      </div>
      <Answer asked={asked}>
        {(load) =>
          load.kinds.length === 0 && load.people.length === 0 ? (
            <p class="plan-wait">{t('load.none')}</p>
          ) : (
            <>
              <Summary load={load} />
              <div class="load-columns">
                <Kinds load={load} />
                <People load={load} />
              </div>
            </>
          )
        }
      </Answer>
    </>
  );
}

function Summary({ load }: { load: Load }) {
  const { raised, real } = totalOf(load);
  const nights = load.people.reduce((n, p) => n + p.by_night, 0);
  return (
    <ul class="load-summary">
      <li>{tn('load.raised', raised)}</li>
      <li>{tn('load.real', real)}</li>
      <li>{tn('load.by_night', nights)}</li>
    </ul>
  );
}

const parts = ['real', 'other', 'open'] as const;

function Kinds({ load }: { load: Load }) {
  const most = Math.max(1, ...load.kinds.map((k) => k.raised));
  return (
    <section class="panel" aria-labelledby="load-kinds">
      <h2 id="load-kinds">{t('load.kinds')}</h2>
      <ul class="load-legend">
        {parts.map((part) => (
          <li key={part}>
            <span class={`load-swatch load-${part}`} aria-hidden="true" />
            {t(`load.part.${part}` as Key)}
          </li>
        ))}
      </ul>
      <ul class="load-rows">
        {load.kinds.map((k) => {
          const ended = endedOf(k);
          return (
            <li key={k.kind}>
              <p class="load-name">
                <strong>{alertName(k)}</strong> <span>{k.raised}</span>
              </p>
              <Bar ended={ended} most={most} />
              <p class="quiet">
                {[
                  ...Object.entries(k.outcomes).map(([o, n]) => `${outcomeName(o)} ${n}`),
                  ended.open > 0 && `${t('load.part.open')} ${ended.open}`,
                ]
                  .filter(Boolean)
                  .join(' · ')}
              </p>
              <p class="quiet">
                {k.taken === null
                  ? t('load.never_taken')
                  : t('load.taken', { time: takenWords(k.taken) })}
              </p>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

// The words beside it say the same.
function Bar({ ended, most }: { ended: Ended; most: number }) {
  return (
    <div class="load-bar" aria-hidden="true">
      {parts
        .filter((part) => ended[part] > 0)
        .map((part) => (
          <span
            key={part}
            class={`load-${part}`}
            style={{ width: `${(ended[part] / most) * 100}%` }}
          />
        ))}
    </div>
  );
}

function People({ load }: { load: Load }) {
  const most = Math.max(1, ...load.people.map((p) => p.told));
  return (
    <section class="panel" aria-labelledby="load-people">
      <h2 id="load-people">{t('load.people')}</h2>
      <ul class="load-legend">
        <li>
          <span class="load-swatch load-day" aria-hidden="true" />
          {t('load.part.day')}
        </li>
        <li>
          <span class="load-swatch load-night" aria-hidden="true" />
          {t('load.part.night')}
        </li>
      </ul>
      <ul class="load-rows">
        {load.people.map((p) => (
          <li key={p.person}>
            <p class="load-name">
              <strong>{p.name}</strong> <span>{p.told}</span>
            </p>
            <div class="load-bar" aria-hidden="true">
              {p.told > p.by_night && (
                <span
                  class="load-day"
                  style={{ width: `${((p.told - p.by_night) / most) * 100}%` }}
                />
              )}
              {p.by_night > 0 && (
                <span class="load-night" style={{ width: `${(p.by_night / most) * 100}%` }} />
              )}
            </div>
            <p class="quiet">
              {t('load.told', { told: p.told, alerts: p.alerts, night: p.by_night })}
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}
