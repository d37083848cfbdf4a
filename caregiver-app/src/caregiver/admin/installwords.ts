import type { Device, HomeDetail } from '../../api/types';
import { t, tMaybe } from '../../shared/i18n';
import { roomKey } from '../../shared/words';
import { itsKinds } from '../plan/devicewords';
import type { Rooms } from './api';

/** What a home lacks until it is protected; the next step is the first that is not done. */
export interface Progress {
  box: boolean;
  devices: boolean;
  test: boolean;
}

export const steps = ['box', 'devices', 'test'] as const;
export type Step = (typeof steps)[number];

/** How far a home has come, from what is true of it and not from what was clicked. */
export function progressOf(home: HomeDetail, placed: Rooms): Progress {
  return {
    box: !!home.last_heard,
    devices: !lacks(home.devices, placed),
    test: home.protection === 'protected',
  };
}

/** The step that is next; undefined when the home is protected. */
export function nextOf(progress: Progress): Step | undefined {
  // What was proven by a press needs no more steps, however the sensors were placed.
  return progress.test ? undefined : steps.find((step) => !progress[step]);
}

/** The box's own: the resident's screen, on which one can call, too, but which is no device to place. */
const screen = 'kiosk';

/** The devices that are put somewhere in the home. */
export const toPlace = (devices: readonly Device[]): Device[] =>
  devices.filter((d) => d.device !== screen);

/** What is still to be said of the devices; undefined when nothing is. */
export function lacks(
  devices: readonly Device[],
  placed: Rooms,
): { button: boolean; rooms: number } | undefined {
  const placeable = toPlace(devices);
  const rooms = placeable.filter((d) => !roomOf(d, placed)).length;
  const button = !placeable.some((d) => callsForHelp(d, placed));
  return rooms > 0 || button ? { button, rooms } : undefined;
}

/** Where the device is; "" when nobody has said. */
export const roomOf = (d: Device, placed: Rooms): string => placed.rooms[d.device] ?? d.room ?? '';

const pressed = ['button', 'sos', 'check_in'];

/** Whether the device is one that is pressed: a sensor tells what it measures, a button nothing until it is pressed. */
export const isButton = (d: Device): boolean =>
  d.kinds.some((k) => pressed.includes(k)) || itsKinds(d.kinds).length === 0;

/** What a press of the device means: "sos", "check_in", or "" when nobody has said. */
export function pressOf(d: Device, placed: Rooms): string {
  const said = placed.actions[d.device]?.['*'];
  if (said) return said;
  return d.kinds.includes('sos') ? 'sos' : d.kinds.includes('check_in') ? 'check_in' : '';
}

const callsForHelp = (d: Device, placed: Rooms): boolean =>
  isButton(d) && pressOf(d, placed) === 'sos';

// The first of these that a device tells of says what it is.
const telling = [
  'smoke',
  'carbon_monoxide',
  'water_leak',
  'fall',
  'pressure',
  'contact',
  'motion',
  'power',
  'temperature',
];

/** What the device is, in a word: "Knapp". */
export function whatIs(d: Device): string {
  if (isButton(d)) return t('install.kind.button');
  const kind = telling.find((k) => d.kinds.includes(k)) ?? 'other';
  return tMaybe(`install.kind.${kind}`) ?? t('install.kind.other');
}

/** The rooms that are offered: the usual ones, and those of the home that are called otherwise. */
export function roomsToPick(devices: readonly Device[], placed: Rooms): string[] {
  const usual = ['hall', 'kitchen', 'living_room', 'bedroom', 'bathroom', 'toilet'];
  const own = devices.map((d) => roomOf(d, placed)).filter(Boolean);
  const rest = ['dining_room', 'study', 'balcony', 'laundry', 'stairs'];
  return [
    ...new Set([
      ...usual,
      ...own.map((r) => (tMaybe(`room.${roomKey(r)}`) ? roomKey(r) : r)),
      ...rest,
    ]),
  ];
}

/** A box's id as it is read from a label: without what stands around it; "" when it cannot be one. */
export function boxOf(label: string): string {
  const word =
    label
      .trim()
      .split(/[\s/=:#?]+/)
      .at(-1) ?? '';
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(word) ? word : '';
}

/** Minutes and seconds until an instant: "1:58". */
export function countdown(until: number, at: number): string {
  const s = Math.max(0, Math.ceil((until - at) / 1000));
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, '0')}`;
}
