import { t, type Key } from '../../shared/i18n';
import { addDays, clock, dayOf, shortDate, type Day } from '../../shared/time';
import type { Visit, VisitEntry } from '../admin/api';
import { instantOf, local } from './zoned';

export type By = 'person' | 'home';

/** The visits of one person or of one home in a week. */
export interface VisitRow {
  /** The person's or home's id; "" is nobody. */
  id: string;
  name: string;
  /** The visits of each day, by their time. */
  days: Visit[][];
}

/** Whether the visit is one that takes place or took place: neither refused, cancelled nor only asked for. */
export const stands = (v: Visit): boolean =>
  v.state === 'planned' || v.state === 'done' || v.state === 'missed';

/**
 * The week of visits as rows by person or home, in the order of their names;
 * visits without anybody come first. People in `always` have a row though they
 * have no visit.
 */
export function rowsOf(
  visits: readonly Visit[],
  by: By,
  monday: Day,
  zone: string | undefined,
  always: readonly { id: string; name: string }[],
  collator: Intl.Collator,
): VisitRow[] {
  const rows = new Map<string, VisitRow>();
  const rowFor = (id: string, name: string) => {
    let row = rows.get(id);
    if (!row) {
      row = { id, name, days: Array.from({ length: 7 }, () => []) };
      rows.set(id, row);
    }
    return row;
  };
  for (const { id, name } of always) rowFor(id, name);
  const week = Array.from({ length: 7 }, (_, i) => addDays(monday, i));
  for (const v of [...visits].sort((a, b) => a.from.localeCompare(b.from))) {
    if (v.state === 'requested' || v.state === 'declined') continue;
    const i = week.indexOf(dayOf(Date.parse(v.from), zone));
    if (i < 0) continue;
    const row =
      by === 'home'
        ? rowFor(v.home, v.home_name)
        : rowFor(v.person, v.who || (v.person ? v.person : t('planned.unassigned')));
    row.days[i]!.push(v);
  }
  return [...rows.values()].sort(
    (a, b) => Number(a.id !== '') - Number(b.id !== '') || collator.compare(a.name, b.name),
  );
}

/** How long the visit is, in minutes. */
export const minutesOf = (v: Pick<Visit, 'from' | 'to'>): number =>
  Math.round((Date.parse(v.to) - Date.parse(v.from)) / 60_000);

/** "07:30–08:15" */
export const timesOf = (v: Pick<Visit, 'from' | 'to'>, zone?: string): string =>
  `${clock(Date.parse(v.from), zone)}–${clock(Date.parse(v.to), zone)}`;

/** What is said of a visit that is not simply planned: "uteblev"; "" when it is. */
export const stateWords = (state: Visit['state']): string =>
  state === 'planned' ? '' : t(`planned.state.${state}` as Key);

/** A visit of the same person at the same time, if there is one. */
export function overlapping(
  visits: readonly Visit[],
  entry: Pick<VisitEntry, 'person' | 'from' | 'to'>,
  id: string,
): Visit | undefined {
  if (!entry.person) return undefined;
  return visits.find(
    (v) =>
      v.id !== id &&
      v.person === entry.person &&
      v.state === 'planned' &&
      Date.parse(v.from) < Date.parse(entry.to) &&
      Date.parse(v.to) > Date.parse(entry.from),
  );
}

/** The visit as it is sent, with what changes. */
export const entryOf = (v: Visit, change: Partial<VisitEntry> = {}): VisitEntry => ({
  home: v.home,
  from: v.from,
  to: v.to,
  person: v.person,
  what: v.what,
  video: v.video,
  state: v.state,
  note: v.note,
  rev: v.rev,
  ...change,
});

/** What somebody else did to a visit while one was planning it: as it is now, and as one knew it. */
export function changedWords(now: Visit, known: Visit | undefined, zone?: string): string {
  const by = now.by || t('planned.service');
  const day = shortDate(Date.parse(now.from), zone);
  const moved = known && (now.from !== known.from || now.to !== known.to);
  if (now.state !== 'planned' && now.state !== known?.state) {
    return t(`planned.meanwhile.${now.state}` as Key, { by });
  }
  if (moved) return t('planned.meanwhile.moved', { by, day, times: timesOf(now, zone) });
  if (known && now.person !== known.person) {
    return now.who
      ? t('planned.meanwhile.given', { by, name: now.who })
      : t('planned.meanwhile.taken', { by });
  }
  return t('planned.meanwhile.changed', { by });
}

/** What copying a week comes to. */
export interface Copies {
  /** What is to be put in, each under an id of its own. */
  fresh: [id: string, entry: VisitEntry][];
  /** How many are in the week already. */
  there: number;
}

/**
 * The visits of one week as those of the next, on the same days and at the
 * same times of the clock, also over a change of summer time. The id says whose
 * copy it is: copying again adds nothing twice, and brings nothing back that
 * was cancelled since.
 */
export function copiesOf(
  last: readonly Visit[],
  present: readonly Visit[],
  monday: Day,
  zone: string | undefined,
): Copies {
  const known = new Set(present.map((v) => v.id));
  const same = (e: VisitEntry) =>
    present.some((v) => v.home === e.home && v.from === e.from && v.what === e.what);
  const out: Copies = { fresh: [], there: 0 };
  for (const v of last) {
    const day = dayOf(Date.parse(v.from), zone);
    // A visit over the Monday's midnight belongs to the week in which it begins.
    if (!stands(v) || day < addDays(monday, -7) || day >= monday) continue;
    const from = Date.parse(v.from);
    const at = local(from, zone).slice(10);
    const begins = instantOf(addDays(day, 7) + at, zone);
    const entry = entryOf(v, {
      from: new Date(begins).toISOString(),
      to: new Date(begins + Date.parse(v.to) - from).toISOString(),
      state: 'planned',
      note: '',
      rev: 0,
    });
    const id = `${v.id.replace(/\.\d{8}$/, '').slice(0, 48)}.${addDays(day, 7).replace(/-/g, '')}`;
    if (known.has(id) || same(entry)) out.there++;
    else out.fresh.push([id, entry]);
  }
  return out;
}
