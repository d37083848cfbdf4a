import type { Shift, Window } from '../../api/types';
import { t, tMaybe, type Key } from '../../shared/i18n';
import { addDays, clock, dayOf, startOfDay, type Day } from '../../shared/time';
import type { Found, Grant, Note, Visit, WellBeing } from './api';

const minute = 60_000;
const hour = 60 * minute;

/** How old somebody is: in years where the day is known; undefined when it is not. */
export function ageOf(born: string, at: number, zone?: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\d$/.test(born)) return undefined;
  const today = dayOf(at, zone);
  const years = Number(today.slice(0, 4)) - Number(born.slice(0, 4));
  return today.slice(5) < born.slice(5) ? years - 1 : years;
}

/** "88 år", "född 1944", or "". */
export function ageWords(born: string, at: number, zone?: string): string {
  const age = ageOf(born, at, zone);
  if (age !== undefined) return t('who.age', { n: age });
  return born ? t('who.born', { year: born }) : '';
}

/** What a telephone is to dial: "+46701740611", as it may be written with spaces and dashes. */
export const telOf = (phone: string): string => `tel:${phone.replace(/[^\d+*#]/g, '')}`;

/** The fields that the resident does not let the staff see. */
export const refusedOf = (
  grants: readonly Grant[] | undefined,
  home?: { refused?: readonly string[] } | null,
): ReadonlySet<string> =>
  new Set(
    grants
      ? grants.filter((g) => g.party === 'staff' && !g.allowed).map((g) => g.field)
      : (home?.refused ?? []),
  );

/** The sentences that a note or a visit begins with at one touch. */
export const templates = {
  visit: ['well', 'ate', 'shower', 'medicine', 'declined', 'out'],
  observation: ['tired', 'dizzy', 'pain', 'skin', 'follow_up'],
  contact: ['relative', 'nurse', 'doctor', 'no_answer'],
  hand_over: ['extra_look', 'follow_up', 'no_news'],
} as const;
export type NoteKind = keyof typeof templates;
export const noteKinds = Object.keys(templates) as NoteKind[];

export const templateText = (name: string): string => t(`template.${name}` as Key);

/** The text with a sentence more. One that stands there already is not put twice. */
export function withSentence(text: string, sentence: string): string {
  if (text.includes(sentence)) return text;
  const before = text.trimEnd();
  return before ? `${before}\n${sentence}` : sentence;
}

/** What a note is about, in words. */
export const kindOf = (kind: string): string => tMaybe(`note.${kind}`) ?? kind;

/** A note with those that correct it, in the order of time. */
export interface Thread {
  note: Note;
  corrections: Note[];
}

/** Notes by day, newest first; a correction stands with the note that it corrects, when that is here. */
export function threads(notes: readonly Note[], zone?: string): [Day, Thread[]][] {
  const byId = new Map(notes.map((n) => [n.id, n]));
  // A correction of a correction belongs to the note that both are about.
  const root = (n: Note): Note => {
    let at = n;
    for (let i = 0; i < 20; i++) {
      const next = at.corrects ? byId.get(at.corrects) : undefined;
      if (!next) break;
      at = next;
    }
    return at;
  };
  const all = new Map<string, Thread>();
  const sorted = [...notes].sort((a, b) => b.written.localeCompare(a.written));
  for (const note of sorted) if (root(note) === note) all.set(note.id, { note, corrections: [] });
  for (const note of [...sorted].reverse()) {
    const of = root(note);
    if (of !== note) all.get(of.id)?.corrections.push(note);
  }
  const days = new Map<Day, Thread[]>();
  for (const thread of all.values()) {
    const day = dayOf(Date.parse(thread.note.written), zone);
    days.set(day, [...(days.get(day) ?? []), thread]);
  }
  return [...days];
}

/** From when on a note that came later than it was written says so, in milliseconds. */
const slow = 10 * minute;

/** Whether a note came so much later than it was written that this is worth a word. */
export const cameLate = (n: Pick<Note, 'at' | 'written'>): boolean =>
  Date.parse(n.at) - Date.parse(n.written) > slow;

/** Where a visit stands at an instant. */
export function visitState(v: Visit, at: number): 'soon' | 'now' | 'late' | string {
  if (v.state !== 'planned') return v.state;
  if (at < Date.parse(v.from)) return 'planned';
  return at <= Date.parse(v.to) ? 'now' : 'late';
}

/** From when to when: "14:15–15:00". */
export const spanOf = (from: string, to: string, zone?: string): string =>
  `${clock(Date.parse(from), zone)}–${clock(Date.parse(to), zone)}`;

/** A stretch of time, in milliseconds. */
export interface Stretch {
  from: number;
  to: number;
}

const stretch = (s: Pick<Shift, 'from' | 'to'>): Stretch => ({
  from: Date.parse(s.from),
  to: Date.parse(s.to),
});

/** The shift of a person that is on, or else the next within twelve hours. */
export function shiftNow(shifts: readonly Shift[], person: string, at: number): Shift | undefined {
  const own = shifts
    .filter((s) => s.person === person && Date.parse(s.to) > at)
    .sort((a, b) => a.from.localeCompare(b.from));
  return own.find((s) => Date.parse(s.from) - at < 12 * hour);
}

/**
 * Of what a handover is told when nobody chooses: the person's shift that is
 * on or ended within the last four hours, else the last eight hours.
 */
export function handOverSpan(shifts: readonly Shift[], person: string, at: number): Stretch {
  const last = shifts
    .filter((s) => s.person === person)
    .map(stretch)
    .filter((s) => s.from <= at && s.to > at - 4 * hour)
    .sort((a, b) => a.from - b.from)
    .at(-1);
  return last ?? { from: at - 8 * hour, to: at };
}

/** From when on things are new to the person: the end of their last shift, at most three days ago. */
export function newSince(shifts: readonly Shift[], person: string, at: number): number {
  const on = shiftNow(shifts, person, at);
  const before = on ? Math.min(Date.parse(on.from), at) : at;
  const ended = shifts
    .filter((s) => s.person === person && Date.parse(s.to) <= before)
    .map((s) => Date.parse(s.to));
  const latest = Math.max(...ended, at - 72 * hour);
  return ended.length > 0 ? latest : at - 24 * hour;
}

/** What was found, by what it is, in the order in which it is shown. */
export function grouped(found: readonly Found[]): [string, Found[]][] {
  const order = ['home', 'person', 'note'];
  const groups = new Map<string, Found[]>();
  for (const f of found) groups.set(f.type, [...(groups.get(f.type) ?? []), f]);
  const rank = (type: string) => (order.includes(type) ? order.indexOf(type) : order.length);
  return [...groups].sort(([a], [b]) => rank(a) - rank(b));
}

/** How much somebody moved on a day, and how much of it at night. */
export interface ActiveDay {
  day: Day;
  /** Times that a sensor saw movement, 06:00 to 23:00 and the rest. */
  day_time: number;
  night: number;
  /** Nothing at all came that day. */
  unknown: boolean;
}

/**
 * Movements per day out of windows of an hour. The night is from 23 to 06 and
 * belongs to the day on which it ends.
 */
export function activeDays(
  windows: readonly Window[],
  from: Day,
  days: number,
  zone?: string,
): ActiveDay[] {
  const all = new Map<Day, ActiveDay>();
  for (let i = 0; i < days; i++) {
    const day = addDays(from, i);
    all.set(day, { day, day_time: 0, night: 0, unknown: true });
  }
  for (const w of windows) {
    const ms = Date.parse(w.t);
    const h = Number(clock(ms, zone).slice(0, 2));
    const day = h >= 23 ? addDays(dayOf(ms, zone), 1) : dayOf(ms, zone);
    const of = all.get(day);
    if (!of) continue;
    of.unknown = false;
    const times = Math.round(w.mean * w.count);
    if (h >= 23 || h < 6) of.night += times;
    else of.day_time += times;
  }
  return [...all.values()];
}

/** The hours in bed of the night before each day, out of windows of an hour of the bed's sensor. */
export function bedHours(
  windows: readonly Window[],
  from: Day,
  days: number,
  zone?: string,
): Map<Day, number> {
  const out = new Map<Day, number>();
  for (let i = 0; i < days; i++) {
    const day = addDays(from, i);
    const noon = startOfDay(day, zone) + 12 * hour;
    const own = windows.filter((w) => {
      const ms = Date.parse(w.t);
      return ms >= noon - 18 * hour && ms < noon;
    });
    if (own.length > 0)
      out.set(
        day,
        own.reduce((sum, w) => sum + Math.min(1, w.mean), 0),
      );
  }
  return out;
}

/** One day of how somebody felt and which medicines were taken. */
export interface FeltDay {
  day: Day;
  /** 1 bad, 2 so-so, 3 good; 0 was not said. */
  felt: number;
  taken: number;
  missed: string[];
}

/** Days with answers about well-being and medicines, newest first. */
export function feltDays(all: WellBeing, today: Day, days: number, zone?: string): FeltDay[] {
  const rows: FeltDay[] = [];
  for (let i = 0; i < days; i++) {
    const day = addDays(today, -i);
    const on = <T extends { t: string }>(list: readonly T[]) =>
      list.filter((x) => dayOf(Date.parse(x.t), zone) === day);
    const answers = on(all.answers).sort((a, b) => a.t.localeCompare(b.t));
    const medicines = on(all.medicines);
    rows.push({
      day,
      felt: answers.at(-1)?.v ?? 0,
      taken: medicines.filter((m) => m.v).length,
      missed: medicines.filter((m) => !m.v).map((m) => m.text),
    });
  }
  return rows;
}
