import type { Alert, Reading } from '../api/types';

/** A stretch of time, in milliseconds since 1970; from < to. */
export interface Span {
  from: number;
  to: number;
}

export type IntervalKind = 'motion' | 'presence' | 'pressure' | 'contact' | 'power' | 'danger';

/** A state of a room that lasted. */
export interface Interval extends Span {
  kind: IntervalKind;
  /** The reading's own kind ("smoke", "water_leak"). */
  what: string;
  device: string;
}

export interface Lane {
  room: string;
  intervals: Interval[];
}

/** Something that happened at one time. */
export interface Mark {
  t: number;
  kind: 'sos' | 'fall' | 'check_in' | 'button' | 'medication' | 'test' | 'other';
  reading: Reading;
}

/** A stretch of which nothing is known. */
export interface Gap extends Span {
  /** silent: the home was known to be out of reach; empty: nothing came. */
  why: 'silent' | 'empty';
}

export interface Timeline extends Span {
  lanes: Lane[];
  marks: Mark[];
  gaps: Gap[];
}

const minute = 60_000;

/** How far before the day to ask, so that what began the evening before is known. */
export const lookBack = 12 * 60 * minute;

// A sensor that says "movement" and never "none" must not fill the day.
const holds: Partial<Record<IntervalKind, number>> = {
  motion: 10 * minute,
  // An appliance that is on says so every ten minutes at least.
  power: 25 * minute,
  danger: 24 * 60 * minute,
};

// Movements closer than this read as one.
const joins: Partial<Record<IntervalKind, number>> = {
  motion: 4 * minute,
  power: 4 * minute,
};

// Heartbeats come every half minute; without them, silence of this long says something.
const heartbeatGap = 5 * minute;
const readingGap = 3 * 60 * minute;

const intervalKinds: Record<string, IntervalKind> = {
  motion: 'motion',
  vibration: 'motion',
  presence: 'presence',
  pressure: 'pressure',
  contact: 'contact',
  power: 'power',
  smoke: 'danger',
  carbon_monoxide: 'danger',
  water_leak: 'danger',
};

// Watts from which an appliance is in use, rather than asleep.
const inUse = 15;

const markKinds = new Set(['sos', 'fall', 'check_in', 'button', 'medication', 'test']);

/**
 * Lays out a day. The readings may reach back before it; `until` is now on
 * the present day, and nothing is drawn after it. `silences` are the home's
 * gateway_silent alerts and whatever else is known of silence.
 */
export function layOut(
  readings: readonly Reading[],
  day: Span,
  until: number,
  silences: readonly Span[],
): Timeline {
  const end = Math.min(day.to, until);
  const sorted = readings
    .map((r) => ({ r, t: Date.parse(r.t) }))
    .filter(({ t }) => Number.isFinite(t) && t <= end)
    .sort((a, b) => a.t - b.t);
  const gaps = findGaps(
    sorted.map(({ r, t }) => ({ t, beat: r.kind === 'heartbeat' })),
    { from: day.from, to: end },
    silences,
  );
  const rooms = new Map<string, Interval[]>();
  for (const series of seriesOf(sorted).values()) {
    const kind = intervalKinds[series[0]!.r.kind]!;
    const room = series[0]!.r.room;
    const found = intervalsOf(series, kind, end, gaps).filter((i) => i.to > day.from);
    if (!rooms.has(room)) rooms.set(room, []);
    rooms.get(room)!.push(...found.map((i) => ({ ...i, from: Math.max(i.from, day.from) })));
  }
  const lanes = [...rooms].map(([room, intervals]) => ({
    room,
    intervals: intervals.sort((a, b) => a.from - b.from),
  }));
  lanes.sort((a, b) => a.room.localeCompare(b.room));
  const marks = sorted
    .filter(
      ({ r, t }) => t >= day.from && markKinds.has(r.kind) && !(r.kind === 'fall' && r.v === 0),
    )
    .map(({ r, t }) => ({ t, kind: r.kind as Mark['kind'], reading: r }));
  return { from: day.from, to: day.to, lanes, marks, gaps };
}

interface Timed {
  r: Reading;
  t: number;
}

function seriesOf(sorted: readonly Timed[]): Map<string, Timed[]> {
  const all = new Map<string, Timed[]>();
  for (const timed of sorted) {
    const { device, kind, room } = timed.r;
    if (!(kind in intervalKinds) || typeof timed.r.v !== 'number') continue;
    const key = `${device}\u0000${kind}\u0000${room}`;
    const series = all.get(key);
    if (series) series.push(timed);
    else all.set(key, [timed]);
  }
  return all;
}

function intervalsOf(
  series: readonly Timed[],
  kind: IntervalKind,
  end: number,
  gaps: readonly Gap[],
): Interval[] {
  const hold = holds[kind] ?? Infinity;
  const join = joins[kind] ?? 0;
  const out: Interval[] = [];
  series.forEach(({ r, t }, i) => {
    if (!(kind === 'power' ? r.v! >= inUse : r.v)) return;
    const next = series[i + 1]?.t ?? end;
    // What a state was is not known past the start of a silence.
    const silence = gaps.find((g) => g.why === 'silent' && g.from >= t)?.from ?? Infinity;
    const to = Math.min(next, t + hold, end, silence);
    const last = out.at(-1);
    if (last && t - last.to <= join) last.to = Math.max(last.to, to);
    else if (to > t || next > t)
      out.push({ kind, what: r.kind, device: r.device, from: t, to: Math.max(to, t + 1) });
  });
  return out;
}

function findGaps(
  times: readonly { t: number; beat: boolean }[],
  day: Span,
  silences: readonly Span[],
): Gap[] {
  if (day.to <= day.from) return [];
  const inside = times.filter(({ t }) => t >= day.from && t <= day.to);
  const beats = inside.some(({ beat }) => beat);
  const longest = beats ? heartbeatGap : readingGap;
  const inDay = silences
    .map((s) => ({ from: Math.max(s.from, day.from), to: Math.min(s.to, day.to) }))
    .filter((s) => s.to > s.from);
  const known: Gap[] = joined(inDay)
    .map((s) => ({ ...s, why: 'silent' as const }))
    // What the home kept and sent later fills the silence.
    .flatMap((s) =>
      without(
        s,
        inside.map(({ t }) => t),
        longest,
      ),
    );
  const points = [day.from, ...inside.map(({ t }) => t), day.to];
  const empty: Gap[] = [];
  for (let i = 1; i < points.length; i++) {
    const span = { from: points[i - 1]!, to: points[i]! };
    if (span.to - span.from <= longest) continue;
    if (known.some((k) => k.from < span.to && k.to > span.from)) continue;
    empty.push({ ...span, why: beats ? 'silent' : 'empty' });
  }
  return [...known, ...empty].sort((a, b) => a.from - b.from);
}

// The same silence may be told of twice, by its alert and by the home.
function joined(spans: readonly Span[]): Span[] {
  const out: Span[] = [];
  for (const span of [...spans].sort((a, b) => a.from - b.from)) {
    const last = out.at(-1);
    if (last && span.from <= last.to) last.to = Math.max(last.to, span.to);
    else out.push({ ...span });
  }
  return out;
}

// Cuts the silence where readings show that the home was heard after all. Up
// to the first of them nobody could know; after it, readings may be sparse.
function without(silence: Gap, times: readonly number[], longest: number): Gap[] {
  const heard = times.filter((t) => t > silence.from && t < silence.to);
  if (heard.length === 0) return [silence];
  const edges = [silence.from, ...heard, silence.to];
  const out: Gap[] = [];
  for (let i = 1; i < edges.length; i++) {
    const span = { from: edges[i - 1]!, to: edges[i]! };
    if (span.to - span.from > (i === 1 ? heartbeatGap : longest))
      out.push({ ...span, why: 'silent' });
  }
  return out;
}

/** The silences that a home's alerts tell of; one whose end nobody told of lasts until `until`. */
export function silencesOf(alerts: readonly Alert[], until: number): Span[] {
  return alerts
    .filter((a) => a.kind === 'gateway_silent')
    .map((a) => ({ from: Date.parse(a.observed), to: Date.parse(endOf(a) ?? '') || until }))
    .filter((s) => s.to > s.from);
}

// A person may close the alert while the home is still silent; only recovery ends it.
const endOf = (a: Alert) => a.recovered ?? (a.outcome === 'recovered' ? a.resolved_at : undefined);

/** Where an instant lies on the day, from 0 to 1. */
export const place = (day: Span, t: number): number =>
  Math.min(1, Math.max(0, (t - day.from) / (day.to - day.from)));

/** What there is at an instant, within `reach` milliseconds of it. */
export function at(
  timeline: Timeline,
  t: number,
  reach: number,
): { intervals: { room: string; interval: Interval }[]; marks: Mark[]; gap: Gap | undefined } {
  return {
    intervals: timeline.lanes.flatMap(({ room, intervals }) =>
      intervals
        .filter((i) => i.from - reach <= t && i.to + reach >= t)
        .map((interval) => ({ room, interval })),
    ),
    marks: timeline.marks.filter((m) => Math.abs(m.t - t) <= reach * 2),
    gap: timeline.gaps.find((g) => g.from <= t && g.to >= t),
  };
}
