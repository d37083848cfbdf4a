import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import * as api from '../api/client';
import type { HomeDetail, Window } from '../api/types';
import { language, t, type Key } from '../shared/i18n';
import { serverNow } from '../shared/time';
import {
  deviceName,
  isKnown,
  isMeasurement,
  kindName,
  quantity,
  roomName,
  unitOf,
} from '../shared/words';

type Range = '24h' | '7d' | '30d';
const hour = 3_600_000;

// Some hundred steps each: as many as a phone's screen can show apart.
const ranges: Record<Range, { span: number; every: string; step: number }> = {
  '24h': { span: 24 * hour, every: '15m', step: hour / 4 },
  '7d': { span: 7 * 24 * hour, every: '1h', step: hour },
  '30d': { span: 30 * 24 * hour, every: '6h', step: 6 * hour },
};

// A curve of these says nothing to a caregiver.
const dull = new Set([
  'link_quality',
  'battery',
  'illuminance',
  'voltage',
  'current',
  'device_temperature',
  'air_pressure',
]);

/** One line of a chart: a device's steps in the order of time. */
export interface Line {
  label: string;
  windows: readonly Window[];
}

/** What a chart shows of time, in milliseconds since 1970. */
export interface Period {
  from: number;
  to: number;
}

/** A line for each device, named by its room, and by itself where a room has several. */
export function linesOf(windows: readonly Window[]): Line[] {
  const byDevice = new Map<string, Window[]>();
  for (const w of windows) {
    const key = `${w.room}\u0000${w.device}`;
    const line = byDevice.get(key);
    if (line) line.push(w);
    else byDevice.set(key, [w]);
  }
  const all = [...byDevice.values()];
  const crowded = (room: string) => all.filter((l) => l[0]!.room === room).length > 1;
  return all
    .map((line) => {
      const { room, device } = line[0]!;
      return {
        label:
          crowded(room) || !room
            ? [room && roomName(room), deviceName(device)].filter(Boolean).join(' · ')
            : roomName(room),
        windows: [...line].sort((a, b) => Date.parse(a.t) - Date.parse(b.t)),
      };
    })
    .sort((a, b) => a.label.localeCompare(b.label));
}

// Kinds whose reading is how far a meter has counted since it was installed.
const meters = new Set(['energy', 'water_volume']);

/**
 * What a meter counted in each step: the difference of two readings. A meter
 * that begins anew, or was not read for a while, counts nothing there.
 */
export const counted = (lines: readonly Line[], step: number): Line[] =>
  lines
    .map(({ label, windows }) => ({
      label,
      windows: windows.slice(1).flatMap((w, i) => {
        const before = windows[i]!;
        const v = w.last - before.last;
        const near = Date.parse(w.t) - Date.parse(before.t) <= 2 * step;
        return near && v >= 0 ? [{ ...w, count: 1, min: v, max: v, mean: v, last: v }] : [];
      }),
    }))
    .filter((line) => line.windows.length > 0);

/** How the numbers of the home went, kind by kind. */
export function Charts({ home }: { home: HomeDetail }) {
  const kinds = [...new Set(home.last.filter(isMeasurement).map((r) => r.kind))]
    .filter((k) => isKnown(k) && !dull.has(k))
    .sort(
      (a, b) =>
        Number(b === 'temperature') - Number(a === 'temperature') ||
        kindName(a).localeCompare(kindName(b)),
    );
  const chosen = useSignal('');
  const range = useSignal<Range>('24h');
  if (kinds.length === 0) return null;
  const kind = kinds.includes(chosen.value) ? chosen.value : kinds[0]!;
  const unit = home.last.find((r) => r.kind === kind)?.unit || unitOf(kind);
  return (
    <section class="charts" aria-labelledby="charts-title">
      <h2 id="charts-title">{t('charts.heading')}</h2>
      <div class="chart-tools">
        <label class="field">
          <span>{t('charts.kind')}</span>
          <select value={kind} onChange={(e) => (chosen.value = e.currentTarget.value)}>
            {kinds.map((k) => (
              <option key={k} value={k}>
                {kindName(k)}
              </option>
            ))}
          </select>
        </label>
        <fieldset class="segments">
          <legend class="visually-hidden">{t('charts.range')}</legend>
          {(Object.keys(ranges) as Range[]).map((r) => (
            <label key={r} class="segment">
              <input
                type="radio"
                name="range"
                checked={range.value === r}
                onChange={() => (range.value = r)}
              />
              <span>{t(`charts.${r}`)}</span>
            </label>
          ))}
        </fieldset>
      </div>
      <Chart
        key={`${kind} ${range.value}`}
        home={home}
        kind={kind}
        unit={unit}
        range={range.value}
      />
    </section>
  );
}

interface ChartProps {
  home: HomeDetail;
  kind: string;
  unit: string;
  range: Range;
}

function Chart({ home, kind, unit, range }: ChartProps) {
  const lines = useSignal<Line[] | 'loading' | 'failed'>('loading');
  const attempt = useSignal(0);
  const period = useSignal({ from: 0, to: 0 });
  const metered = meters.has(kind);
  const { span, every, step } = ranges[range];
  useEffect(() => {
    let left = false;
    const to = serverNow();
    period.value = { from: to - span, to };
    lines.value = 'loading';
    api.windows(home.id, kind, new Date(to - span), new Date(to), every).then(
      (w) => {
        if (!left) lines.value = metered ? counted(linesOf(w), step) : linesOf(w);
      },
      () => {
        if (!left) lines.value = 'failed';
      },
    );
    return () => {
      left = true;
    };
  }, [attempt.value]);

  const shown = lines.value;
  if (shown === 'loading') {
    return (
      <p class="chart-wait quiet" role="status">
        {t('charts.loading')}
      </p>
    );
  }
  if (shown === 'failed') {
    return (
      <p class="chart-wait" role="alert">
        {t('charts.failed')}{' '}
        <button type="button" class="button" onClick={() => attempt.value++}>
          {t('error.retry')}
        </button>
      </p>
    );
  }
  if (shown.length === 0) return <p class="chart-wait quiet">{t('charts.none')}</p>;
  return (
    <figure class="chart">
      <Curve lines={shown} unit={unit} zone={home.zone} step={step} period={period.value} />
      <Summary
        lines={shown}
        unit={unit}
        caption={t('charts.caption', {
          kind: metered
            ? t(`charts.per_${every}` as Key, { kind: kindName(kind) })
            : kindName(kind),
          range: t(`charts.${range}`),
        })}
        metered={metered}
      />
    </figure>
  );
}

interface CurveProps {
  lines: readonly Line[];
  unit: string;
  zone: string;
  step: number;
  period: Period;
}

// The chart library is only fetched when there is a curve to draw.
function Curve({ lines, unit, zone, step, period }: CurveProps) {
  const box = useRef<HTMLDivElement>(null);
  const failed = useSignal(false);
  useEffect(() => {
    let stop: (() => void) | undefined;
    let left = false;
    import('./curve').then(
      ({ draw }) => {
        if (!left && box.current) stop = draw(box.current, lines, unit, zone, step, period);
      },
      () => (failed.value = true),
    );
    return () => {
      left = true;
      stop?.();
    };
  }, [lines, unit, zone, step, period, language.value]);
  if (failed.value) return <p class="chart-wait">{t('charts.failed')}</p>;
  return <div class="curve" ref={box} aria-hidden="true" />;
}

function Summary({
  lines,
  unit,
  caption,
  metered,
}: {
  lines: readonly Line[];
  unit: string;
  caption: string;
  metered: boolean;
}) {
  return (
    <table class="chart-table">
      <caption>{caption}</caption>
      <thead>
        <tr>
          <td />
          <th scope="col">{t(metered ? 'charts.total' : 'charts.latest')}</th>
          <th scope="col">{t('charts.lowest')}</th>
          <th scope="col">{t('charts.mean')}</th>
          <th scope="col">{t('charts.highest')}</th>
        </tr>
      </thead>
      <tbody>
        {lines.map((line, i) => {
          const count = line.windows.reduce((n, w) => n + w.count, 0) || 1;
          const total = line.windows.reduce((n, w) => n + w.last, 0);
          const mean = line.windows.reduce((n, w) => n + w.mean * w.count, 0) / count;
          return (
            <tr key={i}>
              <th scope="row">
                <svg class={`line-sign line-${i % 6}`} width="26" height="10" aria-hidden="true">
                  <line x1="0" x2="26" y1="5" y2="5" />
                </svg>
                {line.label}
              </th>
              <td>{quantity(metered ? total : line.windows.at(-1)!.last, unit)}</td>
              <td>{quantity(Math.min(...line.windows.map((w) => w.min)), unit)}</td>
              <td>{quantity(mean, unit)}</td>
              <td>{quantity(Math.max(...line.windows.map((w) => w.max)), unit)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
