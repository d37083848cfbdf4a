// Calls by video with the real programs: started by e2e/video_test.go.
import { test, expect, type Browser, type Page } from '@playwright/test';
import { deed, url } from './stage';
import { expectTalk, open, pageOf, received, screenOf } from './visit.stage';

test.skip(!process.env['LYKTA_VISITS'], 'LYKTA_VISITS names no stage of calls');
test.describe.configure({ timeout: 300_000 });

let browser: Browser;
test.beforeAll(async () => {
  browser = await open();
});
test.afterAll(() => browser?.close());
test.afterEach(async ({}, info) => {
  for (const [i, context] of browser.contexts().entries()) {
    const [page] = context.pages();
    if (info.status !== info.expectedStatus) {
      await page?.screenshot({ path: info.outputPath(`failed-${i}.png`) });
    }
    await context.close();
  }
});

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name });

/** The carer taps, and goes through the check of camera and microphone if it comes. */
async function ring(page: Page) {
  await page.goto(`${url}/homes/home`);
  await button(page, /^Ring (Karin )?.*med bild/)
    .first()
    .click();
  const check = page.getByRole('heading', { name: 'Innan du ringer' });
  const ringing = page.getByText(/^(Söker skärmen|Ringer) hos/).first();
  await expect(check.or(ringing).first()).toBeVisible({ timeout: 60_000 });
  if (!(await check.isVisible())) return;
  await expect(page.locator('.check-picture video')).toBeVisible();
  await page.locator('.button-main').click();
}

/** Touches a button of the screen: what has just appeared is not to be pressed yet. */
async function touch(kiosk: Page, name: string) {
  await expect(async () => {
    if (await button(kiosk, name).isVisible()) await button(kiosk, name).tap({ timeout: 1_000 });
    await expect(button(kiosk, name)).toBeHidden({ timeout: 1_000 });
  }).toPass({ timeout: 30_000 });
}

const api = <T>(
  page: Page,
  path: string,
  init: RequestInit = {},
): Promise<{ status: number; body: T }> =>
  page.evaluate(
    async ({ path, init }) => {
      const answer = await fetch(`/api/v1${path}`, init);
      return { status: answer.status, body: await answer.json().catch(() => null) };
    },
    { path, init },
  );
const get = async <T>(page: Page, path: string) => (await api<T>(page, path)).body;
const put = async (page: Page, path: string, body: unknown, method = 'PUT', more = {}) => {
  const headers = { 'Content-Type': 'application/json', ...more };
  return (await api(page, path, { method, headers, body: JSON.stringify(body) })).status;
};
const alerts = async (page: Page) =>
  (await get<{ alerts: { kind: string }[] }>(page, '/alerts?state=active')).alerts;

async function answered(relay = false): Promise<{ carer: Page; kiosk: Page }> {
  const carer = await pageOf(browser, 'anna', relay);
  const kiosk = await screenOf(browser, 'gw');
  await ring(carer);
  await expect(button(kiosk, 'Svara')).toBeVisible({ timeout: 30_000 });
  await touch(kiosk, 'Svara');
  await expectTalk(carer, 'the carer');
  await expectTalk(kiosk, 'the resident');
  return { carer, kiosk };
}

test('the carer rings, the resident answers by a touch, both see and hear, and hang up', async () => {
  const { carer, kiosk } = await answered();
  await carer.screenshot({ path: test.info().outputPath('carer.png') });
  await kiosk.screenshot({ path: test.info().outputPath('kiosk.png') });
  await touch(kiosk, 'Lägg på');
  await expect(kiosk.getByText('Samtalet är slut').first()).toBeVisible();
  await expect(carer.getByText('Samtalet är slut').first()).toBeVisible({ timeout: 10_000 });
  expect((await received(kiosk)).ways).toEqual([]);
});

test('declined, later, missed and rung back: nobody is left wondering', async () => {
  const carer = await pageOf(browser, 'anna');
  const kiosk = await screenOf(browser, 'gw');
  const heading = carer.getByRole('heading');

  await ring(carer);
  await expect(button(kiosk, 'Inte nu')).toBeVisible({ timeout: 30_000 });
  await touch(kiosk, 'Inte nu');
  await expect(heading.filter({ hasText: 'Karin svarade Inte nu' })).toBeVisible();

  await ring(carer);
  await expect(button(kiosk, 'Ring mig senare')).toBeVisible({ timeout: 30_000 });
  await touch(kiosk, 'Ring mig senare');
  await expect(heading.filter({ hasText: 'Karin vill bli uppringd senare' })).toBeVisible();
  await expect(kiosk.getByText('Då ringer Anna Berg senare')).toBeVisible();
  await expect.poll(async () => (await alerts(carer)).map((a) => a.kind)).toEqual(['call_back']);

  await ring(carer);
  await expect(button(kiosk, 'Svara')).toBeVisible({ timeout: 30_000 });
  await expect(heading.filter({ hasText: 'Karin svarar inte' })).toBeVisible({ timeout: 75_000 });
  await expect(kiosk.getByText(/^Anna Berg ringde klockan/)).toBeVisible();
  await carer.screenshot({ path: test.info().outputPath('missed-carer.png') });
  await kiosk.screenshot({ path: test.info().outputPath('missed-kiosk.png') });

  await touch(kiosk, 'Be Anna Berg ringa upp');
  await expect(kiosk.getByText('Vi ber Anna Berg ringa upp dig')).toBeVisible();
  await ring(carer); // back
  await expect(button(kiosk, 'Svara')).toBeVisible({ timeout: 30_000 });
  await touch(kiosk, 'Svara');
  await expectTalk(carer, 'the carer');
  await button(carer, 'Lägg på').click();
  await expect(kiosk.getByText('Samtalet är slut').first()).toBeVisible({ timeout: 10_000 });
  await expect(kiosk.getByText(/ringde klockan/)).toBeHidden();
});

test('a planned visit that nobody answers is missed, and somebody has to see to it', async () => {
  const carer = await pageOf(browser, 'anna');
  const from = new Date(Date.now() - 60_000).toISOString();
  const to = new Date(Date.now() + 30 * 60_000).toISOString();
  const plan = { home: 'home', from, to, person: 'anna', what: 'Prat', video: true };
  expect(await put(carer, '/visits/v1', { ...plan, state: 'planned', note: '' })).toBe(200);
  const key = { 'Idempotency-Key': 'v1' };
  expect(await put(carer, '/homes/home/calls', { visit: 'v1' }, 'POST', key)).toBe(201);
  await expect
    .poll(async () => (await get<{ state: string }>(carer, '/visits/v1')).state, {
      timeout: 90_000,
    })
    .toBe('missed');
  expect((await alerts(carer)).map((a) => a.kind)).toContain('visit_missed');
});

test('the cloud is killed in mid-visit: both see and hear again within 10 s of its return', async () => {
  const { carer, kiosk } = await answered();
  await deed('/kill');
  await carer.waitForTimeout(3_000); // what is left of the call is felt
  await deed('/start');
  const back = Date.now();
  await Promise.all([expectTalk(carer, 'the carer'), expectTalk(kiosk, 'the resident')]);
  console.log(`back ${Date.now() - back} ms after the cloud`);
  expect(Date.now() - back).toBeLessThan(10_000);
  await button(carer, 'Lägg på').click();
  await expect(kiosk.getByText('Samtalet är slut').first()).toBeVisible({ timeout: 10_000 });
});

test('with UDP blocked the call goes through TURN over TLS, and survives that being cut', async () => {
  const { carer, kiosk } = await answered(true);
  expect((await received(carer)).ways.join()).toMatch(/^relay tls/);
  for (const seconds of [5, 15]) {
    await deed('/shut');
    await carer.waitForTimeout(seconds * 1_000);
    await deed('/unlock');
    const back = Date.now();
    await Promise.all([expectTalk(carer, 'the carer'), expectTalk(kiosk, 'the resident')]);
    console.log(`back ${Date.now() - back} ms after ${seconds} s`);
  }
  await button(carer, 'Lägg på').click();
  await expect(kiosk.getByText('Samtalet är slut').first()).toBeVisible({ timeout: 10_000 });
});

test('a third person joins and leaves; the other two go on', async () => {
  const { carer, kiosk } = await answered();
  const karl = await pageOf(browser, 'karl');
  const [call] = (await get<{ calls: { id: string }[] }>(karl, '/calls?live=true')).calls;
  await karl.goto(`${url}/call/${call!.id}`);
  const check = karl.getByRole('heading', { name: 'Innan du ringer' });
  const hangUp = button(karl, /^(Lägg på|Lämna samtalet)$/);
  const join = button(karl, 'Gå med i samtalet');
  await expect(check.or(hangUp).or(join).first()).toBeVisible({ timeout: 60_000 });
  if (await join.isVisible()) await join.click();
  if (await check.isVisible()) await karl.locator('.button-main').click();
  await expectTalk(karl, 'the third');
  await expectTalk(carer, 'the carer');
  await expectTalk(kiosk, 'the resident');
  await expect(kiosk.getByText(/Karl Lund/).first()).toBeVisible();
  await kiosk.screenshot({ path: test.info().outputPath('three-kiosk.png') });
  await carer.screenshot({ path: test.info().outputPath('three-carer.png') });
  await hangUp.click();
  await expect(kiosk.getByText(/Karl Lund/)).toBeHidden({ timeout: 10_000 });
  await expectTalk(carer, 'the carer');
  await expectTalk(kiosk, 'the resident');
  await button(carer, 'Lägg på').click();
  await expect(kiosk.getByText('Samtalet är slut').first()).toBeVisible({ timeout: 10_000 });
});
