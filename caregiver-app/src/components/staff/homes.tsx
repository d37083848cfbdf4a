import { Charts } from '../../caregiver/charts';
import { Contacts } from '../../caregiver/contacts';
import { Day } from '../../caregiver/day';
import { Fault } from '../../caregiver/fault';
import { HomeScreen } from '../../caregiver/home';
import { HomesScreen } from '../../caregiver/homes';
import { HomeTools } from '../../caregiver/hometools';
import { Picture } from '../../caregiver/picture';
import { Silencing, SilenceList } from '../../caregiver/silence';
import { homes } from '../../caregiver/state';
import { Testing } from '../../caregiver/testing';
import { layOut } from '../../caregiver/timeline';
import type { Reading, Silence, TestAlarm } from '../../api/types';
import { startOfDay } from '../../shared/time';
import { dayOfReadings } from '../../../e2e/household.mjs';
import { press, write, type Group, type Specimen } from '../specimen';
import type { StateKey } from '../texts';
import { iso, saturday, type World } from '../world';

const zone = 'Europe/Stockholm';

const silence: Silence = {
  ...{ id: 's1', home: 'astrid', home_name: 'Astrid Bergström', device: '', kinds: [] },
  ...{ from: iso(300), to: iso(-3 * 24 * 60), author: 'Björn Falk' },
  reason: 'På sjukhus: höften',
};

const test = (state: string, fields: Partial<TestAlarm> = {}): TestAlarm =>
  ({
    ...{ id: 'p', by: 'Anna Berg', from: iso(2), to: iso(-8), state, passed: null, ended: null },
    ...fields,
  }) as TestAlarm;

/** Each home with a test of its own that stands differently. */
const tests: [StateKey, TestAlarm[]][] = [
  ['awaited', [test('awaited')]],
  ['pressed', [test('pressed', { alert: 'a1' })]],
  ['passed', [test('passed', { alert: 'a2', passed: iso(1), ended: iso(1) })]],
  ['failed', [test('failed', { ended: iso(1), failed: 'no_press' })]],
];

export function putTests(world: World): void {
  for (const [state, list] of tests) {
    const id = `test-${state}`;
    world.homes.set(id, { ...world.homes.get('marta')!, id });
    world.staff.tests.set(id, list as never);
  }
}

const whole = (state: StateKey, id: string, part: Parameters<typeof HomeScreen>[0]['part']) => ({
  state,
  alone: {},
  show: () => <HomeScreen id={id} part={part} />,
});

/** Homes: the list of them, and what a home's page is made of. */
export const homesGroup = (world: () => World): Group => {
  const home = (id: string) => world().homes.get(id)!;
  const day = startOfDay('2026-11-21', zone);
  const picture = (readings: Reading[], silent = false) => (
    <Picture
      timeline={layOut(
        readings,
        { from: day, to: day + 24 * 3_600_000 },
        saturday,
        silent ? [{ from: saturday - 4 * 3_600_000, to: saturday }] : [],
      )}
      zone={zone}
      at={saturday}
      label="Dagen"
    />
  );
  const extra: Reading[] = [
    ['sos', 'bedroom', 300],
    ['fall', 'bathroom', 200],
    ['medication', 'kitchen', 320],
  ].map(([kind, room, ago]) => ({
    ...{ t: iso(Number(ago)), device: 'd', kind: String(kind), room: String(room), v: 1 },
  })) as Reading[];
  return {
    group: 'homes',
    sections: [
      {
        name: 'HomesScreen',
        states: [
          { state: 'default', show: () => <HomesScreen /> },
          {
            state: 'many',
            alone: {
              after: () => {
                const one = homes.value.get('marta')!;
                const all = Array.from({ length: 90 }, (_, i) => ({
                  ...one,
                  ...{ id: `h${i}`, name: `${one.name} ${i + 1}` },
                }));
                homes.value = new Map(all.map((h) => [h.id, h]));
              },
            },
            show: () => <HomesScreen />,
          },
          {
            state: 'empty',
            alone: { after: () => (homes.value = new Map()) },
            show: () => <HomesScreen />,
          },
          {
            state: 'no_match',
            alone: {},
            show: () => <HomesScreen />,
            then: (root) => write(root, 'input[type=search]', 'xyz'),
          },
        ],
      },
      {
        name: 'HomeScreen',
        states: [
          whole('default', 'marta', 'day'),
          whole('silent', 'gunnar', 'day'),
          whole('card', 'marta', 'card'),
          whole('notes', 'marta', 'notes'),
          whole('trends', 'marta', 'trends'),
          whole('messages', 'marta', 'messages'),
          whole('consent', 'marta', 'consent'),
          whole('loading', 'slow', 'day'),
          whole('failed', 'broken', 'day'),
          whole('gone', 'nowhere', 'day'),
          {
            state: 'operator',
            alone: { role: 'operator' },
            show: () => <HomeScreen id="holm" part="day" />,
          },
        ],
      },
      {
        name: 'Fault',
        states: [
          { state: 'default', show: () => <Fault home={{ ...home('holm'), fault: 'LYK-0450' }} /> },
          {
            state: 'coordinator',
            alone: { role: 'coordinator' },
            show: () => <Fault home={{ ...home('holm'), fault: 'LYK-0450' }} />,
          },
        ],
      },
      {
        name: 'Day',
        states: [
          { state: 'default', show: () => <Day home={home('marta')} /> },
          { state: 'silent', show: () => <Day home={home('gunnar')} /> },
          { state: 'empty', show: () => <Day home={home('empty')} /> },
          { state: 'loading', show: () => <Day home={home('slow')} /> },
          { state: 'failed', show: () => <Day home={home('broken')} /> },
        ],
      },
      {
        name: 'Picture',
        states: [
          {
            state: 'default',
            show: () => picture(dayOfReadings({ id: 'marta' }, day, saturday) as Reading[]),
          },
          {
            state: 'many',
            show: () =>
              picture([...(dayOfReadings({ id: 'sven' }, day, saturday) as Reading[]), ...extra]),
          },
          { state: 'silent', show: () => picture([], true) },
        ],
      },
      {
        name: 'Charts',
        states: [
          { state: 'default', show: () => <Charts home={home('marta')} /> },
          { state: 'empty', show: () => <Charts home={home('empty')} /> },
          { state: 'loading', show: () => <Charts home={home('slow')} /> },
          { state: 'failed', show: () => <Charts home={home('broken')} /> },
        ],
      },
      {
        name: 'Testing',
        states: [
          { state: 'protected', show: () => <Testing home={home('marta')} /> },
          { state: 'never_tested', show: () => <Testing home={home('gunnar')} /> },
          { state: 'test_due', show: () => <Testing home={home('holm')} /> },
          ...tests.map(([state]): Specimen => ({
            state,
            show: () => <Testing home={home(`test-${state}`)} />,
          })),
          { state: 'cut', show: () => <Testing home={home('cut')} /> },
          {
            state: 'operator',
            alone: { role: 'operator' },
            show: () => <Testing home={home('marta')} />,
          },
        ],
      },
      {
        name: 'Silencing',
        states: [
          { state: 'default', show: () => <Silencing home={home('astrid')} /> },
          { state: 'empty', show: () => <Silencing home={home('marta')} /> },
          { state: 'cut', alone: { mood: 'cut' }, show: () => <Silencing home={home('marta')} /> },
          {
            state: 'form',
            alone: {},
            show: () => <Silencing home={home('marta')} />,
            then: (root) => press(root, '.tool > button'),
          },
        ],
      },
      {
        name: 'SilenceList',
        states: [
          {
            state: 'default',
            show: () => <SilenceList silences={[silence]} zone={zone} changed={() => {}} />,
          },
          {
            state: 'many',
            show: () => (
              <SilenceList
                silences={[
                  silence,
                  { ...silence, id: 's2', kinds: ['water_leak', 'battery_low'], from: iso(-60) },
                ]}
                zone={zone}
                named
                changed={() => {}}
              />
            ),
          },
        ],
      },
      {
        name: 'HomeTools',
        states: [{ state: 'default', show: () => <HomeTools home={home('astrid')} /> }],
      },
      {
        name: 'Contacts',
        states: [
          { state: 'default', show: () => <Contacts home={home('marta')} /> },
          { state: 'empty', show: () => <Contacts home={home('sven')} /> },
          {
            state: 'failed',
            alone: { mood: 'broken' },
            show: () => <Contacts home={home('sven')} />,
          },
        ],
      },
    ],
  };
};
