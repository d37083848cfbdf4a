import type { Deed } from './deeds';
import { clock, clockOf, local } from './local';
import { comingDay } from './rights';
import type { Letter, Status, Visit } from './status';
import { capital, t, type Key } from './texts';
import { partOf } from './words';

/** "God eftermiddag, Karin" */
export function greeting({ day, zone }: Status, now: number | undefined): string {
  const said =
    now === undefined
      ? t('kiosk.welcome')
      : t(`kiosk.greet.${partOf(local(now, zone).minutes)}` as Key);
  return day?.name ? t('kiosk.greet_name', { greeting: said, name: day.name }) : said;
}

const whoOf = ({ who }: Visit) => who || t('kiosk.home_care');

/** Who comes next: one line, and what for. Empty when nobody has said who comes. */
export function nextVisit(
  { day, zone }: Status,
  now: number | undefined,
): { text: string; what: string; more: string } {
  const nothing = { text: '', what: '', more: '' };
  if (!day || now === undefined) return nothing;
  const today = local(now, zone).date;
  const visits = (day.visits ?? []).filter(({ to }) => to / 1_000 > now);
  const next = visits[0];
  const todays = visits.filter((v) => local(v.from / 1_000, zone).date <= today);
  if (!next) return { ...nothing, text: t('kiosk.no_visits') };
  const sentence = visitSentence(next, now, zone);
  if (todays.length === 0) return { text: t('kiosk.no_visits'), what: '', more: `${sentence}.` };
  const second = todays[1];
  return {
    text: sentence,
    what: next.what ?? '',
    more: second ? `${visitSentence(second, now, zone)}.` : '',
  };
}

/** "Anna kommer klockan 15:00" */
export function visitSentence(visit: Visit, now: number, zone?: string): string {
  const from = visit.from / 1_000;
  const [today, date] = [local(now, zone).date, local(from, zone).date];
  const stem = visit.video ? 'kiosk.video' : 'kiosk.visit';
  const how = from <= now ? '_now' : date > today ? '_day' : '';
  return t(`${stem}${how}` as Key, {
    who: whoOf(visit),
    clock: clock(from, zone),
    day: comingDay(date, today),
  });
}

/** A line of "My day". */
export interface Row {
  key: string;
  /** Over the first of a day: "I morgon". */
  day: string;
  time: string;
  text: string;
  detail: string;
  past: boolean;
  done: boolean;
}

/** Today and the days after: visits, medicines, what to remember. */
export function rowsOf({ day, zone, taken }: Status, now: number): Row[] {
  const today = local(now, zone);
  const rows: (Row & { date: string; at: number })[] = [];
  for (const visit of day?.visits ?? []) {
    const from = local(visit.from / 1_000, zone);
    if (from.date < today.date) continue;
    const until = t('kiosk.row_until', { clock: clock(visit.to / 1_000, zone) });
    const detail = [visit.what, visit.video ? t('kiosk.row_video') : '', until];
    rows.push({
      ...{ key: visit.id, date: from.date, at: from.minutes, day: '', text: whoOf(visit) },
      time: clockOf(from.minutes),
      detail: detail.filter(Boolean).join(', '),
      past: visit.to / 1_000 <= now,
      done: false,
    });
  }
  for (const prompt of day?.prompts ?? []) {
    if (prompt.days?.length && !prompt.days.includes(today.weekday)) continue;
    const when = prompt.medication ? taken?.[prompt.id] : undefined;
    const medicine = prompt.medication ? t('kiosk.row_medicine') : '';
    rows.push({
      ...{ key: prompt.id, date: today.date, at: prompt.at, day: '', text: prompt.text },
      time: clockOf(prompt.at),
      detail: when ? t('kiosk.row_taken', { clock: clock(when / 1_000, zone) }) : medicine,
      past: prompt.at < today.minutes,
      done: when !== undefined,
    });
  }
  rows.sort((a, b) => a.date.localeCompare(b.date) || a.at - b.at);
  return rows.map(({ date, at: _, ...row }, i) => {
    const first = rows[i - 1]?.date !== date;
    return { ...row, day: first ? capital(comingDay(date, today.date)) : '' };
  });
}

/** How it stands with "I am OK": what is known, and nothing more. */
export interface CheckInState {
  state: 'open' | 'saving' | 'trouble' | 'sending' | 'received';
  text: string;
}

export function checkInState(
  status: Status,
  now: number | undefined,
  deed: Deed | undefined,
): CheckInState {
  if (deed?.state === 'saving') return { state: 'saving', text: t('kiosk.moment') };
  if (deed?.state === 'trouble') {
    return { state: 'trouble', text: t('kiosk.not_saved_yet', { id: deed.id }) };
  }
  if (deed?.state === 'failed') {
    return { state: 'trouble', text: t('kiosk.failed', { id: deed.id }) };
  }
  const { check_in: checkIn, zone, online } = status;
  const at = checkIn && checkIn.at / 1_000;
  const old = at && now !== undefined && local(at, zone).date !== local(now, zone).date;
  // Yesterday's, once it has arrived, says nothing of today.
  if (!checkIn || (old && checkIn.state === 'received')) {
    return { state: 'open', text: t('kiosk.well_hint') };
  }
  if (checkIn.state !== 'received') {
    return { state: 'sending', text: t(online ? 'kiosk.well_sending' : 'kiosk.well_offline') };
  }
  const text = at
    ? t('kiosk.well_received_at', { clock: clock(at, zone) })
    : t('kiosk.well_received');
  return { state: 'received', text };
}

/** Who wrote; the home care when nobody is named. */
export const senderOf = ({ from }: Letter): string => from || t('kiosk.the_home_care');

/** What is read out of a letter. */
export function letterAloud(letter: Letter): string {
  const { text, picture } = letter;
  const name = senderOf(letter);
  const sent = picture ? capital(t('kiosk.said_picture', { name })) : '';
  return [text ? t('kiosk.said_message', { name, text }) : '', sent].filter(Boolean).join(' ');
}
