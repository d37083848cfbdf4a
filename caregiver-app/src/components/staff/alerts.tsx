import type { ComponentChild } from 'preact';
import { AlertCard } from '../../caregiver/alertcard';
import { AlertScreen } from '../../caregiver/alertpage';
import { ChainOf, Lines } from '../../caregiver/chain';
import { Deeds } from '../../caregiver/deeds';
import { NowScreen } from '../../caregiver/now';
import type { Action } from '../../caregiver/queue';
import { queue } from '../../caregiver/state';
import { chainOf } from '../../../e2e/team.mjs';
import type { Chain } from '../../api/types';
import { press, unfold, type Group, type Specimen } from '../specimen';
import type { StateKey } from '../texts';
import { alert, heldBy, iso, longName, saturday, type Alert, type World } from '../world';

const me = 'Anna Berg';
const other = 'Björn Falk';

/** What this person did and the service does not have; the alert's id says which. */
const acts: Partial<Record<string, Action['kind']>> = {
  'card-unsent': 'acknowledge',
  'card-sending': 'acknowledge',
  'card-way_unsent': 'on_the_way',
  'card-close_unsent': 'resolve',
};

/** Puts into the queue what the cards show as not sent. */
export function putWaiting(alone: boolean): void {
  queue.sending.value = '';
  queue.waiting.value = [];
  if (alone) return;
  queue.waiting.value = Object.entries(acts).map(([id, kind]) => ({
    ...{ key: `key-${id}`, who: me, at: saturday, alert: id, kind: kind! },
    ...(kind === 'resolve' ? { outcome: 'helped' as const } : {}),
  }));
  queue.sending.value = 'key-card-sending';
}

const card = (state: StateKey, fields: Partial<Alert>, rest: Partial<Specimen> = {}): Specimen => ({
  state,
  show: () => <AlertCard alert={alert(`card-${state}`, fields)} />,
  ...rest,
});

const kinds: [StateKey, Partial<Alert>][] = [
  ['open', {}],
  ['fall', { kind: 'fall', room: 'bathroom', device: 'fall-1' }],
  ['smoke', { kind: 'smoke', room: 'kitchen' }],
  ['carbon_monoxide', { kind: 'carbon_monoxide', room: 'kitchen' }],
  ['water_leak', { kind: 'water_leak', severity: 'attention', room: 'bathroom' }],
  ['check_in_missed', { kind: 'check_in_missed', severity: 'attention', room: '', device: 'w' }],
  ['gateway_silent', { kind: 'gateway_silent', severity: 'attention', room: '', device: '' }],
  ['sensor_silent', { kind: 'sensor_silent', severity: 'technical', device: 'badrum-rorelse' }],
  ['battery_low', { kind: 'battery_low', severity: 'technical', device: 'hall-dorr' }],
  ['test_missed', { kind: 'test_missed', severity: 'technical', device: '' }],
  ['visit_missed', { kind: 'visit_missed', severity: 'attention', room: '', device: 'v1' }],
  ['call_back', { kind: 'call_back', severity: 'attention', room: '', device: '' }],
  ['test', { test: true }],
  ['unknown', { kind: 'stove_left_on', severity: 'curious', room: 'kok' }],
];

const stands: [StateKey, Partial<Alert>][] = [
  ['mine', heldBy(me)],
  ['mine_way', heldBy(me, { stage: 'on_the_way', left_at: iso(5), expected: iso(-7) })],
  ['others', heldBy(other)],
  ['others_way', heldBy(other, { stage: 'on_the_way', left_at: iso(5), expected: iso(-7) })],
  ['late_way', heldBy(other, { stage: 'on_the_way', left_at: iso(35), expected: iso(15) })],
  ['overdue', heldBy(other, { overdue: true })],
  ['mine_overdue', heldBy(me, { overdue: true })],
  ['unheard', { unheard: true, observed: iso(14), raised: iso(14) }],
  ['reached', heldBy(other, { reached: iso(9) })],
  ['heard', heldBy(other, { reached: iso(9), heard: iso(8) })],
  ['late', { observed: iso(48), raised: iso(4) }],
  ['recovered', { kind: 'gateway_silent', severity: 'attention', room: '', recovered: iso(2) }],
  [
    'resolved',
    {
      ...heldBy(me),
      ...{ state: 'resolved', stage: 'resolved', outcome: 'helped', resolved_by: me },
      ...{ resolved_at: iso(1), note: 'Hade tappat glasögonen under sängen.' },
    },
  ],
];

const chained = (world: World, fields: Partial<Alert>): Chain =>
  chainOf(world.staff as never, alert('chained', fields) as never, saturday) as unknown as Chain;

/** Alerts: their cards, what is done to them, who was told. */
export const alertsGroup = (world: () => World): Group => {
  const whole = (state: StateKey, show: () => ComponentChild, alone: Specimen['alone'] = {}) => ({
    state,
    show,
    alone,
  });
  return {
    group: 'alerts',
    sections: [
      {
        name: 'AlertCard',
        states: [
          ...[...kinds, ...stands].map(([state, fields]) => card(state, fields)),
          card('long', { home_name: longName, home: 'long' }),
          card('nth', { id: 'nth-1' }),
          card('unsent', {}),
          card('sending', {}),
          card('way_unsent', heldBy(me)),
          card('close_unsent', heldBy(me)),
          {
            state: 'chain',
            show: () => <AlertCard alert={{ ...world().alerts.get('a1')! }} />,
            then: (root) => unfold(root),
          },
          {
            state: 'at_home',
            show: () => <AlertCard alert={alert('card-home')} atHome />,
          },
          { state: 'page', show: () => <AlertCard alert={alert('card-page')} page /> },
          whole('operator', () => <AlertCard alert={alert('card-operator')} />, {
            role: 'operator',
          }),
        ],
      },
      {
        name: 'Deeds',
        states: [
          {
            state: 'default',
            show: () => deeds(alert('deeds-open')),
          },
          {
            state: 'mine',
            show: () => deeds(alert('deeds-mine', heldBy(me))),
          },
          {
            state: 'way_form',
            alone: {},
            show: () => deeds(alert('deeds-way', heldBy(me))),
            then: (root) => press(root, '[data-deed=way]'),
          },
          {
            state: 'close_form',
            alone: {},
            show: () => deeds(alert('deeds-close', heldBy(me))),
            then: (root) => press(root, 'button', 1),
          },
          {
            state: 'wrong',
            alone: {},
            show: () => deeds(alert('deeds-wrong', heldBy(me))),
            then: async (root) => {
              await press(root, 'button', 1);
              await press(root, '[type=submit]');
            },
          },
        ],
      },
      {
        name: 'Lines',
        states: [
          { state: 'default', show: () => <Lines chain={chained(world(), {})} /> },
          {
            state: 'others',
            show: () => <Lines chain={chained(world(), heldBy(other))} />,
          },
          {
            state: 'nobody',
            show: () => (
              <Lines chain={chained(world(), { unheard: true, untold: true } as object)} />
            ),
          },
          { state: 'test', show: () => <Lines chain={chained(world(), { test: true })} /> },
        ],
      },
      {
        name: 'ChainOf',
        states: [
          { state: 'default', show: () => <ChainOf alert="a2" /> },
          { state: 'loading', show: () => <ChainOf alert="slow" /> },
          { state: 'failed', show: () => <ChainOf alert="broken" /> },
        ],
      },
      {
        name: 'AlertScreen',
        states: [
          { state: 'default', show: () => <AlertScreen id="a2" /> },
          { state: 'loading', show: () => <AlertScreen id="slow" /> },
          { state: 'failed', show: () => <AlertScreen id="broken" /> },
          { state: 'gone', show: () => <AlertScreen id="nowhere" /> },
        ],
      },
      {
        name: 'NowScreen',
        states: [
          { state: 'default', show: () => <NowScreen /> },
          whole('calm', () => <NowScreen />, { world: (w) => w.alerts.clear() }),
          whole('many', () => <NowScreen />, {
            world: (w) => {
              for (let i = 0; i < 24; i++) {
                const fields = { severity: 'attention', kind: 'check_in_missed', room: '' };
                w.alerts.set(`n${i}`, alert(`n${i}`, { ...fields, observed: iso(60 + i) }));
              }
              for (let i = 0; i < 3; i++) {
                w.alerts.set(`s${i}`, alert(`s${i}`, { home: 'sven', home_name: 'Sven Åkesson' }));
              }
            },
          }),
        ],
      },
    ],
  };
};

const deeds = (of: Alert) => <Deeds alert={of} which={of.home_name} waiting={[]} closing={false} />;
