import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../shared/i18n';
import { atMinute, clock, dayOf } from '../shared/time';
import { roomName } from '../shared/words';
import { intervalName, markName, times } from './daywords';
import {
  at as whatAt,
  place,
  type Interval,
  type IntervalKind,
  type Mark,
  type Timeline,
} from './timeline';

// Measures of the picture, in pixels.
const laneHeight = 34;
const marksHeight = 40;
const axisHeight = 24;
const narrow = 560;

// Within a lane each kind has a height of its own, so that shape and place
// tell them apart where colours do not.
const shapes: Record<IntervalKind, { y: number; h: number }> = {
  pressure: { y: 4, h: 26 },
  presence: { y: 4, h: 26 },
  motion: { y: 8, h: 14 },
  contact: { y: 24, h: 7 },
  power: { y: 1, h: 6 },
  danger: { y: 2, h: 30 },
};

const drawOrder: readonly IntervalKind[] = [
  'pressure',
  'presence',
  'motion',
  'contact',
  'power',
  'danger',
];

interface Props {
  timeline: Timeline;
  zone: string;
  at: number;
  label: string;
}

/** The day drawn: a lane for each room, presses on top, silence hatched. */
export function Picture({ timeline, zone, at, label }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const width = useSignal(0);
  const picked = useSignal<number | null>(null);
  useEffect(() => {
    const element = box.current!;
    const observer = new ResizeObserver(() => (width.value = Math.floor(element.clientWidth)));
    observer.observe(element);
    width.value = Math.floor(element.clientWidth);
    return () => observer.disconnect();
  }, []);

  const w = width.value;
  const small = w < narrow;
  const left = small ? 92 : 120;
  const inner = Math.max(1, w - left - 8);
  const lanes = [...timeline.lanes].sort((a, b) =>
    roomName(a.room).localeCompare(roomName(b.room)),
  );
  const top = timeline.marks.length > 0 ? marksHeight : 6;
  // A silent home has no lanes, but its silence is to be seen.
  const bottom = top + Math.max(1, lanes.length) * laneHeight;
  const x = (ms: number) => left + place(timeline, ms) * inner;
  const day = dayOf(timeline.from + 1, zone);
  const step = small ? 6 : 3;
  const hours = Array.from({ length: 24 / step + 1 }, (_, i) => i * step);
  const hourX = (h: number) => x(h === 24 ? timeline.to : atMinute(day, h * 60, zone));
  const isNow = at > timeline.from && at < timeline.to;

  const pick = (event: PointerEvent) => {
    const rect = box.current!.getBoundingClientRect();
    const part = (event.clientX - rect.left - left) / inner;
    if (part < 0 || part > 1) return;
    picked.value = timeline.from + part * (timeline.to - timeline.from);
  };

  return (
    <div class="picture">
      <div ref={box} class="picture-box">
        {w > 0 && (
          <svg
            role="img"
            aria-label={label}
            width={w}
            height={bottom + axisHeight}
            onPointerDown={pick}
            onPointerMove={(e) => (e.pointerType === 'mouse' || e.buttons > 0) && pick(e)}
            onPointerLeave={(e) => e.pointerType === 'mouse' && (picked.value = null)}
          >
            <defs>
              <pattern
                id="hatch"
                width="8"
                height="8"
                patternUnits="userSpaceOnUse"
                patternTransform="rotate(45)"
              >
                <rect class="hatch-ground" width="8" height="8" />
                <rect class="hatch-line" width="3" height="8" />
              </pattern>
            </defs>
            {[
              [0, 6],
              [22, 24],
            ].map(([a, b]) => (
              <rect
                key={a}
                class="night"
                x={hourX(a!)}
                width={Math.max(0, hourX(b!) - hourX(a!))}
                y={0}
                height={bottom}
              />
            ))}
            {hours.map((h) => (
              <g key={h}>
                <line class="hour" x1={hourX(h)} x2={hourX(h)} y1={0} y2={bottom} />
                <text
                  class="hour-text"
                  x={hourX(h)}
                  y={bottom + 17}
                  text-anchor={h === 0 ? 'start' : h === 24 ? 'end' : 'middle'}
                >
                  {String(h).padStart(2, '0')}
                </text>
              </g>
            ))}
            {lanes.map((lane, i) => {
              const y = top + i * laneHeight;
              return (
                <g key={lane.room}>
                  <line class="lane-line" x1={0} x2={w} y1={y} y2={y} />
                  <text class="lane-text" x={0} y={y + laneHeight / 2 + 5}>
                    {fit(roomName(lane.room), small ? 11 : 16)}
                  </text>
                  {inOrder(lane.intervals).map((iv) => (
                    <rect
                      key={`${iv.device} ${iv.what} ${iv.from}`}
                      class={`iv iv-${iv.kind}`}
                      x={x(iv.from)}
                      width={Math.max(least(iv.kind), x(iv.to) - x(iv.from))}
                      {...heightOf(iv, y)}
                      rx={thin.has(iv.kind) ? 1 : 3}
                    />
                  ))}
                </g>
              );
            })}
            <line class="lane-line" x1={0} x2={w} y1={bottom} y2={bottom} />
            {timeline.gaps.map((g) => (
              <g key={g.from}>
                <rect
                  class={`gap gap-${g.why}`}
                  x={x(g.from)}
                  width={Math.max(3, x(g.to) - x(g.from))}
                  y={top}
                  height={bottom - top}
                  fill="url(#hatch)"
                />
                {x(g.to) - x(g.from) > 150 && (
                  <text
                    class="gap-text"
                    x={(x(g.from) + x(g.to)) / 2}
                    y={top + (bottom - top) / 2 + 5}
                    text-anchor="middle"
                  >
                    {t(`day.gap_${g.why}`)}
                  </text>
                )}
              </g>
            ))}
            {isNow && <line class="now-line" x1={x(at)} x2={x(at)} y1={top - 4} y2={bottom} />}
            {timeline.marks.map((m) => (
              <MarkSign key={`${m.t} ${m.kind}`} mark={m} x={x(m.t)} bottom={bottom} />
            ))}
            {picked.value !== null && (
              <line
                class="picked-line"
                x1={x(picked.value)}
                x2={x(picked.value)}
                y1={0}
                y2={bottom}
              />
            )}
          </svg>
        )}
      </div>
      <p class="picture-read" aria-hidden="true">
        {picked.value === null ? t('day.hint') : readout(timeline, picked.value, zone, inner)}
      </p>
      <Legend timeline={timeline} />
    </div>
  );
}

const thin = new Set<IntervalKind>(['contact', 'power']);

// A door is open for seconds, which on a day's picture is less than a hair.
const least = (kind: IntervalKind) => (thin.has(kind) ? 4.5 : 2.5);

// A door that stands open all day must not outshout the day itself.
function heightOf(iv: Interval, y: number) {
  const { y: from, h } = shapes[iv.kind];
  const standing = iv.kind === 'contact' && iv.to - iv.from > 90 * 60_000;
  return standing ? { y: y + from + h - 2, height: 2 } : { y: y + from, height: h };
}

const inOrder = (intervals: readonly Interval[]) =>
  [...intervals].sort((a, b) => drawOrder.indexOf(a.kind) - drawOrder.indexOf(b.kind));

const lower = (s: string) => s.charAt(0).toLocaleLowerCase() + s.slice(1);

const fit = (s: string, n: number) => (s.length > n ? `${s.slice(0, n - 1)}…` : s);

// What lies under the finger: a finger covers some ten pixels.
function readout(timeline: Timeline, t0: number, zone: string, inner: number): string {
  const reach = ((timeline.to - timeline.from) / inner) * 5;
  const found = whatAt(timeline, t0, reach);
  const parts = [
    ...found.marks.map((m) => `${clock(m.t, zone)} ${markName(m)}`),
    ...found.intervals.map(
      ({ room, interval: i }) =>
        `${roomName(room)}: ${lower(intervalName(i))} ${times(i.from, i.to, zone)}`,
    ),
    ...(found.gap ? [t(`day.gap_${found.gap.why}`)] : []),
  ];
  return parts.slice(0, 4).join(' · ') || t('day.quiet_at', { clock: clock(t0, zone) });
}

const signs: Record<Mark['kind'], string> = {
  sos: 'M0-11 11 0 0 11-11 0zM0-5v6M0 4v.5',
  fall: 'M0-10 11 9H-11zM0-3v6M0 6v.5',
  check_in: 'M-10 0a10 10 0 1 0 20 0a10 10 0 1 0-20 0M-4.500 0l3.500 3.500L5-3.500',
  button: 'M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0',
  medication: 'M-9-5H9V5H-9zM0-5V5',
  test: 'M-7-7H7V7H-7z',
  other: 'M-7-7H7V7H-7z',
};

function MarkSign({ mark, x, bottom }: { mark: Mark; x: number; bottom: number }) {
  const loud = mark.kind === 'sos' || mark.kind === 'fall';
  return (
    <g class={`mark mark-${mark.kind}`}>
      <line class="mark-line" x1={x} x2={x} y1={30} y2={loud ? bottom : 38} />
      <path d={signs[mark.kind]} transform={`translate(${x} 17)`} />
    </g>
  );
}

function Legend({ timeline }: { timeline: Timeline }) {
  const kinds = new Set(timeline.lanes.flatMap((l) => l.intervals.map((i) => i.kind)));
  const marks = new Set(timeline.marks.map((m) => m.kind));
  const gaps = new Set(timeline.gaps.map((g) => g.why));
  return (
    <ul class="legend" aria-label={t('legend.label')}>
      {drawOrder
        .filter((k) => kinds.has(k))
        .map((k) => (
          <li key={k}>
            <svg width="22" height="20" aria-hidden="true">
              <rect
                class={`iv iv-${k}`}
                x="1"
                y={(shapes[k].y / 34) * 20}
                width="20"
                height={Math.max(4, (shapes[k].h / 34) * 20)}
                rx="2"
              />
            </svg>
            {t(`legend.${k}`)}
          </li>
        ))}
      {[...marks].map((m) => (
        <li key={m}>
          <svg width="22" height="22" aria-hidden="true">
            <g class={`mark mark-${m}`}>
              <path d={signs[m]} transform="translate(11 11) scale(.85)" />
            </g>
          </svg>
          {t(`mark.${m}`)}
        </li>
      ))}
      {[...gaps].map((g) => (
        <li key={g}>
          <svg width="22" height="20" aria-hidden="true">
            <rect class={`gap gap-${g}`} x="1" y="1" width="20" height="18" fill="url(#hatch)" />
          </svg>
          {t(`day.gap_${g}`)}
        </li>
      ))}
    </ul>
  );
}
