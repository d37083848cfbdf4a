import type { Home, Reading } from '../api/types';
import { readable, t, tMaybe } from './i18n';
import { kindName } from './names';
import { quantity, unitOf } from './quantity';
import { addDays, atMinute, clock, dayOf, startOfDay } from './time';

export { alertName, kindName, outcomeName } from './names';
export { quantity, unitOf } from './quantity';

/** The room's name: "Kök". Rooms are free text; the usual ones are translated. */
export function roomName(room: string): string {
  if (!room) return t('room.none');
  return tMaybe(`room.${roomKey(room)}`) ?? readable(room);
}

/** The room as a place: "i köket". */
export function inRoom(room: string): string {
  if (!room) return '';
  return tMaybe(`room.in.${roomKey(room)}`) ?? t('room.in', { room: readable(room) });
}

const aliases: Record<string, string> = {
  livingroom: 'living_room',
  lounge: 'living_room',
  vardagsrum: 'living_room',
  kok: 'kitchen',
  kök: 'kitchen',
  sovrum: 'bedroom',
  badrum: 'bathroom',
  toalett: 'toilet',
  wc: 'toilet',
  hallway: 'hall',
  entrance: 'hall',
  diningroom: 'dining_room',
  matrum: 'dining_room',
  office: 'study',
  arbetsrum: 'study',
  balkong: 'balcony',
  tvattstuga: 'laundry',
  tvättstuga: 'laundry',
};

/** What the room is whatever it was called: "kitchen" for "Kök". */
export function roomKey(room: string): string {
  const plain = room.toLowerCase().replace(/[\s-]+/g, '_');
  return aliases[plain] ?? plain;
}

/** The kind as a sign of life: "Dörr eller lucka användes". */
export const activityName = (kind: string): string => tMaybe(`activity.${kind}`) ?? kindName(kind);

/** Whether the app has a word of its own for the kind. */
export const isKnown = (kind: string): boolean => tMaybe(`kind.${kind}`) !== undefined;

/** A device by its own name, without the room before it. */
export const deviceName = (device: string): string =>
  readable(device.slice(device.lastIndexOf('/') + 1));

const states = new Set([
  'contact',
  'motion',
  'presence',
  'pressure',
  'vibration',
  'smoke',
  'carbon_monoxide',
  'water_leak',
  'availability',
  'battery_low',
  'tamper',
]);

/** Whether the kind is two-state, its reading holding until the next. */
export const isState = (kind: string): boolean => states.has(kind);

const events = new Set([
  'sos',
  'fall',
  'check_in',
  'call_back',
  'button',
  'medication',
  'test',
  'heartbeat',
  'dropped',
]);

/** Whether the kind is something that happens, rather than lasts or is measured. */
export const isEvent = (kind: string): boolean => events.has(kind);

/** Whether the reading is a number that makes a curve. */
export const isMeasurement = (r: Pick<Reading, 'kind' | 'v'>): boolean =>
  typeof r.v === 'number' && !isState(r.kind) && !isEvent(r.kind);

/** What a reading says, in plain words: "Öppen", "21,4 °C", "Intryckt". */
export function saying(r: Reading): string {
  if (typeof r.v === 'number') {
    const word = tMaybe(`says.${r.kind}.${r.v ? 'on' : 'off'}`);
    if (word) return r.s ? `${word} (${r.s})` : word;
    const unit = r.unit || unitOf(r.kind);
    return [quantity(r.v, unit), r.s].filter(Boolean).join(' · ');
  }
  if (r.s) return tMaybe(`press.${r.s}`) ?? readable(r.s);
  return kindName(r.kind);
}

/** Where a home stands with the day's check-ins. */
export interface CheckInState {
  state: 'none' | 'done' | 'waiting' | 'missed' | 'later';
  /** Under the heading "Incheckning". */
  text: string;
  /** Where nothing else says that it is about a check-in. */
  row: string;
}

const said = (state: CheckInState['state'], text: string, row = text) => ({ state, text, row });

/** What to say of the home's check-ins at the instant `at`. */
export function checkIn(home: Home, at: number): CheckInState {
  if (home.fault) return said('missed', t('checkin.fault'));
  if (home.check_ins.length === 0) return said('none', t('checkin.none'));
  const zone = home.zone;
  const today = dayOf(at, zone);
  const last = home.last_check_in ? Date.parse(home.last_check_in) : NaN;
  const windows = home.check_ins
    .map((w) => ({ from: atMinute(today, w.from, zone), by: atMinute(today, w.by, zone) }))
    .sort((a, b) => a.from - b.from);
  // The window that counts is the latest that has begun.
  const current = windows.filter((w) => w.from <= at).at(-1);
  const next = windows.find((w) => w.from > at);
  // One who says "I am OK" early, since the window before it, has said it.
  const since = windows.filter((w) => current && w.by < current.from).at(-1)?.by;
  if (current) {
    if (last >= (since ?? startOfDay(today, zone))) {
      return said('done', t('checkin.done', { clock: clock(last, zone) }));
    }
    const by = { clock: clock(current.by, zone) };
    return at <= current.by
      ? said('waiting', t('checkin.waiting', by), t('checkin.row_waiting', by))
      : said('missed', t('checkin.missed', by), t('checkin.row_missed', by));
  }
  if (last >= startOfDay(today, zone)) {
    return said('done', t('checkin.done', { clock: clock(last, zone) }));
  }
  if (next) {
    const by = { clock: clock(next.by, zone) };
    return said('later', t('checkin.later', by), t('checkin.row_waiting', by));
  }
  return said('none', t('checkin.none'));
}

/** The day in words beside its date: "i dag", "i går", or "". */
export function dayWord(day: string, today: string): string {
  if (day === today) return t('day.today');
  if (day === addDays(today, -1)) return t('day.yesterday');
  return '';
}
