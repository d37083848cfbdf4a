import { readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import type { Mock } from './lykta';
import { ago, click, marta, type Say, type Screen } from './screen';
import { callScreens } from './screens.calls';

// Every screen of the caregiver's app, once: what looks at all of them (pictures,
// axe, the keyboard, narrow and zoomed windows) goes through this one list.

export type Language = 'sv' | 'en';

/** A home under installation, as far as its devices; returns its id. */
async function installed(page: Page, say: Say, mock: Mock, devices: boolean): Promise<string> {
  await page.getByLabel(say('install.name')).fill('Elsa Nyström');
  await page.getByLabel(say('install.box')).fill('lykta-7f3a');
  await click(page, say('install.create'));
  await page.locator('.install-step').first().waitFor();
  const id = 'elsa-nystrom';
  if (!devices) return id;
  const seen = new Date(mock.at()).toISOString();
  mock.homeSays(id, { online: true, last_heard: seen });
  await click(page, say('install.pair'));
  const device = (name: string, kind: string) => ({
    device: name,
    room: '',
    kinds: [kind, 'battery'],
    last_seen: seen,
    silent: false,
    battery: 100,
  });
  const found = [device('0x00158d0004470a44', 'motion'), device('0x00158d0004470b17', 'button')];
  mock.homeSays(id, { devices: found });
  await page.getByRole('radio', { name: say('install.press.sos') }).waitFor();
  return id;
}

export const screens: readonly Screen[] = [
  { name: 'now', path: '/', shows: '[data-alert=a1]' },
  {
    name: 'now-calm',
    path: '/',
    shows: '.calm',
    world: (mock) => mock.state.alerts.clear(),
  },
  {
    name: 'now-chain',
    path: '/',
    shows: '[data-alert=a1] .chain',
    world(mock) {
      mock.raise({
        home: 'astrid',
        kind: 'sos',
        state: 'acknowledged',
        stage: 'on_the_way',
        observed: ago(mock, 44),
        raised: ago(mock, 44),
        acknowledged_by: 'Björn Falk',
        acknowledged_at: ago(mock, 43),
        held_by: 'Björn Falk',
        held_at: ago(mock, 43),
        left_at: ago(mock, 40),
        expected: ago(mock, 31),
        overdue: true,
      });
      mock.raise({ home: 'gunnar', kind: 'sos', test: true, tester: 'anna' });
    },
    act: async (page, say) => page.locator('[data-alert=a1]').getByText(say('alert.chain')).click(),
  },
  {
    name: 'now-way',
    path: '/',
    shows: '.way-form',
    async act(page, say) {
      const a1 = page.locator('[data-alert=a1]');
      await a1.getByRole('button', { name: say('alert.take') }).click();
      await a1.getByRole('button', { name: say('alert.way_start') }).click();
    },
  },
  {
    name: 'now-close',
    path: '/',
    shows: '[data-alert=a2] form',
    act: (page, say) =>
      page
        .locator('[data-alert=a2]')
        .getByRole('button', { name: say('alert.close') })
        .click(),
  },
  {
    name: 'now-offline',
    path: '/',
    shows: '.strip-down',
    async act(page, say, mock) {
      mock.setNetwork(false);
      await page
        .locator('[data-alert=a1]')
        .getByRole('button', { name: say('alert.take') })
        .click();
      await page.getByText(say('alert.take_unsent')).waitFor();
    },
  },
  {
    name: 'menu',
    path: '/',
    shows: '.push',
    act: (page) => page.locator('.menu summary').click(),
    over: true,
  },
  {
    name: 'keys',
    path: '/',
    shows: 'dialog[open]',
    async act(page, say) {
      await page.locator('.menu summary').click();
      await click(page, say('menu.keys'));
    },
    over: true,
  },
  { name: 'alert', path: '/alert/a1', shows: '.chain' },
  { name: 'alert-held', path: '/alert/a2', shows: '.chain' },
  { name: 'alert-missing', path: '/alert/none', shows: '.empty .button' },
  { name: 'homes', path: '/homes', shows: '.home-row' },
  {
    name: 'homes-none-found',
    path: '/homes',
    shows: '.empty',
    act: (page) => page.getByRole('searchbox').fill('Zacharias'),
  },
  {
    name: 'homes-none',
    path: '/homes',
    shows: '.empty',
    world(mock) {
      mock.state.homes.clear();
      mock.state.alerts.clear();
    },
  },
  { name: 'home', path: marta, shows: '.picture svg' },
  {
    name: 'home-list',
    path: '/homes/holm',
    shows: '.day-table, details[open] table',
    act: (page, say) => page.getByText(say('day.table')).click(),
  },
  { name: 'home-silent', path: '/homes/gunnar', shows: '.gap' },
  ...(['caregiver', 'coordinator'] as const).map((role): Screen => ({
    name: role === 'coordinator' ? 'home-fault-set' : 'home-fault',
    path: '/homes/holm',
    shows: '.fault',
    ...(role === 'coordinator' ? { as: role } : {}),
    world: (mock) => mock.homeSays('holm', { check_ins: [], fault: 'LYK-0450' }),
  })),
  {
    name: 'homes-fault',
    path: '/homes',
    shows: '.checkin-missed',
    world: (mock) => mock.homeSays('holm', { check_ins: [], fault: 'LYK-0450' }),
  },
  { name: 'home-missing', path: '/homes/nobody', shows: '.empty' },
  { name: 'home-operator', path: marta, shows: '.chart', as: 'operator' },
  {
    name: 'home-refused',
    path: marta,
    shows: '.refusal',
    world(mock) {
      const decisions = mock.care.decisions.get('marta') as unknown as object[];
      for (const field of ['activity', 'health', 'climate'])
        decisions.push({
          party: 'staff',
          name: '',
          field,
          allowed: false,
          at: ago(mock, 90),
          until: null,
          purpose: '',
          how: 'screen',
          by: 'Märta Lindqvist',
        });
    },
  },
  { name: 'notes', path: `${marta}/notes`, shows: '.note-day' },
  { name: 'notes-none', path: '/homes/astrid/notes', shows: '.part-notes .quiet' },
  { name: 'card', path: `${marta}/card`, shows: '.reminder' },
  {
    name: 'card-edit',
    path: `${marta}/card`,
    shows: 'dialog[open]',
    act: (page, say) => click(page, say('card.edit')),
    over: true,
  },
  {
    name: 'reminder',
    path: `${marta}/card`,
    shows: 'dialog[open]',
    act: (page, say) => click(page, say('reminders.add')),
    over: true,
  },
  { name: 'card-none', path: '/homes/astrid/card', shows: '.tool' },
  { name: 'trends', path: `${marta}/trends`, shows: '.curve canvas' },
  { name: 'messages', path: `${marta}/messages`, shows: '.message-state' },
  { name: 'consent', path: `${marta}/consent`, shows: '.grant' },
  {
    name: 'consent-edit',
    path: `${marta}/consent`,
    shows: 'dialog[open]',
    act: (page, say) => click(page, say('consent.change')),
    over: true,
  },
  {
    name: 'home-test',
    path: '/homes/gunnar',
    shows: '.walk',
    async act(page, say, mock) {
      await click(page, say('test.start'));
      await page.locator('.walk').waitFor();
      mock.pressTest('gunnar');
    },
  },
  {
    name: 'silence',
    path: marta,
    shows: 'dialog[open]',
    act: (page, say) => click(page, say('silence.add')),
    over: true,
  },
  { name: 'shift', path: '/shift', shows: '.short-home' },
  {
    name: 'shift-visit',
    path: '/shift',
    shows: 'form textarea, form input',
    act: (page, say) => click(page, say('visit.done_button')),
  },
  { name: 'hand-over', path: '/hand-over', shows: '.handover-list' },
  { name: 'search', path: '/search', shows: '.search-says' },
  {
    name: 'search-found',
    path: '/search',
    shows: '.found, .search-found, main li',
    act: (page) => page.getByRole('searchbox').fill('lind'),
  },
  { name: 'rota', path: '/rota', shows: '.on-duty', as: 'coordinator' },
  {
    name: 'rota-shift',
    path: '/rota',
    shows: 'dialog[open]',
    as: 'coordinator',
    act: (page, say) => click(page, say('rota.fill')),
    over: true,
  },
  { name: 'rota-caregiver', path: '/rota', shows: '.on-duty' },
  { name: 'visits', path: '/visits', shows: '.plan-visit:visible', as: 'coordinator' },
  {
    name: 'visits-home',
    path: '/visits',
    shows: '.plan-visit:visible',
    as: 'coordinator',
    act: (page, say) => page.getByRole('radio', { name: say('planned.by_home') }).check(),
  },
  {
    name: 'visit',
    path: '/visits',
    shows: 'dialog[open]',
    as: 'coordinator',
    act: (page, say) => click(page, say('planned.accept')),
    over: true,
  },
  {
    name: 'visit-new',
    path: '/visits',
    shows: 'dialog[open]',
    as: 'coordinator',
    act: (page, say) => page.getByRole('button', { name: say('planned.add'), exact: true }).click(),
    over: true,
  },
  {
    name: 'visit-decline',
    path: '/visits',
    shows: 'dialog[open]',
    as: 'coordinator',
    act: (page, say) => click(page, say('planned.decline')),
    over: true,
  },
  {
    name: 'visits-copy',
    path: '/visits',
    shows: 'dialog[open]',
    as: 'coordinator',
    act: (page, say) => click(page, say('planned.copy')),
    over: true,
  },
  { name: 'people', path: '/people', shows: '.person', as: 'coordinator' },
  {
    name: 'people-gap',
    path: '/people',
    shows: '.person',
    as: 'coordinator',
    world: (mock) => {
      mock.staff.members = mock.staff.members.filter((m) => m.group !== 'last_resort');
    },
  },
  {
    name: 'person',
    path: '/people',
    shows: 'dialog[open]',
    as: 'coordinator',
    act: (page, say) => click(page, `${say('people.edit')} – Björn Falk`),
    over: true,
  },
  {
    name: 'member',
    path: '/people',
    shows: 'dialog[open] input[type=checkbox]',
    as: 'coordinator',
    async act(page, say) {
      await click(page, `${say('people.join')} – Lena Lindqvist`);
      await page.getByRole('radio', { name: say('member.as.contacts') }).check();
    },
    over: true,
  },
  {
    name: 'invite',
    path: '/people',
    shows: '.invite-qr',
    as: 'coordinator',
    act: (page, say) => click(page, `${say('people.invite_again')} – Cecilia Ström`),
    over: true,
  },
  {
    name: 'relative',
    path: `${marta}/card`,
    shows: 'dialog[open]',
    as: 'coordinator',
    act: (page, say) => click(page, say('relatives.add')),
    over: true,
  },
  { name: 'policies', path: '/policies', shows: '.policy', as: 'coordinator' },
  {
    name: 'policy',
    path: '/policies',
    shows: 'dialog[open]',
    as: 'coordinator',
    act: (page, say) => click(page, say('policy.edit')),
    over: true,
  },
  { name: 'silences', path: '/silences', shows: '.silence', as: 'coordinator' },
  { name: 'devices', path: '/devices', shows: '.devices', as: 'coordinator' },
  { name: 'statistics', path: '/statistics', shows: '.stat', as: 'coordinator' },
  { name: 'load', path: '/load', shows: '.load-rows', as: 'coordinator' },
  { name: 'load-no-right', path: '/load', shows: '.plan-wait' },
  {
    name: 'people-failed',
    path: '/people',
    shows: '.plan-failed',
    as: 'coordinator',
    world: (mock) => mock.fail(/\/people/, 500, 'LYK-0507'),
  },
  { name: 'account', path: '/account', shows: '.account-list li' },
  { name: 'install', path: '/install', shows: '.install-begun', as: 'coordinator' },
  {
    name: 'install-box',
    path: '/install',
    shows: '.install-step',
    as: 'coordinator',
    act: async (page, say, mock) => void (await installed(page, say, mock, false)),
  },
  {
    name: 'install-devices',
    path: '/install',
    shows: '.install-step',
    as: 'coordinator',
    act: async (page, say, mock) => void (await installed(page, say, mock, true)),
  },
  {
    name: 'install-lit',
    path: '/install',
    shows: '.install-lit, .lantern-large',
    as: 'coordinator',
    async act(page, say, mock) {
      const home = await installed(page, say, mock, true);
      for (const room of await page.getByLabel(say('install.room')).all())
        await room.selectOption({ index: 1 });
      await page.getByRole('radio', { name: say('install.press.sos') }).check();
      await click(page, say('test.start'));
      await page.locator('.walk').waitFor();
      mock.pressTest(home);
      mock.passTest(home);
      await page.getByRole('heading', { name: say('install.protected') }).waitFor();
    },
  },
  { name: 'install-no-right', path: '/install', shows: '.later' },
  ...callScreens,
  { name: 'missing', path: '/nowhere', shows: '.empty' },
  {
    name: 'failed',
    path: '/',
    shows: '.door-card .button',
    world: (mock) => mock.fail(/homes/, 500, 'LYK-0001'),
  },
  {
    name: 'no-network',
    path: '/',
    shows: '.door-card .button',
    world: (mock) => mock.setNetwork(false),
  },
  {
    name: 'door',
    path: '/',
    shows: '.door-main',
    outside: true,
    world: (mock) => {
      mock.admin.ways = { passkeys: true, oidc: { name: 'Kommunens inloggning' } } as never;
    },
  },
  {
    name: 'door-problem',
    path: '/sign-in?problem=LYK-0721',
    shows: '.door-note',
    outside: true,
    world: (mock) => {
      mock.admin.ways = { passkeys: true, oidc: { name: 'Kommunens inloggning' } } as never;
    },
    act: (page, say) => page.getByText(say('signin.have_code')).click(),
  },
  { name: 'invitation', path: '/invitation#lykta-inbjudan', shows: '.invited', outside: true },
  {
    name: 'invitation-save',
    path: '/invitation#lykta-inbjudan',
    shows: 'h1',
    outside: true,
    async act(page, say) {
      await click(page, say('invitation.accept'));
      await page.getByRole('button', { name: say('invitation.save_no') }).waitFor();
    },
  },
  { name: 'invitation-gone', path: '/invitation#lykta-slut', shows: '[role=alert]', outside: true },
];

/** The texts of the caregiver's app: what its screens say, by key. */
export const texts: Record<Language, Record<string, string>> = { sv: read('sv'), en: read('en') };

function read(language: Language): Record<string, string> {
  const rooms = ['', 'pages/', 'care/', 'admin/', 'door/', 'install/', 'call/'];
  const file = (room: string) => new URL(`../i18n/${room}${language}.json`, import.meta.url);
  const all = rooms.map((room) => JSON.parse(readFileSync(file(room), 'utf8')) as object);
  return Object.assign({}, ...all) as Record<string, string>;
}

const sayIn =
  (language: Language): Say =>
  (key, values = {}) => {
    const text = texts[language][key];
    if (text === undefined) throw new Error(`there is no text ${key}`);
    return text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name]));
  };

/** Opens a screen in a language, and waits until it is complete. */
export async function open(page: Page, mock: Mock, screen: Screen, language: Language) {
  if (screen.as === 'coordinator') mock.setMe({ name: 'Karin Ek', role: 'coordinator' });
  if (screen.as === 'operator') mock.setMe({ name: 'Karin Ek', role: 'operator' });
  mock.setNetwork(true);
  await page.addInitScript((l) => localStorage.setItem('lykta.language', l), language);
  if (screen.name === 'no-network') await page.route('**/api/**', (route) => route.abort());
  screen.world?.(mock);
  // Passkeys belong to a name, never to a bare address.
  const root = screen.outside ? mock.url.replace('127.0.0.1', 'localhost') : mock.url;
  await page.goto(root + screen.path);
  if (screen.act) await page.locator('h1').first().waitFor({ state: 'attached' });
  await screen.act?.(page, sayIn(language), mock);
  await page.locator(screen.shows).first().waitFor();
  await page.waitForFunction(
    (loading) =>
      document.documentElement.lang === loading.language &&
      !document.querySelector('main')?.innerText.includes(loading.text),
    { language, text: texts[language]['app.loading']! },
  );
}
