import UPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { clock, shortDate } from '../shared/time';
import { quantity } from '../shared/words';
import type { Line, Period } from './charts';

// The same dashes as in the style sheet's .line-0 … .line-5: colour alone tells nothing apart.
const dashes = [[], [8, 4], [2, 3], [10, 3, 2, 3], [4, 2], [14, 4]];

/** Draws the lines into the box, as wide as it is; returns what takes them away. */
export function draw(
  box: HTMLElement,
  lines: readonly Line[],
  unit: string,
  zone: string,
  step: number,
  period: Period,
): () => void {
  const style = getComputedStyle(box);
  // Asked for at each drawing: the style is live, and the device goes dark in the evening.
  const colour = (name: string) => () => style.getPropertyValue(name).trim();
  const font = `13px ${style.fontFamily}`;
  const axis = {
    stroke: colour('--ink-soft'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { stroke: colour('--line'), width: 1 },
    font,
  };
  const days = step > 3_600_000 / 4;
  const options: UPlot.Options = {
    width: box.clientWidth,
    height: 220,
    legend: { show: false },
    cursor: { show: false },
    tzDate: (s) => UPlot.tzDate(new Date(s * 1000), zone),
    // A label at the end of the axis has room of its own.
    padding: [12, 30, 0, 0],
    scales: {
      x: { range: () => [period.from / 1000, period.to / 1000] },
      y: { range: (_, low, high) => padded(low, high) },
    },
    axes: [
      {
        ...axis,
        space: 84,
        values: (_, seconds) =>
          seconds.map((s) => (days ? shortDate(s * 1000, zone) : clock(s * 1000, zone))),
        ...(days ? { incrs: [1, 2, 3, 4, 7, 14].map((n) => n * 86_400) } : {}),
      },
      {
        ...axis,
        size: (_, values) => widest(values),
        values: (_, values) => values.map((v) => quantity(v, unit)),
      },
    ],
    series: [
      {},
      ...lines.map((line, i) => ({
        label: line.label,
        stroke: colour(`--curve-${i % 6}`),
        width: 2.5,
        dash: dashes[i % 6]!,
        points: { show: false },
      })),
    ],
  };
  const chart = new UPlot(options, columns(lines, step), box);
  const observer = new ResizeObserver(() => {
    if (box.clientWidth > 0 && box.clientWidth !== chart.width) {
      chart.setSize({ width: box.clientWidth, height: 220 });
    }
  });
  observer.observe(box);
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const redraw = () => chart.redraw();
  dark.addEventListener('change', redraw);
  return () => {
    observer.disconnect();
    dark.removeEventListener('change', redraw);
    chart.destroy();
  };
}

// The longest label of the axis decides its width, in pixels.
function widest(labels: readonly string[] | null): number {
  const longest = Math.max(4, ...(labels ?? []).map((l) => l.length));
  return 18 + longest * 8;
}

// A flat line in the middle, rather than a storm of hundredths.
function padded(low: number, high: number): [number, number] {
  const room = Math.max((high - low) * 0.1, 0.5);
  return [low - room, high + room];
}

/** The lines on one axis of time, with holes where there was nothing for two steps. */
export function columns(lines: readonly Line[], step: number): UPlot.AlignedData {
  const times = new Set<number>();
  for (const line of lines) {
    line.windows.forEach((w, i) => {
      const t = Date.parse(w.t);
      const before = i > 0 ? Date.parse(line.windows[i - 1]!.t) : t;
      times.add(t);
      if (t - before > 2 * step) times.add(before + step);
    });
  }
  const xs = [...times].sort((a, b) => a - b);
  const ys = lines.map((line) => {
    const at = new Map(line.windows.map((w) => [Date.parse(w.t), w.mean]));
    const known = line.windows.map((w) => Date.parse(w.t));
    let i = 0;
    return xs.map((x) => {
      while (i < known.length && known[i]! < x) i++;
      const value = at.get(x);
      if (value !== undefined) return value;
      // Between two near steps of its own the line goes on; else it breaks.
      const near = i > 0 && i < known.length && known[i]! - known[i - 1]! <= 2 * step;
      return near ? undefined : null;
    });
  });
  return [xs.map((x) => x / 1000), ...ys] as UPlot.AlignedData;
}
