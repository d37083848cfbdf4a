// Calls by video in the caregiver's app: before, in, and after one.
import type { Browser, Page } from '@playwright/test';
import { card, expect, expectAccessible, expectNoSidewaysScroll, test as base } from './lykta';
import type { Mock } from './lykta';
import { Studio, withMedia } from './studio';

const test = base.extend(withMedia);

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name });
/** At the top of a resident's page. */
const ringing = (page: Page) => page.locator('.who').getByRole('button', { name: 'Ring med bild' });
const call = (page: Page) => page.locator('.call');
const tile = (page: Page) => page.locator('[data-person]');
const said = (page: Page) => page.locator('[data-said]');

test.beforeEach(async ({ page, mock }) => {
  mock.setMe({ features: ['video'] });
  await page.addInitScript(() => localStorage.setItem('lykta.call.checked', 'yes'));
});

/** The only call that there is. */
const theCall = (mock: Mock) => [...mock.calls.all.values()].at(-1) as { id: string };

/** From the page of a resident into a call that has been answered. */
async function talk(page: Page, mock: Mock, browser: Browser): Promise<Studio> {
  const studio = await Studio.of(browser, mock);
  await page.goto('/homes/marta');
  await ringing(page).click();
  await expect(page).toHaveURL(/\/call\/c1$/);
  mock.calls.home('c1', 'rings');
  await expect(page.getByText('Ringer hos Märta …').first()).toBeVisible();
  mock.calls.home('c1', 'answer');
  await expect(call(page)).toHaveAttribute('data-state', 'on');
  return studio;
}

test('a carer calls, sees and is seen, hears and is heard, hangs up and says how it went', async ({
  page,
  mock,
  browser,
}) => {
  const studio = await talk(page, mock, browser);
  const frames = () => tile(page).getAttribute('data-frames').then(Number);
  await expect.poll(frames, { timeout: 15_000 }).toBeGreaterThan(5);
  const before = await frames();
  await expect.poll(frames).toBeGreaterThan(before);
  await expect.poll(() => tile(page).getAttribute('data-energy').then(Number)).toBeGreaterThan(0);
  await expect.poll(async () => (await studio.got()).frames).toBeGreaterThan(5);
  await expect.poll(async () => (await studio.got()).energy).toBeGreaterThan(0);
  await expectAccessible(page);
  await expectNoSidewaysScroll(page);

  await button(page, 'Lägg på').click();
  await expect(page.getByRole('heading', { name: 'Samtalet är slut' })).toBeFocused();
  await button(page, 'Spara').click();
  await expect(page.getByText('Välj hur det gick.')).toBeVisible();
  await page.getByLabel('Bra', { exact: true }).check();
  await page.getByLabel('Anteckning om besöket').fill('Pigg och glad. Har ätit.');
  await page.getByLabel('Sparad restid, minuter').fill('25');
  await button(page, 'Spara').click();
  await expect(page).toHaveURL(/\/homes\/marta$/);
  await expect
    .poll(() => mock.calls.went)
    .toEqual([
      expect.objectContaining({
        call: 'c1',
        outcome: 'well',
        note: 'Pigg och glad. Har ätit.',
        saved_minutes: 25,
      }),
    ]);
  // Both in the list of calls, and the way to a home is as long the next time.
  await expect(page.locator('.call-row')).toContainText('25 min restid sparad');
  expect(await page.evaluate(() => localStorage.getItem('lykta.call.saved.marta'))).toBe('25');
});

test('the offer has its lines in the order that the service counts on, sound with RED first', async ({
  page,
  mock,
}) => {
  await page.goto('/homes/marta');
  await ringing(page).click();
  await expect.poll(() => mock.calls.offers.length).toBe(1);
  const { sdp } = mock.calls.offers[0] as { sdp: string };
  const lines = sdp.split(/^(?=m=)/m).slice(1);
  const kinds = lines.map((l) => `${l.split(' ')[0]} ${/a=(send|recv)only/.exec(l)?.[1]}`);
  const slot = ['m=audio recv', 'm=video recv'];
  expect(kinds).toEqual(['m=audio send', 'm=video send', ...slot, ...slot, ...slot]);
  const first = /^m=audio \d+ \S+ (\d+)/.exec(lines[0]!)![1]!;
  expect(lines[0]).toContain(`a=rtpmap:${first} red/48000`);
  expect(lines[1]).toMatch(/a=simulcast:send/);
  for (const rid of ['h', 'l']) expect(lines[1]).toContain(`a=rid:${rid} send`);
  expect(sdp.length).toBeLessThan(24_000);
});

for (const [why, word, heading] of [
  ['missed', '', 'Märta svarar inte'],
  ['later', 'later', 'Märta vill bli uppringd senare'],
  ['declined', 'decline', 'Märta svarade Inte nu'],
  ['unreachable', '', 'Skärmen i hemmet svarar inte'],
] as const) {
  test(`nobody answers: ${why}`, async ({ page, mock }) => {
    await page.goto('/homes/marta');
    await ringing(page).click();
    await expect(page.getByText('Söker skärmen hos Märta …').first()).toBeVisible();
    if (why !== 'unreachable') mock.calls.home('c1', 'rings');
    if (word) mock.calls.home('c1', word);
    else mock.calls.end('c1', why);
    await expect(page.getByRole('heading', { name: heading })).toBeFocused();
    await expectAccessible(page);
    await button(page, 'Ring igen').click();
    await expect(page).toHaveURL(/\/call\/c2$/);
  });
}

test('two quick touches are one call', async ({ page, mock }) => {
  await page.goto('/homes/marta');
  await ringing(page).dblclick();
  await expect(call(page)).toBeVisible();
  expect(mock.calls.all.size).toBe(1);
});

test('the first time one sees and hears oneself before', async ({ page, mock }) => {
  await page.goto('/homes/marta');
  await page.evaluate(() => localStorage.removeItem('lykta.call.checked'));
  // Not again from the script above: the page is not loaded anew.
  await ringing(page).click();
  await expect(page.getByRole('heading', { name: 'Innan du ringer' })).toBeVisible();
  await expect(page.locator('.check video')).toBeVisible();
  await expect(page.getByText('Mikrofonen hör dig')).toBeVisible(); // the fake one beeps
  expect(mock.calls.all.size).toBe(0);
  await expectAccessible(page);
  await button(page, 'Ring Märta med bild').click();
  await expect(page).toHaveURL(/\/call\/c1$/);
});

test('microphone and camera are turned off and on, and the others are told', async ({
  page,
  mock,
  browser,
}) => {
  await talk(page, mock, browser);
  const told = () => mock.calls.heard.filter((m: { type: string }) => m.type === 'state').at(-1);
  await expect(button(page, 'Mikrofon på')).toHaveAttribute('aria-pressed', 'true');
  await button(page, 'Mikrofon på').click();
  await expect(button(page, 'Mikrofon av')).toHaveAttribute('aria-pressed', 'false');
  await expect.poll(told).toMatchObject({ mic: false, camera: true });
  await button(page, 'Kamera på').click();
  await expect(page.getByText('Din kamera är av')).toBeVisible();
  await expect.poll(told).toMatchObject({ mic: false, camera: false });
  await button(page, 'Kamera av').click();
  await button(page, 'Mikrofon av').click();
  await expect.poll(told).toMatchObject({ mic: true, camera: true });
  await expect(page.locator('[data-own=yes]')).toBeVisible();
});

test('a bad line is said in words, and what still works', async ({ page, mock, browser }) => {
  await talk(page, mock, browser);
  mock.calls.line('c1', { video_paused: true, quality: 'bad', loss: 0.2 });
  await expect(page.locator('.call-quality')).toHaveText('Dålig förbindelse, bilden pausad');
  await expect(page.getByText('Bilden är pausad. Ljudet fungerar.')).toBeVisible();
  await expect(said(page)).toHaveText('Dålig förbindelse, bilden pausad');
  await expectAccessible(page);
  mock.calls.line('c1', { quality: 'poor' });
  await expect(page.locator('.call-quality')).toHaveText('Dålig förbindelse');
  mock.calls.line('c1', {});
  await expect(page.locator('.call-quality')).toHaveText('God förbindelse');
});

test('a picture that stands still is called so', async ({ page, mock, browser }) => {
  const studio = await talk(page, mock, browser);
  await expect.poll(() => tile(page).getAttribute('data-frames').then(Number)).toBeGreaterThan(3);
  await studio.freeze();
  await expect(page.locator('.call-quality')).toHaveText('Bilden står stilla', { timeout: 15_000 });
});

test('the service goes away and comes back: the talk goes on, and nobody has done anything', async ({
  page,
  mock,
  browser,
}) => {
  await talk(page, mock, browser);
  mock.calls.away = true;
  mock.calls.cut('');
  await expect(page.getByText('Ingen kontakt med tjänsten. Ni kan fortsätta prata.')).toBeVisible();
  mock.calls.away = false;
  // Back on its line it asks whether its session is known still; here it is not.
  await expect.poll(() => mock.calls.offers.at(-1)?.type).toBe('restart');
  mock.calls.say('c1', { type: 'gone' });
  await expect.poll(() => mock.calls.offers.at(-1)?.type).toBe('join');
  await expect(call(page)).toHaveAttribute('data-stage', 'on');
});

test('one leaves the call for a note, sees it on every page, and goes back', async ({
  page,
  mock,
  browser,
}) => {
  await talk(page, mock, browser);
  await page.getByRole('link', { name: 'Till appen' }).click();
  const bar = page.getByRole('complementary', { name: 'Pågående samtal' });
  await expect(bar).toContainText('Samtal med Märta');
  await page.getByRole('link', { name: 'Hem', exact: true }).click();
  await expect(bar).toBeVisible();
  await expectAccessible(page);
  await bar.getByRole('link').click();
  await expect(call(page)).toHaveAttribute('data-state', 'on');
  expect(mock.calls.offers).toHaveLength(1);
  // A page that is loaded anew is not in it, and says that it goes on.
  await page.goto('/homes');
  await expect(bar).toContainText('Samtalet med Märta pågår');
  await bar.getByRole('link').click();
  await expect(call(page)).toHaveAttribute('data-state', 'on');
});

test('an interpreter is asked in by a link', async ({ page, mock, browser }) => {
  await talk(page, mock, browser);
  await button(page, 'Bjud in').click();
  await button(page, 'Skapa länk').click();
  await expect(page.getByText('Skriv ett namn.')).toBeVisible();
  await page.getByLabel('Namn, så som det visas hemma').fill('Samira Haddad');
  await expectAccessible(page);
  await button(page, 'Skapa länk').click();
  await expect(page.getByLabel('Länk till Samira Haddad').last()).toHaveValue(/\/guest#lyk_g_/);
  expect([...mock.calls.guests.values()]).toEqual([
    expect.objectContaining({ call: 'c1', name: 'Samira Haddad', role: 'interpreter' }),
  ]);
  await page.keyboard.press('Escape');
  await expect(button(page, 'Bjud in')).toBeFocused();
  mock.calls.arrive('c1', { id: 'guest:g1', name: 'Samira Haddad', role: 'interpreter' });
  await expect(tile(page)).toHaveCount(2);
  await expect(tile(page).last()).toContainText('Samira Haddad · tolk');
  mock.calls.go('c1', 'guest:g1');
  await expect(tile(page)).toHaveCount(1);
});

test('an alarm is a call, and where it is allowed the screen may answer by itself', async ({
  page,
  mock,
}) => {
  const grant = { field: 'auto_answer', allowed: true, at: null, until: null, purpose: '' };
  (mock.care as unknown as { decisions: Map<string, object[]> }).decisions
    .get('marta')!
    .push({ ...grant, party: 'staff', name: '', how: 'screen', by: 'Märta Lindqvist' });
  const alert = mock.raise({ home: 'marta', kind: 'sos' });
  await page.goto('/');
  const auto = card(page, alert.id).getByRole('button', { name: /^Ring, svarar själv/ });
  await auto.click();
  await expect(
    page.getByRole('heading', { name: 'Ska skärmen svara av sig själv?' }),
  ).toBeVisible();
  await expect(page.getByText('räknar ned i 20 sekunder')).toBeVisible();
  await expectAccessible(page);
  expect(mock.calls.all.size).toBe(0);
  await button(page, 'Ring, skärmen svarar själv').click();
  await expect(page).toHaveURL(/\/call\/c1$/);
  expect(theCall(mock)).toMatchObject({ home: 'marta', alert: alert.id });
  // Where it is not, nothing of it is shown.
  const other = mock.raise({ home: 'astrid', kind: 'sos' });
  await page.goto('/');
  await expect(card(page, other.id).getByRole('button', { name: /^Ring med bild/ })).toBeVisible();
  await expect(card(page, other.id).getByRole('button', { name: /^Ring, svarar/ })).toHaveCount(0);
});

test('who wants to be called back is called from the card', async ({ page, mock }) => {
  const alert = mock.raise({ home: 'astrid', kind: 'call_back', severity: 'attention' });
  await page.goto('/');
  await expect(card(page, alert.id)).toContainText('Vill bli uppringd');
  await card(page, alert.id)
    .getByRole('button', { name: /^Ring med bild/ })
    .click();
  await expect(page).toHaveURL(/\/call\/c1$/);
  expect(theCall(mock)).toMatchObject({ home: 'astrid', alert: alert.id });
});

test('a home that is in a call already is joined there', async ({ page, mock }) => {
  await page.goto('/homes/marta');
  await expect(ringing(page)).toBeVisible();
  const by = { id: 'person:bjorn', name: 'Björn Falk', role: 'staff' };
  mock.calls.begin({ home: 'marta', by });
  await page.locator('.who').getByRole('link', { name: 'Gå med i samtalet' }).click();
  await expect(page).toHaveURL(/\/call\/c1$/);
  await expect(button(page, 'Lämna samtalet')).toBeVisible();
});

test('a planned visit by video is called from its row', async ({ page, mock }) => {
  const visits = (mock.care as unknown as { visits: Map<string, Record<string, unknown>> }).visits;
  const planned = [...visits.values()].find(
    (v) => v['state'] === 'planned' && v['home'] === 'marta',
  )!;
  planned['video'] = true;
  await page.goto('/homes/marta');
  await page
    .locator('.visit')
    .getByRole('button', { name: /^Ring med bild/ })
    .first()
    .click();
  await expect(page).toHaveURL(/\/call\/c1$/);
  expect(theCall(mock)).toMatchObject({ home: 'marta', visit: planned['id'] });
});

test('a service without video offers none', async ({ page, mock }) => {
  mock.setMe({ features: [] });
  await page.goto('/homes/marta');
  await expect(page.locator('.facts')).toBeVisible();
  await expect(button(page, 'Ring med bild')).toHaveCount(0);
  await expect(page.getByRole('heading', { name: 'Samtal med bild' })).toHaveCount(0);
});
