import { describe, expect, it } from 'vitest';
import type { Alert, Reading, Window } from '../api/types';
import { counted, linesOf } from './charts';
import { at, layOut, place, silencesOf, type Span } from './timeline';

const start = Date.parse('2026-11-20T23:00:00Z');
const hour = 3_600_000;
const minute = 60_000;
const day: Span = { from: start, to: start + 24 * hour };

const says = (hours: number, kind: string, v: number | undefined, room = 'kitchen'): Reading => ({
  t: new Date(start + hours * hour).toISOString(),
  device: `${room}-${kind}`,
  kind,
  room,
  ...(v === undefined ? {} : { v }),
});
// Something every hour, so that nothing counts as unknown.
const alive = Array.from({ length: 24 }, (_, i) => says(i, 'temperature', 20));
const hours = (s: Span) => [(s.from - start) / hour, (s.to - start) / hour];
const draw = (readings: Reading[], until = day.to, silences: Span[] = []) =>
  layOut([...alive.filter((r) => Date.parse(r.t) <= until), ...readings], day, until, silences);

describe('a state', () => {
  it('lasts until the sensor says otherwise, from the day before and into the night', () => {
    const { lanes } = draw([
      says(-1.5, 'pressure', 1, 'bedroom'),
      says(6.5, 'pressure', 0, 'bedroom'),
      says(22, 'pressure', 1, 'bedroom'),
    ]);
    expect(lanes.map((l) => [l.room, l.intervals.map(hours)])).toEqual([
      [
        'bedroom',
        [
          [0, 6.5],
          [22, 24],
        ],
      ],
    ]);
  });

  it('is drawn no further than now', () => {
    const { lanes } = draw([says(8, 'contact', 1, 'hall')], start + 9 * hour);
    expect(lanes[0]!.intervals.map(hours)).toEqual([[8, 9]]);
  });

  it('is not known past the start of a silence', () => {
    const silence = { from: start + 8.5 * hour, to: start + 12 * hour };
    const readings = [says(8, 'contact', 1, 'hall')];
    const only = layOut(readings, day, silence.to, [silence]);
    expect(only.lanes[0]!.intervals.map(hours)).toEqual([[8, 8.5]]);
  });

  it('of movement ends by itself when the sensor never says that it did', () => {
    const { lanes } = draw([says(8, 'motion', 1), says(12, 'motion', 1)]);
    expect(lanes[0]!.intervals.map((i) => (i.to - i.from) / minute)).toEqual([10, 10]);
  });

  it('of movements close together is one stretch', () => {
    const { lanes } = draw([
      says(8, 'motion', 1),
      says(8.02, 'motion', 0),
      says(8.05, 'motion', 1),
      says(8.1, 'motion', 0),
    ]);
    expect(lanes[0]!.intervals.map(hours)).toEqual([[8, 8.1]]);
  });

  it('of two sensors in a room shares its lane; rooms have one each', () => {
    const { lanes } = draw([
      says(8, 'motion', 1, 'hall'),
      says(9, 'contact', 1, 'hall'),
      says(8, 'motion', 1, 'kitchen'),
    ]);
    expect(lanes.map((l) => [l.room, l.intervals.length])).toEqual([
      ['hall', 2],
      ['kitchen', 1],
    ]);
  });

  it('that is not one, or has no number, makes no lane', () => {
    expect(draw([says(8, 'weather', 1), says(8, 'motion', undefined)]).lanes).toEqual([]);
  });
});

describe('a press', () => {
  it('is a mark on its day only; a fall that cleared is none', () => {
    const { marks } = draw([
      says(-1, 'check_in', 1),
      says(8, 'check_in', 1),
      says(9, 'fall', 0),
      says(10, 'sos', 1),
    ]);
    expect(marks.map((m) => [m.kind, (m.t - start) / hour])).toEqual([
      ['check_in', 8],
      ['sos', 10],
    ]);
  });
});

describe('what is not known', () => {
  const gaps = (t: { gaps: readonly (Span & { why: string })[] }) =>
    t.gaps.map((g) => [g.why, ...hours(g)]);

  it('is silence when an alert told of it', () => {
    const readings = alive.filter((r) => {
      const h = (Date.parse(r.t) - start) / hour;
      return h < 8.2 || h > 11.8;
    });
    const silence = { from: start + 8.25 * hour, to: start + 11.75 * hour };
    expect(gaps(layOut(readings, day, day.to, [silence]))).toEqual([['silent', 8.25, 11.75]]);
  });

  it('is one silence when the alert and the home both tell of it', () => {
    const silences = [
      { from: start + 20 * hour, to: day.to },
      { from: start + 20.01 * hour, to: day.to },
    ];
    const readings = alive.filter((r) => Date.parse(r.t) <= start + 20 * hour);
    expect(gaps(layOut(readings, day, day.to, silences))).toEqual([['silent', 20, 24]]);
  });

  it('is nothing where the home kept its readings and sent them later', () => {
    const silence = { from: start + 8.95 * hour, to: start + 11.05 * hour };
    expect(gaps(draw([], day.to, [silence]))).toEqual([]);
  });

  it('is empty when nothing came for hours and nobody told why', () => {
    const readings = alive.filter((_, i) => i < 6 || i > 14);
    expect(gaps(layOut(readings, day, day.to, []))).toEqual([['empty', 5, 15]]);
  });

  it('is silence after minutes where the home’s heartbeat is known', () => {
    const beats = Array.from({ length: 24 * 60 }, (_, i) => says(i / 60, 'heartbeat', undefined));
    const heard = beats.filter((r) => {
      const h = (Date.parse(r.t) - start) / hour;
      return h <= 10 || h >= 10.5;
    });
    expect(gaps(layOut(heard, day, day.to, []))).toEqual([['silent', 10, 10.5]]);
  });

  it('is not what has yet to come', () => {
    expect(gaps(draw([], start + 8 * hour))).toEqual([]);
    expect(gaps(layOut([], day, day.from, []))).toEqual([]);
  });

  it('lasts until the home is heard, not until a person closed the alert', () => {
    const alert = (fields: Partial<Alert>) =>
      ({ kind: 'gateway_silent', observed: new Date(start).toISOString(), ...fields }) as Alert;
    const at = (h: number) => new Date(start + h * hour).toISOString();
    const until = start + 9 * hour;
    expect(
      silencesOf(
        [
          alert({ state: 'open' }),
          alert({ state: 'resolved', resolved_at: at(2), outcome: 'technical' }),
          alert({ state: 'resolved', resolved_at: at(2), outcome: 'recovered' }),
          alert({ state: 'resolved', recovered: at(3), resolved_at: at(5), outcome: 'technical' }),
          alert({ kind: 'sos' }),
        ],
        until,
      ).map((s) => hours(s)[1]),
    ).toEqual([9, 9, 2, 3]);
  });
});

describe('the picture', () => {
  it('places instants from midnight to midnight, whatever the day’s length', () => {
    const short = { from: start, to: start + 23 * hour };
    expect(place(short, start + 11.5 * hour)).toBe(0.5);
    expect(place(short, start - hour)).toBe(0);
    expect(place(short, start + 30 * hour)).toBe(1);
  });

  it('tells what lies under the finger', () => {
    const timeline = draw([says(8, 'motion', 1), says(8.1, 'motion', 0), says(8, 'sos', 1)]);
    expect(at(timeline, start + 8.05 * hour, minute).intervals).toHaveLength(1);
    expect(at(timeline, start + 8 * hour + minute, minute).marks).toHaveLength(1);
    expect(at(timeline, start + 15 * hour, minute)).toEqual({
      intervals: [],
      marks: [],
      gap: undefined,
    });
  });
});

describe('a chart', () => {
  const w = (room: string, device: string, t: string) => ({ room, device, t }) as Window;

  it('names a line by its room, and by its device where a room has several', () => {
    const lines = linesOf([
      w('kitchen', 'k1', '2026-11-21T10:00:00Z'),
      w('bedroom', 'b1', '2026-11-21T10:00:00Z'),
      w('bedroom', 'b2', '2026-11-21T11:00:00Z'),
      w('kitchen', 'k1', '2026-11-21T09:00:00Z'),
    ]);
    expect(lines.map((l) => l.label)).toEqual(['Kök', 'Sovrum · B1', 'Sovrum · B2']);
    expect(lines[0]!.windows.map((x) => x.t)).toEqual([
      '2026-11-21T09:00:00Z',
      '2026-11-21T10:00:00Z',
    ]);
  });

  it('of a meter shows what it counted in each step, and nothing where it began anew', () => {
    const read = (clock: string, last: number): Window => ({
      ...{ t: `2026-11-21T${clock}:00Z`, device: 'm', kind: 'energy', room: 'kitchen' },
      ...{ count: 4, min: last, max: last, mean: last, last },
    });
    const windows = [read('08:00', 100), read('09:00', 103), read('10:00', 1), read('14:00', 9)];
    const lines = counted([{ label: 'Kök', windows }], hour);
    expect(lines.map((l) => l.windows.map((x) => [x.t, x.last]))).toEqual([
      [['2026-11-21T09:00:00Z', 3]],
    ]);
  });
});
