// Calls by video with the real programs, as people have them: started by
// e2e/video_test.go.
import { test, expect, type Page } from '@playwright/test';
import { deed, url } from './stage';
import {
  button,
  decide,
  expectTalk,
  get,
  hangUp,
  pageOf,
  put,
  received,
  ring,
  screenOf,
  sounded,
  stranger,
  talking,
  throughCheck,
  touch,
  withBrowser,
} from './visit.stage';

const browser = withBrowser();

const alerts = async (page: Page) =>
  (await get<{ alerts: { kind: string }[] }>(page, '/api/v1/alerts?state=active')).alerts;

test('the carer rings, the resident answers by a touch, both see and hear, and hang up', async () => {
  const { carer, kiosk } = await talking(browser());
  await carer.screenshot({ path: test.info().outputPath('carer.png') });
  await kiosk.screenshot({ path: test.info().outputPath('kiosk.png') });
  await touch(kiosk, 'Lägg på');
  await expect(kiosk.getByText('Samtalet är slut').first()).toBeVisible();
  await expect(carer.getByText('Samtalet är slut').first()).toBeVisible({ timeout: 10_000 });
  expect((await received(kiosk)).ways).toEqual([]);
});

test('declined, later, missed and rung back: nobody is left wondering', async () => {
  const carer = await pageOf(browser(), 'anna');
  const kiosk = await screenOf(browser(), 'gw');
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
  await hangUp(carer, kiosk);
  await expect(kiosk.getByText(/ringde klockan/)).toBeHidden();
});

test('a planned visit that nobody answers is missed, and somebody has to see to it', async () => {
  const carer = await pageOf(browser(), 'anna');
  const from = new Date(Date.now() - 60_000).toISOString();
  const to = new Date(Date.now() + 30 * 60_000).toISOString();
  const plan = { home: 'home', from, to, person: 'anna', what: 'Prat', video: true };
  expect(await put(carer, '/api/v1/visits/v1', { ...plan, state: 'planned', note: '' })).toBe(200);
  const key = { 'Idempotency-Key': 'v1' };
  expect(await put(carer, '/api/v1/homes/home/calls', { visit: 'v1' }, 'POST', key)).toBe(201);
  await expect
    .poll(async () => (await get<{ state: string }>(carer, '/api/v1/visits/v1')).state, {
      timeout: 90_000,
    })
    .toBe('missed');
  expect((await alerts(carer)).map((a) => a.kind)).toContain('visit_missed');
});

test('a third person joins and leaves; the other two go on', async () => {
  const { carer, kiosk } = await talking(browser());
  const karl = await pageOf(browser(), 'karl');
  const [call] = (await get<{ calls: { id: string }[] }>(karl, '/api/v1/calls?live=true')).calls;
  await karl.goto(`${url}/call/${call!.id}`);
  const leave = button(karl, /^(Lägg på|Lämna samtalet)$/);
  const join = button(karl, 'Gå med i samtalet');
  await expect(leave.or(join).first()).toBeVisible({ timeout: 60_000 });
  if (await join.isVisible()) await join.click();
  await expectTalk(karl, 'the third');
  await expectTalk(carer, 'the carer');
  await expectTalk(kiosk, 'the resident');
  await expect(kiosk.getByText(/Karl Lund/).first()).toBeVisible();
  await kiosk.screenshot({ path: test.info().outputPath('three-kiosk.png') });
  await carer.screenshot({ path: test.info().outputPath('three-carer.png') });
  await leave.click();
  await expect(kiosk.getByText(/Karl Lund/)).toBeHidden({ timeout: 10_000 });
  await expectTalk(carer, 'the carer');
  await expectTalk(kiosk, 'the resident');
  await hangUp(carer, kiosk);
});

test('the resident lets a relative take part, and the carer an interpreter by a link', async () => {
  const { carer, kiosk } = await talking(browser());
  const maria = await pageOf(browser(), 'maria');
  await maria.goto(`${url}/family/homes/home/call`);
  await expect(
    maria.getByText('Karin tar inte emot samtal med bild från dig just nu'),
  ).toBeVisible();
  await decide(kiosk, 'relatives', 'video', true);
  const join = button(maria, 'Gå med i samtalet');
  await expect(async () => {
    await maria.reload();
    await expect(join).toBeVisible({ timeout: 1_000 });
  }).toPass({ timeout: 30_000 });
  await join.click();
  const leave = button(maria, 'Lämna samtalet');
  await throughCheck(maria, leave);
  await expectTalk(maria, 'the relative');
  await expectTalk(kiosk, 'the resident');
  await expect(kiosk.getByText(/Maria Nilsson/).first()).toBeVisible();
  await expect(carer.getByText('Maria Nilsson · anhörig')).toBeVisible();
  await maria.screenshot({ path: test.info().outputPath('relative.png') });
  await leave.click();
  await expect(kiosk.getByText(/Maria Nilsson/)).toBeHidden({ timeout: 10_000 });

  await button(carer, 'Bjud in').click();
  await carer.getByLabel('Namn, så som det visas hemma').fill('Samira Haddad');
  await button(carer, 'Skapa länk').click();
  const link = await carer.getByRole('textbox', { name: 'Länk till Samira Haddad' }).inputValue();
  await carer.keyboard.press('Escape');
  const samira = await stranger(browser());
  await samira.goto(link);
  await button(samira, 'Gå med i samtalet').click();
  await expectTalk(samira, 'the interpreter');
  await expectTalk(kiosk, 'the resident');
  await expect(kiosk.getByText('Samira Haddad, tolk')).toBeVisible();
  await samira.screenshot({ path: test.info().outputPath('interpreter.png') });
  await kiosk.screenshot({ path: test.info().outputPath('interpreter-kiosk.png') });
  await hangUp(carer, kiosk);
  await expect(samira.getByText('Samtalet är slut').first()).toBeVisible({ timeout: 10_000 });
  await samira.reload();
  await expect(samira.getByText('Länken gäller inte längre')).toBeVisible();
  await decide(kiosk, 'relatives', 'video', false);
});

test('after an alarm the screen answers by itself, where the resident has allowed it, and never silently', async () => {
  const carer = await pageOf(browser(), 'anna');
  const kiosk = await screenOf(browser(), 'gw');
  await kiosk.getByRole('heading', { level: 1 }).tap(); // a page that was touched may sound
  await decide(kiosk, 'staff', 'auto_answer', true);
  await deed('/press/gw/hall/sos');
  const alarm = carer.locator('[data-alert]').filter({ hasText: 'Karin' });
  const chime = 523; // the first of its notes, in hertz
  const left = kiosk.getByRole('timer');
  const rings = async () => {
    await carer.goto(url);
    await alarm.getByRole('button', { name: /^Ring, svarar själv/ }).click({ timeout: 30_000 });
    await button(carer, 'Ring, skärmen svarar själv').click();
    await throughCheck(carer, carer.getByText(/^(Söker skärmen|Ringer) hos/).first());
    await expect(left).toHaveText(/^Svarar om \d+ sekunder\. Tryck på Nej om du inte vill\.$/, {
      timeout: 30_000,
    });
    await expect.poll(async () => (await sounded(kiosk)).includes(chime)).toBe(true);
  };

  await rings();
  await kiosk.screenshot({ path: test.info().outputPath('countdown.png') });
  await touch(kiosk, 'Nej');
  await expect(
    carer.getByRole('heading').filter({ hasText: 'Karin svarade Inte nu' }),
  ).toBeVisible();
  expect((await received(carer)).frames).toBe(0);

  const before = (await sounded(kiosk)).length;
  await rings();
  const began = Date.now();
  await expect(kiosk.getByText('Du pratar med Anna Berg')).toBeVisible({ timeout: 30_000 });
  const waited = Date.now() - began;
  console.log(`answered by itself ${waited} ms after the countdown was seen`);
  expect(waited).toBeGreaterThan(15_000);
  await expectTalk(carer, 'the carer');
  await expectTalk(kiosk, 'the resident');
  expect((await sounded(kiosk)).slice(before).filter((n) => n === chime).length).toBeGreaterThan(2);
  await hangUp(carer, kiosk);
  await deed('/close');
  await decide(kiosk, 'staff', 'auto_answer', false);

  // Whoever reads the log on the screen sees that it was so.
  await touch(kiosk, 'Tillbaka');
  await button(kiosk, 'Mina uppgifter').tap();
  await button(kiosk, 'Vem har tittat?').tap();
  const entry = kiosk.getByText(
    /Anna Berg, hemtjänsten, fick svar av skärmen efter ditt larm i dag/,
  );
  await expect(entry).toBeVisible({ timeout: 20_000 });
  await kiosk.screenshot({ path: test.info().outputPath('log.png') });
});

test('a press of any button of the home answers', async () => {
  const carer = await pageOf(browser(), 'anna');
  const kiosk = await screenOf(browser(), 'gw');
  await ring(carer);
  await expect(button(kiosk, 'Svara')).toBeVisible({ timeout: 30_000 });
  await expect(async () => {
    await deed('/button/gw'); // one in the ring's first second is meant for something else
    await expect(button(kiosk, 'Svara')).toBeHidden({ timeout: 1_000 });
  }).toPass({ timeout: 15_000 });
  await Promise.all([expectTalk(carer, 'the carer'), expectTalk(kiosk, 'the resident')]);
  const { calls } = await get<{ calls: { how: string }[] }>(carer, '/api/v1/calls?live=true');
  expect(calls.map((c) => c.how)).toEqual(['button']);
  await hangUp(carer, kiosk);
});
