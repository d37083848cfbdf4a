import { AccountScreen } from '../../family/account';
import { AlertCard } from '../../family/alert';
import { App } from '../../family/app';
import type { FamilyHome, Light } from '../../family/api';
import { CallOf } from '../../family/call';
import { Callable } from '../../family/callable';
import { Check } from '../../family/callcheck';
import { ChainOf } from '../../family/chain';
import type { FamilyDeed } from '../../family/deeds';
import { Door } from '../../family/door';
import { HealthOf } from '../../family/health';
import { HouseOf } from '../../family/house';
import { HomeScreen } from '../../family/home';
import { Start } from '../../family/start';
import { FamilyIcon } from '../../family/icons';
import { InvitationScreen } from '../../family/invitation';
import { Later } from '../../family/later';
import { HomeLantern } from '../../family/light';
import { MessagesScreen } from '../../family/messages';
import { Panel } from '../../family/panel';
import { route, type Route } from '../../family/route';
import { homes, link, messages, notice, queue, session } from '../../family/state';
import { SideOf } from '../../family/side';
import { VisitsScreen } from '../../family/visits';
import { push, type Push } from '../../shared/push';
import { press, unfold, write, type Group, type Specimen } from '../specimen';
import type { StateKey } from '../texts';
import { alert, heldBy, iso, saturday, type Alert } from '../world';

const maria = 'Maria Lindqvist';

const home = (fields: Partial<FamilyHome> = {}): FamilyHome => ({
  ...homes.value!.find((h) => h.home === 'marta')!,
  alerts: [],
  calm: true,
  ...fields,
});

const card = (state: StateKey, fields: Partial<Alert>, rest: Partial<Specimen> = {}): Specimen => ({
  state,
  show: () => <AlertCard alert={alert(`card-${state}`, fields)} home={home()} wanted={false} />,
  ...rest,
});

const deed = (key: string, fields: Partial<FamilyDeed>): FamilyDeed => ({
  ...{ key, who: 'maria', at: saturday - 60_000, home: 'marta', kind: 'message' },
  ...fields,
});

/** What this relative did and the service does not have. */
export function putWaiting(alone: boolean): void {
  queue.waiting.value = alone
    ? []
    : [
        deed('u1', { kind: 'acknowledge', alert: 'card-unsent' }),
        deed('u2', { kind: 'acknowledge', alert: 'card-sending' }),
      ];
  queue.sending.value = alone ? '' : 'u2';
}

const lights: Light[] = ['lit', 'waiting', 'out', 'unknown', 'hidden'];

const lit = (light: Light): Partial<FamilyHome> => ({
  light,
  checked_in: light === 'lit' ? iso(300) : null,
  check_in_by: light === 'hidden' ? null : iso(light === 'out' ? 192 : -108),
});

const nothingShared: Partial<FamilyHome> = {
  ...lit('hidden'),
  allowed: [],
  refused: ['check_in', 'alerts', 'visits', 'messages', 'activity', 'health'],
  ...{ calm: null, alerts: [], visits: [], activity: null, health: [] },
};

const app = (state: StateKey, after: () => void = () => {}, mood?: 'broken'): Specimen => ({
  state,
  show: () => <App />,
  alone: { height: 640, after, ...(mood ? { mood } : {}) },
});

const at = (to: Route) => () => void (route.value = to);

const only = (fields: Partial<FamilyHome>) => () => void (homes.value = [home(fields)]);

/** The relatives' app. */
export const familyGroups = (): Group[] => [
  {
    group: 'family_frame',
    sections: [
      {
        name: 'App',
        states: [
          app('default', only({})),
          app('loading', () => (session.value = { state: 'starting' })),
          app('signed_out', () => (session.value = { state: 'signed-out', expired: false })),
          app('expired', () => (session.value = { state: 'signed-out', expired: true })),
          app('other_role', () => (session.value = { state: 'other-role' })),
          app('cut', () => (session.value = { state: 'failed', id: '', network: true })),
          app(
            'failed',
            () => (session.value = { state: 'failed', id: 'LYK-0001', network: false }),
          ),
          app('offline', () => (link.value = { up: false, heard: saturday - 6 * 60_000 })),
          app('offline_new', () => (link.value = { up: false, heard: 0 })),
          app('unsent', () => (queue.waiting.value = [deed('u', { text: 'Hej' })])),
          app('done', () => (notice.value = { text: 'Märta får din hälsning', bad: false })),
          app('refused', () => (notice.value = { text: 'Det gick inte (LYK-0505)', bad: true })),
          app('gone', at({ screen: 'missing' })),
          app('two'),
        ],
      },
      {
        name: 'Door',
        states: [
          { state: 'default', show: () => <Door expired={false} /> },
          { state: 'expired', show: () => <Door expired /> },
          {
            state: 'busy',
            alone: { mood: 'slow' },
            show: () => <Door expired={false} />,
            then: async (root) => root.querySelector<HTMLElement>('.button-main')?.click(),
          },
          {
            state: 'cut',
            alone: { mood: 'cut' },
            show: () => <Door expired={false} />,
            then: async (root) => root.querySelector<HTMLElement>('.button-main')?.click(),
          },
        ],
      },
      {
        name: 'InvitationScreen',
        states: [
          { state: 'default', alone: {}, show: () => <InvitationScreen code="lykta-maria" /> },
          { state: 'gone', alone: {}, show: () => <InvitationScreen code="gammal" /> },
          { state: 'empty', alone: {}, show: () => <InvitationScreen code="" /> },
          { state: 'cut', alone: { mood: 'cut' }, show: () => <InvitationScreen code="x" /> },
          { state: 'loading', alone: { mood: 'slow' }, show: () => <InvitationScreen code="x" /> },
        ],
      },
      {
        name: 'Later',
        states: [{ state: 'default', show: () => <Later page="health" home="marta" /> }],
      },
      {
        name: 'FamilyIcon',
        states: [
          {
            state: 'many',
            show: () => (
              <p>
                {['light', 'calendar', 'message', 'person', 'picture', 'video', 'lock', 'check']
                  .concat(['walk', 'heart'])
                  .map((name) => (
                    <span key={name} style={{ display: 'inline-flex', margin: '0 1em 0 0' }}>
                      <FamilyIcon name={name} /> {name}
                    </span>
                  ))}
              </p>
            ),
          },
        ],
      },
    ],
  },
  {
    group: 'family_home',
    sections: [
      {
        name: 'HomeLantern',
        states: [
          ...lights.map((light): Specimen => ({
            state: light as StateKey,
            show: () => <HomeLantern light={light} />,
          })),
          { state: 'small', show: () => <HomeLantern light="lit" small /> },
        ],
      },
      {
        name: 'HomeScreen',
        states: [
          ...lights.map((light): Specimen => ({
            state: light as StateKey,
            show: () => <HomeScreen home={home(lit(light))} alert="" />,
          })),
          {
            state: 'alarm',
            show: () => <HomeScreen home={home({ alerts: [alert('h1')], calm: false })} alert="" />,
          },
          {
            state: 'technical',
            show: () => (
              <HomeScreen
                home={home({
                  alerts: [alert('h2', { kind: 'gateway_silent', severity: 'technical' })],
                  ...{ calm: false, light: 'unknown' },
                })}
                alert=""
              />
            ),
          },
          {
            state: 'resolved',
            show: () => (
              <HomeScreen
                home={home({
                  alerts: [
                    alert('h3', {
                      ...heldBy('Anna Berg'),
                      ...{ state: 'resolved', stage: 'resolved', outcome: 'helped' },
                    }),
                  ],
                })}
                alert="h3"
              />
            ),
          },
          {
            state: 'nothing_shared',
            show: () => <HomeScreen home={home(nothingShared)} alert="" />,
          },
        ],
      },
      {
        name: 'Start',
        states: [
          { state: 'two', show: () => <Start gone={false} /> },
          { state: 'gone', show: () => <Start gone /> },
          {
            state: 'empty',
            alone: { after: () => (homes.value = []) },
            show: () => <Start gone={false} />,
          },
        ],
      },
      {
        name: 'AlertCard',
        states: [
          card('open', {}),
          card('fall', { kind: 'fall' }),
          card('check_in_missed', { kind: 'check_in_missed', severity: 'attention' }),
          card('technical', { kind: 'battery_low', severity: 'technical' }),
          card('test', { test: true }),
          card('unknown', { kind: 'stove_left_on', severity: 'curious' }),
          card('mine', heldBy(maria)),
          card(
            'mine_way',
            heldBy(maria, { stage: 'on_the_way', left_at: iso(5), expected: iso(-7) }),
          ),
          card('others', heldBy('Anna Berg')),
          card('heard', heldBy('Anna Berg', { reached: iso(9), heard: iso(8) })),
          card('unheard', { unheard: true }),
          card('unsent', {}),
          card('sending', {}),
          card(
            'minutes',
            {},
            {
              then: (root) => press(root, '.deeds .button', 1),
            },
          ),
          card('chain', { id: 'a1' }, { then: (root) => unfold(root) }),
        ],
      },
      {
        name: 'ChainOf',
        states: [
          {
            state: 'default',
            show: () => (
              <details open>
                <summary>…</summary>
                <ChainOf alert="a2" home="marta" />
              </details>
            ),
          },
          {
            state: 'failed',
            show: () => (
              <details open>
                <summary>…</summary>
                <ChainOf alert="broken" home="marta" />
              </details>
            ),
          },
        ],
      },
      {
        name: 'HealthOf',
        states: [
          { state: 'default', show: () => <HealthOf home="marta" /> },
          { state: 'empty', show: () => <HealthOf home="sven" /> },
        ],
      },
      {
        name: 'SideOf',
        states: [{ state: 'default', show: () => <SideOf home="marta" /> }],
      },
      {
        name: 'Panel',
        states: [
          {
            state: 'default',
            show: () => (
              <Panel title="family.health.title" icon="heart">
                <p>…</p>
              </Panel>
            ),
          },
        ],
      },
      {
        name: 'Callable',
        states: [{ state: 'default', show: () => <Callable home="marta" /> }],
      },
      { name: 'CallOf', states: [{ state: 'default', show: () => <CallOf home="marta" /> }] },
      {
        name: 'Check',
        states: [
          {
            state: 'default',
            show: () => <Check name="Märta" next="ring" done={() => {}} leave={() => {}} />,
          },
        ],
      },
      {
        name: 'HouseOf',
        states: [{ state: 'default', show: () => <HouseOf home="marta" /> }],
      },
    ],
  },
  {
    group: 'family_pages',
    sections: [
      {
        name: 'MessagesScreen',
        states: [
          { state: 'default', alone: {}, show: () => <MessagesScreen home="marta" /> },
          {
            state: 'unsent',
            alone: {
              after: () => {
                queue.waiting.value = [
                  deed('m1', { text: 'Jag ringer i kväll!' }),
                  deed('m2', { text: 'Kram!' }),
                ];
                queue.sending.value = 'm2';
              },
            },
            show: () => <MessagesScreen home="marta" />,
          },
          {
            state: 'coming',
            alone: {
              world: (w) =>
                void w.family.messages.set('marta', [
                  {
                    ...{ id: 'c', from: maria, person: 'maria', family: true, text: 'Hej!' },
                    ...{ picture: false, at: iso(2), until: iso(-600), reached: null, heard: null },
                  },
                  {
                    ...{
                      id: 'o',
                      from: maria,
                      person: 'maria',
                      family: true,
                      text: 'Förra veckan',
                    },
                    ...{ picture: false, at: iso(9000), until: iso(7000), reached: iso(8999) },
                    heard: null,
                  },
                ]),
            },
            show: () => <MessagesScreen home="marta" />,
          },
          {
            state: 'empty',
            alone: { world: (w) => w.family.messages.clear() },
            show: () => <MessagesScreen home="marta" />,
          },
          {
            state: 'loading',
            alone: { mood: 'slow', after: () => (messages.value = new Map()) },
            show: () => <MessagesScreen home="marta" />,
          },
          { state: 'not_allowed', alone: {}, show: () => <MessagesScreen home="sven" /> },
          {
            state: 'wrong',
            alone: {},
            show: () => <MessagesScreen home="marta" />,
            then: (root) => press(root, '[type=submit]'),
          },
          {
            state: 'long',
            alone: {},
            show: () => <MessagesScreen home="marta" />,
            then: (root) => write(root, 'textarea', 'Hej mamma! '.repeat(40)),
          },
        ],
      },
      {
        name: 'VisitsScreen',
        states: [
          { state: 'default', show: () => <VisitsScreen home="marta" /> },
          { state: 'not_allowed', show: () => <VisitsScreen home="sven" /> },
          {
            state: 'empty',
            alone: { after: only({ visits: [] }) },
            show: () => <VisitsScreen home="marta" />,
          },
          {
            state: 'unsent',
            alone: {
              after: () => {
                const visit = { kind: 'visit' as const, what: 'Fika', video: false };
                const times = { from: saturday + 86_400_000, to: saturday + 90_000_000 };
                queue.waiting.value = [deed('v1', { ...visit, ...times })];
              },
            },
            show: () => <VisitsScreen home="marta" />,
          },
          {
            state: 'form',
            show: () => <VisitsScreen home="marta" />,
            then: (root) => press(root, '.button-main'),
          },
          {
            state: 'wrong',
            show: () => <VisitsScreen home="marta" />,
            then: async (root) => {
              await press(root, '.button-main');
              await write(root, 'input[type=date]', '2020-01-01');
              await press(root, '[type=submit]');
            },
          },
        ],
      },
      {
        name: 'AccountScreen',
        states: [
          {
            state: 'default',
            alone: {
              world: (w) =>
                void w.admin.passkeys.set('p1', {
                  ...{ id: 'p1', name: 'Marias telefon', added: iso(5000), used: iso(90) },
                } as never),
            },
            show: () => <AccountScreen />,
          },
          { state: 'failed', alone: { mood: 'broken' }, show: () => <AccountScreen /> },
          { state: 'loading', alone: { mood: 'slow' }, show: () => <AccountScreen /> },
          ...(
            ['on', 'off', 'working', 'blocked', 'no_browser', 'no_https', 'no_key'] as Push[]
          ).map((is): Specimen => ({
            state: `push_${is}` as StateKey,
            alone: {},
            show: () => <AccountScreen />,
            then: async () => {
              await new Promise((later) => setTimeout(later, 40));
              push.value = is;
            },
          })),
        ],
      },
    ],
  },
];
