// The states of the relatives' app: what it is like, what somebody does then, and what shows that it is there.
import type { Page } from '@playwright/test';
import type { Mock } from './lykta';
import { bertil } from './mock/family.mjs';
import { withPasskeys } from './stage';

const minute = 60_000;
const day = 24 * 60 * minute;
export const maria = { name: 'Maria Lindqvist', role: 'relative', person: 'maria', passkeys: 1 };
const iso = (ms: number) => new Date(ms).toISOString();
const marta = (mock: Mock) => mock.family.homes.get('marta')!;

export interface State {
  name: string;
  /** Below /family/. */
  path?: string;
  /** What it is like before the page opens. */
  given?: (mock: Mock, page: Page) => unknown;
  /** What happens then. Nothing in it depends on the language. */
  act?: (page: Page, mock: Mock) => Promise<unknown>;
  /** What shows that it is there. */
  shows: string;
  signedOut?: boolean;
  /** The name of the machine, where a passkey is made: it is not of a number. */
  named?: boolean;
}

const fields = [
  'check_in',
  'alerts',
  'visits',
  'messages',
  'activity',
  'health',
  'climate',
  'contacts',
] as const;

/** The resident allows these fields, and no more. */
const allow =
  (...allowed: (typeof fields)[number][]) =>
  (mock: Mock) => {
    const may = (field: (typeof fields)[number]) => allowed.includes(field);
    const home = marta(mock);
    Object.assign(home, {
      allowed,
      refused: fields.filter((f) => !may(f)),
      ...(may('check_in') ? {} : { light: 'hidden', checked_in: null, check_in_by: null }),
      ...(may('visits') ? {} : { visits: [] }),
      ...(may('activity') ? {} : { activity: null }),
      ...(may('health') ? {} : { health: [] }),
    });
  };
const lit = (light: string) => (mock: Mock) =>
  Object.assign(marta(mock), { light, checked_in: null });

const held = (mock: Mock, by: string, more = {}) => ({
  state: 'acknowledged',
  stage: 'acknowledged',
  held_by: by,
  held_at: iso(mock.at() - 3 * minute),
  ...more,
});
const way = (mock: Mock, expected: number, more = {}) => ({
  stage: 'on_the_way',
  left_at: iso(mock.at() - 2 * minute),
  expected: iso(mock.at() + expected * minute),
  ...more,
});
/** An alarm of five minutes ago, and what has become of it. */
const alarm =
  (more: (mock: Mock) => object = () => ({}), kind = 'sos') =>
  (mock: Mock) =>
    mock.raise({
      home: 'marta',
      kind,
      observed: iso(mock.at() - 5 * minute),
      raised: iso(mock.at() - 5 * minute),
      ...more(mock),
    });
const over = (mock: Mock) => ({
  ...held(mock, 'Björn Falk'),
  state: 'resolved',
  stage: 'resolved',
  outcome: 'helped',
  resolved_at: iso(mock.at()),
});

/** A browser that stands like that with what is pushed to it. */
const pushing = (is: 'on' | 'off' | 'blocked' | 'none') => (_: Mock, page: Page) =>
  page.addInitScript((is) => {
    if (is === 'none') Reflect.deleteProperty(window, 'PushManager');
    const permission = is === 'blocked' ? 'denied' : 'granted';
    Object.assign(window, {
      Notification: { permission, requestPermission: async () => permission },
    });
    const subscription = { toJSON: () => ({ endpoint: 'https://push/1', keys: {} }) };
    const registration = {
      pushManager: { getSubscription: async () => (is === 'on' ? subscription : null) },
    };
    Object.defineProperty(navigator, 'serviceWorker', {
      value: {
        register: async () => registration,
        getRegistration: async () => registration,
        addEventListener: () => {},
        controller: null,
      },
    });
    localStorage.setItem('lykta.push /family/', 'maria');
  }, is);

const press = (selector: string) => (page: Page) => page.locator(selector).first().click();
const cut = async (page: Page, mock: Mock) => {
  await page.locator('main h1').first().waitFor();
  mock.setNetwork(false);
};
const picture = 'public/icon-192.png';

export const states: State[] = [
  // Before one is in.
  {
    name: 'starting',
    given: (_, page) => page.route('**/me', () => {}),
    shows: '.door-card h1',
  },
  { name: 'door', signedOut: true, shows: '.door-help' },
  {
    name: 'door-no-passkeys',
    signedOut: true,
    given: (_, page) =>
      page.addInitScript(() => Reflect.deleteProperty(window, 'PublicKeyCredential')),
    shows: '.door-note',
  },
  {
    name: 'door-failed',
    signedOut: true,
    given: (_, page) =>
      page.addInitScript(() => {
        const refuse = async () => {
          throw new DOMException('', 'NotAllowedError');
        };
        Object.defineProperty(navigator, 'credentials', { value: { get: refuse, create: refuse } });
      }),
    act: press('.button-main'),
    shows: '.field-error',
  },
  {
    name: 'session-ended',
    path: 'account',
    act: async (page, mock) => {
      await page.locator('.rows li').first().waitFor();
      mock.expire();
    },
    shows: '.door-note',
  },
  { name: 'invitation', path: 'invitation#lykta-maria', signedOut: true, shows: '.button-main' },
  { name: 'invitation-gone', path: 'invitation#old', signedOut: true, shows: '[role=alert]' },
  { name: 'invitation-empty', path: 'invitation', signedOut: true, shows: '[role=alert]' },
  {
    name: 'invitation-offline',
    path: 'invitation#lykta-maria',
    signedOut: true,
    given: (mock) => mock.setNetwork(false),
    shows: '[role=alert]',
  },
  {
    name: 'invitation-save',
    path: 'invitation#lykta-maria',
    signedOut: true,
    named: true,
    act: press('.button-main'),
    shows: '.door-card .button-plain.button-wide',
  },
  {
    name: 'invitation-saved',
    path: 'invitation#lykta-maria',
    signedOut: true,
    named: true,
    given: (_, page) => withPasskeys(page),
    act: async (page) => {
      await page.locator('.button-main').click();
      await page.locator('.button-plain.button-wide').waitFor();
      await page.locator('.button-main').click();
    },
    shows: '.door-card:not(:has(.button-plain.button-wide)) .button-main',
  },
  {
    name: 'invitation-no-passkeys',
    path: 'invitation#lykta-maria',
    signedOut: true,
    given: (_, page) =>
      page.addInitScript(() => Reflect.deleteProperty(window, 'PublicKeyCredential')),
    act: press('.button-main'),
    shows: '.door-card > [role=status]',
  },
  { name: 'staff', given: (mock) => mock.setMe({ role: 'caregiver' }), shows: 'a.button-main' },
  {
    name: 'failed-offline',
    given: (mock) => mock.setNetwork(false),
    shows: '.door-card .button-main',
  },
  {
    name: 'failed',
    given: (mock) => mock.fail(/family/, 500, 'LYK-0001'),
    shows: '.door-card .button-main',
  },

  // The light.
  { name: 'lit', shows: '.hero-lit .calm' },
  {
    name: 'lit-calm',
    given: (mock) => Object.assign(marta(mock), { checked_in: null, check_in_by: null }),
    shows: '.hero-lit',
  },
  { name: 'waiting', given: lit('waiting'), shows: '.hero-waiting' },
  { name: 'out', given: lit('out'), shows: '.hero-out' },
  { name: 'unknown', given: lit('unknown'), shows: '.hero-unknown' },
  { name: 'old', act: cut, shows: '.link-down' },
  {
    name: 'old-alert',
    given: alarm(),
    act: async (page, mock) => {
      await page.locator('.alert').waitFor();
      mock.setNetwork(false);
      await page.locator('.alert .button-main').click();
      await page.locator('.alert .deeds .button').last().click();
    },
    shows: '.alert .unsent >> nth=1',
  },
  { name: 'no-home', given: (mock) => mock.family.homes.clear(), shows: '.panel h1' },
  {
    name: 'several',
    given: (mock) => {
      mock.family.homes.set('sven', bertil(mock.at()) as never);
      alarm()(mock);
    },
    shows: '.row-alert',
  },
  {
    name: 'several-gone',
    path: 'homes/nowhere',
    given: (mock) => mock.family.homes.set('sven', bertil(mock.at()) as never),
    shows: 'main > .panel',
  },
  {
    name: 'several-one',
    path: 'homes/sven',
    given: (mock) => mock.family.homes.set('sven', bertil(mock.at()) as never),
    shows: '.switcher',
  },
  { name: 'missing', path: 'nowhere', shows: '.panel h1' },

  // What is allowed.
  { name: 'nothing-allowed', given: allow(), shows: '.hero-hidden' },
  ...fields.map((field): State => ({
    name: `allowed-${field.replace('_', '-')}`,
    given: allow(field),
    shows: '.hero',
  })),
  {
    name: 'all-allowed',
    given: (mock) => {
      allow(...fields)(mock);
      alarm(over)(mock);
      alarm((m) => ({ ...over(m), outcome: 'false_press', observed: iso(m.at() - 2 * day) }))(mock);
    },
    shows: '.facts',
  },

  // An alarm.
  { name: 'alert-open', given: alarm(), shows: '.alert .button-main' },
  { name: 'alert-fall', given: alarm(() => ({ unheard: true }), 'fall'), shows: '.alert-trouble' },
  {
    name: 'alert-attention',
    given: (mock) => {
      lit('out')(mock);
      alarm(() => ({ severity: 'attention' }), 'check_in_missed')(mock);
    },
    shows: '.alert-attention',
  },
  { name: 'alert-test', given: alarm(() => ({ test: true })), shows: '.alert' },
  {
    name: 'alert-when',
    given: alarm(),
    act: press('.alert .deeds .button:last-child'),
    shows: '.minutes',
  },
  { name: 'alert-chain', given: alarm(), act: press('.chain summary'), shows: '.told li' },
  { name: 'alert-mine', given: alarm(), act: press('.alert .button-main'), shows: '.alert-held' },
  {
    name: 'alert-my-way',
    given: alarm((m) => ({ ...held(m, maria.name), ...way(m, 12), heard: iso(m.at()) })),
    shows: '.alert-known',
  },
  { name: 'alert-taken', given: alarm((m) => held(m, 'Björn Falk')), shows: '.alert-held' },
  {
    name: 'alert-their-way',
    given: alarm((m) => ({ ...held(m, 'Sofia Lindqvist'), ...way(m, 9), heard: iso(m.at()) })),
    shows: '.alert-known',
  },
  {
    name: 'alert-overdue',
    given: alarm((m) => ({ ...held(m, 'Björn Falk'), ...way(m, -1), overdue: true })),
    shows: '.alert .button-main',
  },
  {
    name: 'alert-closed',
    path: 'alert/a100',
    given: alarm((m) => ({ id: 'a100', ...over(m) })),
    shows: '.home-main > .panel',
  },
  {
    name: 'alert-refused',
    given: alarm(),
    act: async (page, mock) => {
      await page.locator('.alert').waitFor();
      mock.fail(/acknowledge/, 403, 'LYK-0505');
      await page.locator('.alert .button-main').click();
    },
    shows: '.notice-bad',
  },

  // Greetings.
  { name: 'messages', path: 'homes/marta/messages', shows: '.message-heard' },
  {
    name: 'messages-states',
    path: 'homes/marta/messages',
    given: (mock) => {
      const [one, two] = mock.family.messages.get('marta')! as [object, object];
      const at = (days: number) => iso(mock.at() + days * day);
      mock.family.messages.set('marta', [
        { ...one, id: 'm5', reached: null },
        one,
        { ...one, id: 'm4', text: 'Hej!', at: at(-3), until: at(-1) },
        two,
      ]);
    },
    shows: '.message >> nth=3',
  },
  {
    name: 'messages-writing',
    path: 'homes/marta/messages',
    act: async (page) => {
      await page.locator('textarea').fill('Vi kommer på lördag. '.repeat(21));
      await page.locator('input[type=file]').setInputFiles(picture);
    },
    shows: '.preview',
  },
  {
    name: 'messages-bad-picture',
    path: 'homes/marta/messages',
    act: (page) =>
      page
        .locator('input[type=file]')
        .setInputFiles({ name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.from('a') }),
    shows: '.field-error',
  },
  {
    name: 'messages-nothing',
    path: 'homes/marta/messages',
    act: press('form .button-main'),
    shows: '.field-error',
  },
  {
    name: 'messages-none',
    path: 'homes/marta/messages',
    given: (mock) => mock.family.messages.clear(),
    shows: '.list-title + .quiet',
  },
  {
    name: 'messages-unsent',
    path: 'homes/marta/messages',
    act: async (page, mock) => {
      await page.locator('.message').first().waitFor();
      mock.setNetwork(false);
      await page.locator('textarea').fill('Kommer snart');
      await page.locator('input[type=file]').setInputFiles(picture);
      await page.locator('.preview').waitFor();
      await page.locator('form .button-main').click();
    },
    shows: '.message-unsent .button',
  },
  {
    name: 'messages-refused',
    path: 'homes/marta/messages',
    given: (mock) => {
      allow('check_in')(mock);
      mock.family.messages.clear();
    },
    shows: 'main > .panel',
  },

  // Visits.
  { name: 'visits', path: 'homes/marta/visits', shows: '.visit-declined' },
  {
    name: 'visits-states',
    path: 'homes/marta/visits',
    given: (mock) =>
      marta(mock).visits.forEach((v: object, i: number) =>
        Object.assign(v, { state: ['done', 'missed', 'cancelled', 'planned'][i] ?? 'requested' }),
      ),
    shows: '.visit-cancelled',
  },
  {
    name: 'visits-asking',
    path: 'homes/marta/visits',
    act: press('main > .button-main'),
    shows: '.asker',
  },
  {
    name: 'visits-past',
    path: 'homes/marta/visits',
    act: async (page) => {
      await page.locator('main > .button-main').click();
      await page.locator('input[type=date]').fill('2026-11-21');
      await page.locator('input[type=time]').fill('08:00');
      await page.locator('.asker .button-main').click();
    },
    shows: '.field-error',
  },
  {
    name: 'visits-unsent',
    path: 'homes/marta/visits',
    act: async (page, mock) => {
      await page.locator('main > .button-main').click();
      mock.setNetwork(false);
      await page.locator('.asker input[type=text]').fill('Fika');
      await page.locator('.asker .button-main').click();
    },
    shows: '.visit .unsent + .button',
  },
  {
    name: 'visits-asked',
    path: 'homes/marta/visits',
    act: async (page) => {
      await page.locator('main > .button-main').click();
      await page.locator('.asker .button-main').click();
    },
    shows: '.notice',
  },
  {
    name: 'visits-none',
    path: 'homes/marta/visits',
    given: (mock) => (marta(mock).visits = []),
    shows: 'main > .panel',
  },
  {
    name: 'visits-refused',
    path: 'homes/marta/visits',
    given: allow('check_in'),
    shows: 'main > .panel',
  },
  {
    name: 'visits-elsewhere',
    path: 'homes/marta/visits',
    given: (mock) => (marta(mock).zone = 'America/New_York'),
    shows: 'h1 + .quiet',
  },

  // One's own.
  { name: 'account', path: 'account', given: pushing('off'), shows: '.rows li' },
  {
    name: 'account-push-on',
    path: 'account',
    given: pushing('on'),
    shows: '.panel .button:not(.button-main)',
  },
  { name: 'account-push-blocked', path: 'account', given: pushing('blocked'), shows: '.rows li' },
  { name: 'account-push-none', path: 'account', given: pushing('none'), shows: '.rows li' },
  {
    name: 'account-no-key',
    path: 'account',
    given: (mock, page) => {
      mock.staff.pushKey = '';
      return pushing('off')(mock, page);
    },
    shows: '.rows li',
  },
  {
    name: 'account-nobody',
    path: 'account',
    given: (mock, page) => {
      mock.setMe({ person: '' });
      return pushing('off')(mock, page);
    },
    shows: '.rows li',
  },
  {
    name: 'account-install',
    path: 'account',
    given: pushing('off'),
    act: async (page) => {
      await page.locator('.rows li').first().waitFor();
      await page.evaluate(() => dispatchEvent(new Event('beforeinstallprompt')));
      await page.locator('.segment input:not(:checked)').check(); // draws anew
      await page.locator('.segment input:not(:checked)').check();
    },
    shows: '.rows li',
  },
  {
    name: 'account-apple',
    path: 'account',
    given: async (mock, page) => {
      await page.addInitScript(() =>
        Object.defineProperty(navigator, 'userAgent', { value: 'Mozilla/5.0 (iPhone)' }),
      );
      return pushing('none')(mock, page);
    },
    shows: '.rows li',
  },
  {
    name: 'account-failed',
    path: 'account',
    given: async (mock, page) => {
      mock.fail(/me\/(passkeys|sessions)/, 500, 'LYK-0001');
      return pushing('off')(mock, page);
    },
    shows: '[role=alert] >> nth=1',
  },
  {
    name: 'account-unsent',
    path: 'homes/marta/messages',
    given: pushing('off'),
    act: async (page, mock) => {
      await page.locator('.message').first().waitFor();
      mock.fail(/messages$/, 503, 'LYK-0600');
      await page.locator('textarea').fill('Kommer snart');
      await page.locator('form .button-main').click();
      await page.locator('a[href$="/account"]').click();
      await page.locator('.rows li').first().waitFor();
    },
    shows: '.panel > .unsent',
  },
];
