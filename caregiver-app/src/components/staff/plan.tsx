import type { ComponentChild } from 'preact';
import type * as admin from '../../caregiver/admin/api';
import { DevicesScreen } from '../../caregiver/plan/devices';
import { Dialog } from '../../caregiver/plan/dialog';
import { Answer, AreaPicker, Frame } from '../../caregiver/plan/frame';
import { Meanwhile } from '../../caregiver/plan/meanwhile';
import { LoadScreen } from '../../caregiver/plan/load';
import { PeopleScreen } from '../../caregiver/plan/people';
import { MemberForm, PersonForm } from '../../caregiver/plan/person';
import { PoliciesScreen } from '../../caregiver/plan/policies';
import { RotaScreen } from '../../caregiver/plan/rota';
import { HandOver, ShiftForm } from '../../caregiver/plan/shift';
import { SilencesScreen } from '../../caregiver/plan/silences';
import { Columns, Line } from '../../caregiver/plan/statcharts';
import { StatisticsScreen } from '../../caregiver/plan/statistics';
import { CopyWeek, Decline, VisitForm } from '../../caregiver/plan/visit';
import { VisitsScreen } from '../../caregiver/plan/visits';
import { WeekPicker } from '../../caregiver/plan/weekpicker';
import type { Asked } from '../../caregiver/asking';
import { route, type Planning } from '../../shared/router';
import type { Person, Shift } from '../../api/types';
import { press, type Group, type Specimen } from '../specimen';
import { iso } from '../world';

const zone = 'Europe/Stockholm';
const nothing = () => {};

/** A whole page of planning, as the service answers in each mood. */
const page = (
  name: Planning,
  show: () => ComponentChild,
  more: Specimen[] = [],
): { name: string; states: Specimen[] } => ({
  name: `${name.charAt(0).toUpperCase()}${name.slice(1)}Screen`,
  states: [
    ...(['well', 'empty', 'slow', 'broken'] as const).map((mood): Specimen => ({
      state: ({ well: 'default', empty: 'empty', slow: 'loading', broken: 'failed' } as const)[
        mood
      ],
      alone: mood === 'well' ? { after: () => (route.value = { screen: name }) } : { mood },
      show,
    })),
    ...more,
  ],
});

const caregiver = (name: Planning, show: () => ComponentChild): Specimen => ({
  state: 'caregiver',
  alone: { role: 'caregiver', after: () => (route.value = { screen: name }) },
  show,
});

const person: Person = {
  ...{ id: 'bjorn', name: 'Björn Falk', language: 'sv', away: false, channels: ['sms', 'voice'] },
  addresses: [
    { channel: 'sms', to: '+46701740602' },
    { channel: 'voice', to: '+46701740602' },
  ],
  groups: [],
  ...{ role: 'caregiver', areas: ['Norr'], passkeys: 1, invited: null },
} as Person;
const people = [person, { ...person, id: 'anna', name: 'Anna Berg' }];

const shift: Shift = {
  ...{ id: 's', area: 'Norr', person: 'bjorn', override: false },
  ...{ from: iso(60), to: iso(-420) },
} as Shift;

const visit = (fields: Partial<admin.Visit> = {}): admin.Visit => ({
  ...{ id: 'v', home: 'marta', home_name: 'Märta Lindqvist', from: iso(-1500), to: iso(-1545) },
  ...{ person: 'anna', who: 'Anna Berg', what: 'Promenad', video: false, state: 'planned' },
  ...{ asked: '', asked_by: '', note: '', changed: null, by: '', rev: 1 },
  ...fields,
});
const wish = visit({ state: 'requested', asked: 'lena', asked_by: 'Lena Lindqvist' });

// Somebody else came between.
const meanwhile = (theirs: Partial<admin.Visit>) => ({
  mine: { ...visit(), what: 'Fika' },
  known: visit(),
  theirs: visit({ ...theirs, by: 'Björn Falk' }),
  put: () => Promise.resolve(),
  ...{ zone, changed: nothing },
});

const asked = (fields: Partial<Asked<string>>): Asked<string> => ({
  ...{ value: undefined, failed: '', status: 0, again: nothing },
  ...fields,
});

const dialog = (save: () => Promise<unknown>, check = '') => (
  <Dialog title="Namn" onSave={save} onClose={nothing} check={() => check}>
    <label class="field">
      <span>Namn</span>
      <input type="text" />
    </label>
  </Dialog>
);

const days = Array.from({ length: 14 }, (_, i) => ({
  name: `${i + 8}/11`,
  values: [(i * 7) % 4, (i * 5) % 3, i % 4 === 0 ? 1 : 0],
}));

const forms = { zone, people, close: nothing, changed: nothing };

/** What coordinators plan by. */
export const planGroup = (): Group => ({
  group: 'plan',
  sections: [
    page('rota', () => <RotaScreen />, [caregiver('rota', () => <RotaScreen />)]),
    page('visits', () => <VisitsScreen />),
    page('people', () => <PeopleScreen />, [caregiver('people', () => <PeopleScreen />)]),
    page('policies', () => <PoliciesScreen />, [
      {
        state: 'form',
        alone: { after: () => (route.value = { screen: 'policies' }) },
        show: () => <PoliciesScreen />,
        then: (root) => press(root, '.policy button, .policies button'),
      },
    ]),
    page('silences', () => <SilencesScreen />),
    page('devices', () => <DevicesScreen />),
    page('statistics', () => <StatisticsScreen />),
    page('load', () => <LoadScreen />),
    {
      name: 'Frame',
      states: [
        {
          state: 'default',
          alone: { after: () => (route.value = { screen: 'rota' }) },
          show: () => <Frame page="rota">…</Frame>,
        },
        {
          state: 'not_allowed',
          alone: { role: 'caregiver', after: () => (route.value = { screen: 'load' }) },
          show: () => <Frame page="load">…</Frame>,
        },
      ],
    },
    {
      name: 'Answer',
      states: [
        {
          state: 'default',
          show: () => <Answer asked={asked({ value: 'Svar' })}>{(v) => <p>{v}</p>}</Answer>,
        },
        { state: 'loading', show: () => <Answer asked={asked({})}>{() => ''}</Answer> },
        {
          state: 'failed',
          show: () => <Answer asked={asked({ failed: 'LYK-0001' })}>{() => ''}</Answer>,
        },
      ],
    },
    {
      name: 'AreaPicker',
      states: [
        {
          state: 'default',
          show: () => (
            <AreaPicker areas={['Norr', 'Söder']} area="Norr" name={(a) => a} choose={nothing} />
          ),
        },
      ],
    },
    {
      name: 'WeekPicker',
      states: [
        {
          state: 'default',
          show: () => <WeekPicker monday="2026-11-16" zone={zone} choose={nothing} />,
        },
        {
          state: 'other_week',
          show: () => <WeekPicker monday="2026-11-30" zone={zone} choose={nothing} />,
        },
      ],
    },
    {
      name: 'Dialog',
      states: [
        { state: 'default', show: () => dialog(async () => {}) },
        {
          state: 'wrong',
          show: () => dialog(async () => {}, 'Skriv ett namn'),
          then: (root) => press(root, '[type=submit]'),
        },
        {
          state: 'busy',
          show: () => dialog(() => new Promise(() => {})),
          then: (root) => press(root, '[type=submit]'),
        },
        {
          state: 'cut',
          show: () => dialog(() => Promise.reject(new Error('no network'))),
          then: (root) => press(root, '[type=submit]'),
        },
      ],
    },
    {
      name: 'PersonForm',
      states: [
        {
          state: 'new',
          show: () => <PersonForm people={people} close={nothing} changed={nothing} />,
        },
        {
          state: 'default',
          show: () => (
            <PersonForm people={people} person={person} close={nothing} changed={nothing} />
          ),
        },
        {
          state: 'wrong',
          show: () => <PersonForm people={people} close={nothing} changed={nothing} />,
          then: (root) => press(root, '[type=submit]'),
        },
      ],
    },
    {
      name: 'MemberForm',
      states: [
        {
          state: 'default',
          show: () => <MemberForm person={person} close={nothing} changed={nothing} />,
        },
      ],
    },
    {
      name: 'ShiftForm',
      states: [
        {
          state: 'new',
          show: () => <ShiftForm {...forms} area="Norr" handOver={nothing} />,
        },
        {
          state: 'default',
          show: () => <ShiftForm {...forms} area="Norr" shift={shift} handOver={nothing} />,
        },
        {
          state: 'wrong',
          show: () => <ShiftForm {...forms} area="Norr" handOver={nothing} />,
          then: (root) => press(root, '[type=submit]'),
        },
      ],
    },
    {
      name: 'HandOver',
      states: [
        { state: 'default', show: () => <HandOver {...forms} shift={shift} /> },
        {
          state: 'over',
          show: () => <HandOver {...forms} shift={{ ...shift, from: iso(600), to: iso(60) }} />,
        },
      ],
    },
    {
      name: 'VisitForm',
      states: [
        {
          state: 'new',
          show: () => (
            <VisitForm
              {...forms}
              draft={{ day: '2026-11-23' }}
              area="Norr"
              staff={people}
              visits={[]}
            />
          ),
        },
        {
          state: 'default',
          show: () => (
            <VisitForm
              {...forms}
              draft={{ visit: visit() }}
              area="Norr"
              staff={people}
              visits={[]}
            />
          ),
        },
        {
          state: 'requested',
          show: () => (
            <VisitForm {...forms} draft={{ visit: wish }} area="Norr" staff={people} visits={[]} />
          ),
        },
        {
          state: 'wrong',
          show: () => <VisitForm {...forms} draft={{}} area="Norr" staff={people} visits={[]} />,
          then: (root) => press(root, '[type=submit]'),
        },
      ],
    },
    {
      name: 'Decline',
      states: [
        {
          state: 'default',
          show: () => <Decline visit={wish} close={nothing} changed={nothing} />,
        },
      ],
    },
    {
      name: 'Meanwhile',
      states: [
        {
          state: 'default',
          show: () => <Meanwhile {...meanwhile({ from: iso(-1560), to: iso(-1605) })} />,
        },
        {
          state: 'over',
          show: () => <Meanwhile {...meanwhile({ state: 'done', note: 'Allt väl' })} />,
        },
      ],
    },
    {
      name: 'CopyWeek',
      states: [
        {
          state: 'default',
          show: () => <CopyWeek {...forms} monday="2026-11-23" area="Norr" present={[]} />,
        },
        {
          state: 'empty',
          show: () => <CopyWeek {...forms} monday="2027-01-04" area="Norr" present={[]} />,
        },
      ],
    },
    {
      name: 'Columns',
      states: [
        { state: 'default', show: () => <Columns rows={days} /> },
        {
          state: 'empty',
          show: () => <Columns rows={days.map((d) => ({ ...d, values: [0, 0, 0] }))} />,
        },
      ],
    },
    {
      name: 'Line',
      states: [
        {
          state: 'default',
          show: () => (
            <Line
              rows={days.map((d, i) => ({ ...d, values: [i % 5 === 3 ? null : 40 + i * 9] }))}
              value={(n) => `${n} s`}
            />
          ),
        },
      ],
    },
  ],
});
