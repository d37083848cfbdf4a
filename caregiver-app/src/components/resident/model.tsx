import { useLayoutEffect } from 'preact/hooks';
import { deedOf, type Acts, type Model } from '../../kiosk/model';
import type { Deed, Deeds } from '../../kiosk/deeds';
import { fit } from '../../kiosk/fit';
import type { Help } from '../../kiosk/help';
import { Screen } from '../../kiosk/screen';
import { viewOf } from '../../kiosk/seen';
import type { Day, Letter, Status } from '../../kiosk/status';
import { language } from '../../kiosk/texts';
import { saturday } from '../world';

const minute = 60_000;
const day = 24 * 60 * minute;
/** Microseconds since 1970, so many minutes ago. */
export const micros = (ago: number): number => (saturday - ago * minute) * 1_000;

// Minutes from now to an hour of today in Stockholm; now is 14:12.
const until = (hour: number, days = 0) => -((hour - 14.2) * 60 + (days * day) / minute);

const grants = (
  party: string,
  name: string,
  allowed: string[],
  open: string[],
  fixed: string[],
) => [
  ...open.map((field) => ({ party, name, field, allowed: allowed.includes(field) })),
  ...fixed.map((field) => ({ party, name, field, allowed: party === 'staff', fixed: true })),
];
const fields = ['check_in', 'alerts', 'visits', 'messages', 'activity', 'health', 'climate'];

/** What the home's screen was told of an ordinary day. */
export const ordinary: Day = {
  ...{ name: 'Karin', language: 'sv', ask: 17 * 60 },
  visits: [
    ...[
      { id: 'v0', from: 8, to: 8.5, who: 'Björn', what: 'Frukost och medicin' },
      { id: 'v1', from: 15, to: 15.75, who: 'Anna', what: 'Hjälp med dusch' },
      { id: 'v2', from: 18, to: 18.3, who: '', what: 'Kvällsmat' },
      { id: 'v3', from: 19, to: 19.25, who: 'Maria', what: '', video: true },
    ].map((v) => ({ ...v, from: micros(until(v.from)), to: micros(until(v.to)) })),
    {
      ...{ id: 'v4', from: micros(until(8, 1)), to: micros(until(8.5, 1)) },
      ...{ who: 'Anna', what: 'Frukost och medicin' },
    },
  ],
  prompts: [
    { id: 'm1', text: 'Alvedon, 2 tabletter', at: 8 * 60, medication: true },
    { id: 'r1', text: 'Vattna blommorna', at: 16 * 60 },
  ],
  grants: [
    ...grants('staff', '', ['activity'], ['activity', 'health', 'climate'], ['check_in', 'alerts']),
    ...grants('relatives', '', ['check_in'], fields, ['notes']),
    ...grants('person:maria', 'Maria', ['check_in', 'messages'], fields, ['notes']),
  ],
  looks: [
    { at: micros(60), who: 'Anna', role: 'caregiver', what: 'look at home' },
    { at: micros(120), who: 'Anna', role: 'caregiver', what: 'activity' },
    { at: micros(1_500), who: 'Maria', role: 'relative', what: 'message' },
    { at: micros(1_800), who: 'Eva', role: 'coordinator', what: 'visit' },
    { at: micros(4_500), who: 'Björn', role: 'caregiver', what: 'notes' },
    { at: micros(14_400), who: 'Sven', role: 'operator', what: 'recalibrate-thing' },
  ],
};

export const letter = (fields: Partial<Letter> = {}): Letter => ({
  ...{ id: 'l1', from: 'Maria', family: true, heard: false, at: micros(10) },
  text: 'Hej mamma! Vi kommer på lördag med kakor.',
  ...fields,
});

const nothing = () => {};
const acts: Acts = {
  ...{ go: nothing, back: nothing, checkIn: nothing, take: nothing, notNow: nothing },
  ...{ finish: nothing, answer: nothing, enough: nothing, read: nothing, haveRead: nothing },
  ...{ decide: nothing, set: nothing, darken: nothing, wake: nothing },
};

const help = (hint: Help['hint'], level: number): Help => ({
  hint,
  busy: () => false,
  bind: (button) => button?.style.setProperty('--level', String(level)),
  press: nothing,
  tap: nothing,
});

/** A moment of the page's own time, in milliseconds. */
const moment = 60_000;

export interface Given extends Omit<Partial<Model>, 'status' | 'help' | 'deeds'> {
  /** Of the ordinary day's; null is that the box has not answered yet. */
  status?: Partial<Status> | null;
  /** States of deeds by name. */
  deeds?: Record<string, Deed['state']>;
  hint?: Help['hint'];
  /** How full the help button is, 0–1. */
  level?: number;
  /** For how long the box has been silent, in milliseconds. */
  silent?: number;
}

/** What the screen shows, of what is given. */
function modelOf({ status: given, deeds = {}, hint, level, silent, ...rest }: Given): Model {
  const status: Status | undefined =
    given === null
      ? undefined
      : {
          ...{ online: true, sos: { state: 'none' }, zone: 'Europe/Stockholm', day: ordinary },
          ...{ now: micros(0), messages: [], taken: { m1: micros(360) }, check_in: null },
          ...given,
        };
  const came = moment - (silent ?? 0);
  const deed = (name: string): Deed | undefined =>
    deeds[name] && { name, state: deeds[name], id: 'LYK-0423', since: moment };
  const view = viewOf(
    {
      began: came,
      answer: status && { status, came },
      closed: status?.sos.state === 'resolved' ? moment : undefined,
      offline: status?.online === false ? 0 : undefined,
    },
    moment,
    deed('sos'),
  );
  const largest = location.search.includes('text=200');
  return {
    view,
    status,
    pages: [],
    ask: undefined,
    call: undefined,
    thanks: undefined,
    settings: { language: undefined, text: largest ? 3 : 1, voice: true, night: true },
    language: language(),
    dark: false,
    reading: '',
    voiceless: false,
    ...rest,
    deeds: { of: deed } as unknown as Deeds,
    help: help(hint ?? '', level ?? 0),
  };
}

/** The screen as it is drawn on the box, its text as large as there is room for. */
export function Whole({ given }: { given: Given }) {
  const model = modelOf(given);
  useLayoutEffect(() => {
    document.documentElement.dataset['size'] = String(model.settings.text);
    fit();
  });
  return <Screen model={model} acts={acts} />;
}

export { deedOf };
