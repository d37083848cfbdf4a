import { scaleTo } from './statwords';

/** A day, an hour or the like, and its numbers; null is that there is none. */
export interface Row {
  name: string;
  /** Its name where there is little room; the name itself when there is none. */
  mark?: string;
  values: readonly (number | null)[];
}

// Pictures for the eye alone: the sentence above says what they show, the table
// below every number. In units of the picture; they grow with the page.
const width = 600;
const height = 220;
const left = 80;
const bottom = 30;
const top = 20;
const plotted = height - top - bottom;

interface FrameProps {
  rows: readonly Row[];
  scale: { top: number; steps: number[] };
  value: (n: number) => string;
  /** Which rows are named below; some evenly spread when nothing is said. */
  marks?: readonly number[];
}

const yOf = (n: number, scaleTop: number) => top + plotted * (1 - n / scaleTop);

function Axes({ rows, scale, value, marks }: FrameProps) {
  const each = (width - left) / rows.length;
  const apart = Math.max(1, Math.ceil(rows.length / 4));
  const named = marks ?? [...rows.keys()].filter((i) => (rows.length - 1 - i) % apart === 0);
  return (
    <>
      {scale.steps.map((n) => (
        <g key={n}>
          <path class="stat-grid" d={`M${left} ${yOf(n, scale.top)}H${width}`} />
          <text class="stat-label" x={left - 8} y={yOf(n, scale.top) + 5} text-anchor="end">
            {value(n)}
          </text>
        </g>
      ))}
      {named.map((i) => (
        <text
          key={i}
          class="stat-label"
          x={Math.min(width - 2, left + (i + 0.5) * each)}
          y={height - 6}
          text-anchor={i === rows.length - 1 && rows.length > 2 ? 'end' : 'middle'}
        >
          {rows[i]?.mark ?? rows[i]?.name}
        </text>
      ))}
    </>
  );
}

interface ColumnsProps {
  rows: readonly Row[];
  colours?: readonly number[];
  marks?: readonly number[];
}

/** A column for each row, its numbers stacked. */
export function Columns({ rows, colours = [1, 2, 0], marks }: ColumnsProps) {
  const total = (r: Row) => r.values.reduce<number>((n, v) => n + (v ?? 0), 0);
  const scale = scaleTo(Math.max(...rows.map(total)));
  const each = (width - left) / rows.length;
  const wide = Math.max(2, Math.min(each - 2, each * 0.8, 46));
  return (
    <svg class="stat-picture" viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      <Axes rows={rows} scale={scale} value={String} {...(marks ? { marks } : {})} />
      {rows.map((row, i) => {
        let under = 0;
        return row.values.map((v, part) => {
          if (!v) return null;
          const y = yOf(under + v, scale.top);
          const tall = yOf(under, scale.top) - y;
          under += v;
          return (
            <rect
              key={part}
              class={`stat-fill-${colours[part]}`}
              x={left + (i + 0.5) * each - wide / 2}
              y={y}
              width={wide}
              height={Math.max(1, tall - (under > v ? 1 : 0))}
              rx={wide > 6 ? 2 : 0}
            />
          );
        });
      })}
    </svg>
  );
}

/** A dot for each number, joined to the next; where there is none the line has a gap. */
export function Line({ rows, value }: { rows: readonly Row[]; value: (n: number) => string }) {
  const all = rows.flatMap((r) => r.values).filter((v) => v !== null);
  const highest = Math.max(1, ...all);
  // Times read best in steps of whole minutes.
  const unit = highest > 90 ? 60 : 1;
  const minutes = scaleTo(highest / unit);
  const scale = { top: minutes.top * unit, steps: minutes.steps.map((n) => n * unit) };
  const each = (width - left) / rows.length;
  const xOf = (i: number) => left + (i + 0.5) * each;
  return (
    <svg class="stat-picture" viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      <Axes rows={rows} scale={scale} value={(n) => (n === 0 ? '0' : value(n))} />
      {[1, 0].map((part) => {
        const dots = rows.map((r) => r.values[part] ?? null);
        const path = dots
          .map((v, i) =>
            v === null
              ? ''
              : `${i > 0 && dots[i - 1] !== null ? 'L' : 'M'}${xOf(i)} ${yOf(v, scale.top)}`,
          )
          .join('');
        return (
          <g key={part} class={`stat-line-${part === 0 ? 1 : 2}`}>
            <path class="stat-line" d={path} />
            {dots.map(
              (v, i) =>
                v !== null && (
                  <circle key={i} class="stat-dot" cx={xOf(i)} cy={yOf(v, scale.top)} r="3.500" />
                ),
            )}
          </g>
        );
      })}
    </svg>
  );
}
