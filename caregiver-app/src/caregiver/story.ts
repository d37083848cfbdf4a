import { t } from '../shared/i18n';
import { clock } from '../shared/time';
import { roomKey } from '../shared/words';
import { markName } from './daywords';
import type { Interval, IntervalKind, Mark, Span, Timeline } from './timeline';

const minute = 60_000;
const hour = 60 * minute;

// Out of bed for less than this is a trip to the bathroom.
const trip = 45 * minute;
// Boiling water and then frying in one go is one time at the stove.
const oneGo = 30 * minute;

interface Part {
  t: number;
  text: string;
}

/**
 * The day in a few words: when they got up, said "I am OK", cooked, opened
 * the door and went to bed, as far as the home's sensors can tell. Only what
 * was measured is said; what it means is for the reader to judge.
 */
export function storyOf(timeline: Timeline, zone: string, at: number): string[] {
  const time = (ms: number) => clock(ms, zone);
  const of = (kind: IntervalKind, room?: string) =>
    timeline.lanes
      .filter((l) => room === undefined || roomKey(l.room) === room)
      .flatMap((l) => l.intervals)
      .filter((i) => i.kind === kind)
      .sort((a, b) => a.from - b.from);

  const parts: Part[] = [];
  const tell = (ms: number, text: string) => parts.push({ t: ms, text });
  const repeated = (times: readonly number[], text: (clocks: string) => string) => {
    if (times.length === 0) return;
    const clocks =
      times.length > 4
        ? t('day.several', { n: times.length, clock: time(times.at(-1)!) })
        : times.map(time).join(', ');
    tell(times[0]!, text(clocks));
  };

  calls(timeline.marks, time).forEach((part) => parts.push(part));

  const bed = joined(of('pressure', 'bedroom'), trip);
  // What is known of the day ends where it ends, or now.
  const end = Math.min(timeline.to, at);
  const rose = bed.find((i) => within(i.to, timeline, 4, 13) && i.to < end - trip);
  const toBed = bed.find((i) => i.from >= timeline.from + 18 * hour && i.to >= end - trip);
  const moves = of('motion');
  const first = moves.find((i) => i.from >= timeline.from + 5 * hour);
  if (rose) tell(rose.to, t('day.rose', { clock: time(rose.to) }));
  else if (first) tell(first.from, t('day.first', { clock: time(first.from) }));

  const said = timeline.marks.find((m) => m.kind === 'check_in');
  if (said) tell(said.t, t('day.checkin', { clock: time(said.t) }));

  repeated(
    joined(of('power', 'kitchen'), oneGo).map((i) => i.from),
    (clocks) => t('day.cooked', { clocks }),
  );
  repeated(
    of('contact', 'hall')
      .filter((i) => i.from > timeline.from)
      .map((i) => i.from),
    (clocks) => t('day.door', { clocks }),
  );

  const last = moves.at(-1);
  if (toBed) tell(toBed.from, t('day.bed', { clock: time(toBed.from) }));
  else if (last && last !== first) tell(last.to, t('day.last', { clock: time(last.to) }));

  for (const g of timeline.gaps.filter((g) => g.why === 'silent').slice(0, 3)) {
    const from = time(g.from);
    const lasts = at - g.to < 2 * minute && timeline.to > at;
    tell(g.from, lasts ? t('home.silent', { when: from }) : t('day.gap', { from, to: time(g.to) }));
  }
  return parts.sort((a, b) => a.t - b.t).map((part) => part.text);
}

// Every call for help is told of: by its time, or where there are many of one
// kind by how many they were.
function calls(marks: readonly Mark[], time: (ms: number) => string): Part[] {
  return (['sos', 'fall'] as const).flatMap((kind) => {
    const of = marks.filter((m) => m.kind === kind);
    const last = of.at(-1);
    if (!last || of.length <= 3) {
      return of.map((m) => ({ t: m.t, text: `${markName(m)} ${time(m.t)}` }));
    }
    const values = { name: markName(last), n: of.length, clock: time(last.t) };
    return [{ t: of[0]!.t, text: t('day.called', values) }];
  });
}

const within = (ms: number, day: Span, from: number, to: number) =>
  ms >= day.from + from * hour && ms < day.from + to * hour;

function joined(intervals: readonly Interval[], gap: number): Span[] {
  const out: Span[] = [];
  for (const { from, to } of intervals) {
    const last = out.at(-1);
    if (last && from - last.to < gap) last.to = Math.max(last.to, to);
    else out.push({ from, to });
  }
  return out;
}
