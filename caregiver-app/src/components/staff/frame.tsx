import { App } from '../../caregiver/app';
import * as keys from '../../caregiver/keys';
import { KeyHelp } from '../../caregiver/care/keyhelp';
import { Later } from '../../caregiver/later';
import { PushHint, PushSwitch } from '../../caregiver/push';
import { LanguageChoice, SoundChoice } from '../../caregiver/settings';
import { SignInScreen } from '../../caregiver/signin';
import * as sound from '../../caregiver/sound';
import { announcement, link, loaded, notice, queue, session } from '../../caregiver/state';
import { push, pushFailure, type Push } from '../../shared/push';
import { route, type Route } from '../../shared/router';
import { press, unfold, write, type Group, type Specimen } from '../specimen';
import type { StateKey } from '../texts';
import { saturday } from '../world';

const app = (
  state: StateKey,
  change: () => void = () => {},
  then?: Specimen['then'],
  alone: Specimen['alone'] = {},
): Specimen => ({
  state,
  show: () => <App />,
  alone: { height: 620, ...alone, after: change },
  ...(then ? { then } : {}),
});

const at = (to: Route) => () => void (route.value = to);

const pushes: Push[] = [
  ...(['on', 'off', 'working', 'blocked', 'no_browser', 'no_https', 'no_key', 'nobody'] as const),
];

// What the browser answers when it is looked at comes first.
const pushed = (is: Push) => async () => {
  await new Promise((later) => setTimeout(later, 120));
  pushFailure.value = undefined;
  push.value = is;
};

/** The frame of the app, the ways in, and what is said of the device. */
export const frameGroup = (): Group => ({
  group: 'frame',
  sections: [
    {
      name: 'App',
      states: [
        app('default'),
        app('loading', () => (session.value = { state: 'starting' })),
        app('first_answer', () => (loaded.value = false)),
        app('signed_out', () => (session.value = { state: 'signed-out', expired: false })),
        app('cut', () => (session.value = { state: 'failed', id: '', network: true })),
        app('failed', () => (session.value = { state: 'failed', id: 'LYK-0001', network: false })),
        app('offline', () => (link.value = { up: false, heard: saturday - 6 * 60_000 })),
        app('offline_new', () => (link.value = { up: false, heard: 0 })),
        app('unsent', () => {
          queue.sending.value = '';
          queue.waiting.value = [
            { key: 'k', who: 'Anna Berg', at: saturday, alert: 'a1', kind: 'acknowledge' },
          ];
        }),
        app('sound_blocked', () => {
          sound.wanted.value = true;
          sound.blocked.value = true;
        }),
        app('done', () => {
          notice.value = { text: 'Du har tagit larmet hos Märta Lindqvist', bad: false };
        }),
        app('refused', () => {
          notice.value = {
            text: 'Tjänsten sa nej: larmet är redan avslutat (LYK-0501)',
            bad: true,
          };
          announcement.value = '';
        }),
        app('siren', at({ screen: 'shift' })),
        app('menu', undefined, (root) => unfold(root, '.menu')),
        app('gone', at({ screen: 'missing' })),
      ],
    },
    {
      name: 'SignInScreen',
      states: [
        {
          state: 'default',
          alone: {},
          show: () => <SignInScreen code="" expired={false} />,
        },
        { state: 'expired', alone: {}, show: () => <SignInScreen code="" expired /> },
        {
          state: 'wrong',
          alone: { mood: 'refusing' },
          show: () => <SignInScreen code="" expired={false} />,
          then: async (root) => {
            for (const d of root.querySelectorAll('details')) d.open = true;
            await write(root, 'input', 'fel-kod');
            await press(root, '[type=submit]');
          },
        },
        {
          state: 'busy',
          alone: { mood: 'slow' },
          show: () => <SignInScreen code="" expired={false} />,
          then: async (root) => {
            for (const d of root.querySelectorAll('details')) d.open = true;
            await write(root, 'input', 'en-kod');
            await press(root, '[type=submit]');
          },
        },
      ],
    },
    {
      name: 'LanguageChoice',
      states: [{ state: 'default', show: () => <LanguageChoice /> }],
    },
    {
      name: 'SoundChoice',
      states: [{ state: 'default', show: () => <SoundChoice /> }],
    },
    {
      name: 'PushSwitch',
      states: [
        ...pushes.map((is): Specimen => ({
          state: `push_${is}` as StateKey,
          alone: {},
          show: () => <PushSwitch />,
          then: pushed(is),
        })),
        {
          state: 'failed',
          alone: {},
          show: () => <PushSwitch />,
          then: async () => {
            await pushed('off')();
            pushFailure.value = new Error('no network');
          },
        },
      ],
    },
    {
      name: 'PushHint',
      states: [
        { state: 'default', alone: {}, show: () => <PushHint />, then: pushed('off') },
        { state: 'busy', alone: {}, show: () => <PushHint />, then: pushed('working') },
      ],
    },
    {
      name: 'KeyHelp',
      states: [
        {
          state: 'default',
          show: () => <KeyHelp done={() => (keys.helpShown.value = false)} />,
        },
      ],
    },
    {
      name: 'Later',
      states: [{ state: 'default', show: () => <Later page="chain" alert="a1" /> }],
    },
  ],
});
