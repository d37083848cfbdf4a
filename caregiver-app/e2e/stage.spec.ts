// Each person's own journey, from signing in to being done, in a real Chromium
// against the real programs: started by e2e/journeys_test.go.
import { chromium } from '@playwright/test';
import { expectAccessible, expectNoSidewaysScroll } from './lykta';
import {
  deed,
  expect,
  invitation,
  openKiosk,
  phone,
  test,
  throttle,
  url,
  withPasskeys,
  type Page,
} from './stage';

test.skip(!url, 'LYKTA_URL names no stage');

/** Comes in by an invitation, and keeps the sign-in on this device. */
async function enter(page: Page, person: string) {
  await page.goto(await invitation(person));
  await page.getByRole('button', { name: 'Ja, det är jag' }).click();
  await page.getByRole('button', { name: /^Spara inloggningen/ }).click();
}

/** Holds the kiosk's button for help until the press has been made. */
async function holdHelp(page: Page) {
  const button = page.getByRole('button', { name: /^(Hjälp|Larma igen)/ });
  const box = (await button.boundingBox())!;
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Larmet skickas');
  await page.mouse.up();
}

test.describe('the carer', () => {
  test.use(phone);

  test('comes in by an invitation, and next time by a passkey; takes and closes an SOS', async ({
    page,
  }) => {
    await withPasskeys(page);
    await throttle(page);
    await enter(page, 'anna');
    await expect(page.getByText('Allt är lugnt')).toBeVisible({ timeout: 30_000 });

    await page.getByText('Meny', { exact: true }).click();
    await page.getByRole('button', { name: 'Logga ut', exact: true }).click();
    await page.getByRole('button', { name: 'Logga in', exact: true }).click();
    await expect(page.getByText('Allt är lugnt')).toBeVisible({ timeout: 30_000 });

    await deed('/press/gw/hall/sos');
    const alarm = page.locator('[data-alert]').filter({ hasText: 'Karin' });
    await alarm.getByRole('button', { name: 'Jag tar det' }).click({ timeout: 30_000 });
    await expect(page.getByText(/Du har tagit larmet/)).toBeVisible();
    const kiosk = await page.context().newPage();
    await openKiosk(kiosk, 'gw');
    await expect(kiosk.getByText('Anna Berg har sett ditt larm').first()).toBeVisible();
    await kiosk.close();
    await alarm.getByRole('button', { name: /^Avsluta/ }).click();
    await alarm.getByRole('radio', { name: 'Hjälp given' }).check();
    await alarm.getByRole('button', { name: 'Avsluta larmet' }).click();
    await expect(page.getByText('Allt är lugnt')).toBeVisible({ timeout: 30_000 });
    await expectAccessible(page);
    await expectNoSidewaysScroll(page);
  });
});

test.describe('the resident', () => {
  test.use({ viewport: { width: 1280, height: 800 }, locale: 'sv-SE' });

  test('says that she is well and presses for help with the network cut, and sees the truth', async ({
    page,
  }) => {
    await openKiosk(page, 'gw');
    const well = page.getByRole('button', { name: /^Jag mår bra/ });
    const heading = page.getByRole('heading', { level: 1 });
    await expect(well).toBeVisible();
    await deed('/cut');
    await well.click();
    await expect(page.getByText('Sparat. Skickas när nätet är tillbaka.')).toBeVisible({
      timeout: 30_000,
    });
    await holdHelp(page);
    await expect(page.getByText(/Ingen förbindelse just nu/)).toBeVisible({ timeout: 30_000 });
    await expectAccessible(page);

    await deed('/heal');
    await expect(heading).toHaveText('Larmet är framme', { timeout: 60_000 });
    await deed('/close');
    await expect(heading).toHaveText('Larmet är avslutat', { timeout: 30_000 });
    await expect(page.getByText(/Tack! Vi har hört dig/)).toBeVisible();
  });
});

test.describe('the relative', () => {
  test('accepts an invitation, installs, gets a push, and sees only what is allowed', async ({
    page: kiosk,
  }, info) => {
    const flags = JSON.parse(process.env['LYKTA_PUSH_FLAGS'] ?? '[]') as string[];
    const { launchOptions } = info.project.use;
    // Pushes are taken in a profile that lasts, never in a private window.
    const browser = await chromium.launchPersistentContext(info.outputPath('profile'), {
      ...launchOptions,
      args: [...(launchOptions?.args ?? []), ...flags],
      ...phone,
      permissions: ['notifications'],
    });
    const page = browser.pages()[0] ?? (await browser.newPage());
    await withPasskeys(page);
    await throttle(page);
    await page.goto(await invitation('maria'));
    await expect(page).toHaveURL(/\/family\/invitation$/);
    await expect(
      page.getByText(/Du ser bara det som den som bor där har sagt ja till/),
    ).toBeVisible();
    await page.getByRole('button', { name: 'Tacka ja' }).click();
    await page.getByRole('button', { name: /^Spara inloggningen/ }).click();
    await page.getByRole('button', { name: 'Visa hur det är' }).click();

    // Maria was named as one who is told of alarms; Karin has allowed no more yet, and it is said so.
    await expect(page.getByRole('heading', { name: /delar inte om dagen är bra/ })).toBeVisible();
    await expect(page.locator('[data-alert]')).toHaveCount(0);
    await expect(page.getByText(/delar inte om dagen är bra/).last()).not.toContainText('larm');
    await expectAccessible(page);
    const cdp = await browser.newCDPSession(page);
    const { installabilityErrors } = await cdp.send('Page.getInstallabilityErrors');
    expect(installabilityErrors).toEqual([]);
    await page.getByRole('link', { name: 'Konto' }).click();
    await page.getByRole('button', { name: 'Slå på larm' }).click();
    await expect(page.getByRole('button', { name: 'Stäng av' })).toBeVisible();

    // Karin's screen says that Maria is told, and Karin allows one thing more.
    await kiosk.setViewportSize({ width: 1280, height: 800 });
    await openKiosk(kiosk, 'gw');
    const decide = async (what: RegExp, choice: string, then: string) => {
      await kiosk.getByRole('button', { name: what }).click();
      await kiosk.getByRole('button', { name: choice }).click();
      await expect(kiosk.getByRole('button', { name: what })).toContainText(then);
    };
    await kiosk.getByRole('button', { name: 'Mina uppgifter' }).click();
    await kiosk.getByRole('button', { name: 'Maria Nilsson' }).click();
    const told = kiosk.getByRole('button', { name: /Mina larm/ });
    await expect(told).toContainText('Får veta när du larmar');
    await decide(/Om jag har sagt att jag mår bra/, 'Ja, Maria Nilsson får veta', 'Får veta');
    await page.getByRole('link', { name: 'Läget' }).click();
    await expect(page.getByRole('heading', { name: /har sagt att allt är bra/ })).toBeVisible({
      timeout: 30_000,
    });
    await expect(page.locator('.refused')).toContainText('rörelse i hemmet');

    // A press reaches her phone, and she is on her way.
    const worker = browser.serviceWorkers().find((w) => w.url().includes('sw.js'));
    expect(worker).toBeDefined();
    await deed('/press/gw/hall/sos');
    const alarm = page.locator('[data-alert]').first();
    await expect(alarm).toContainText(/har tryckt på larmknappen/, { timeout: 30_000 });
    const shown = () =>
      page.evaluate(async () => {
        const all = await navigator.serviceWorker.getRegistrations();
        const lists = await Promise.all(all.map((r) => r.getNotifications()));
        return lists.flat().length;
      });
    await expect.poll(shown, { timeout: 60_000 }).toBeGreaterThan(0);
    await alarm.getByRole('button', { name: 'Jag är på väg' }).click();
    await alarm.getByRole('button', { name: '15 min' }).click();
    await expect(alarm).toContainText('Du är på väg');
    await expect(kiosk.getByRole('heading', { level: 1 })).toHaveText(
      /Maria Nilsson kommer om 1[45] minuter/,
      { timeout: 30_000 },
    );

    // What Karin takes back is gone at once.
    await deed('/close');
    const week = page.getByRole('heading', { name: 'De senaste sju dagarna' });
    await expect(week).toBeVisible({ timeout: 30_000 });
    await kiosk.getByRole('button', { name: 'Mina uppgifter' }).click({ timeout: 60_000 });
    await kiosk.getByRole('button', { name: 'Maria Nilsson' }).click();
    await decide(/Mina larm/, 'Nej, Maria Nilsson ska inte få veta', 'Får inte veta');
    await expect(week).toBeHidden({ timeout: 30_000 });
    await expect(page.locator('.refused')).toContainText('larm');
    await browser.close();
  });
});

test.describe('the coordinator', () => {
  test("plans next week's rota", async ({ page }, { retry }) => {
    await page.setViewportSize({ width: 1440, height: 900 });
    await withPasskeys(page);
    await throttle(page);
    await enter(page, 'karl');
    await page.getByRole('link', { name: 'Planering' }).click();
    // A second try has a week of its own: what the first one saved is there.
    const ahead = async () => {
      for (let i = 0; i <= retry; i++)
        await page.getByRole('button', { name: 'Nästa vecka' }).click();
    };
    await ahead();
    const form = page.getByRole('dialog');
    for (const weekday of [0, 1, 2, 3, 4, 5, 6]) {
      await page.getByRole('button', { name: 'Nytt pass …' }).click();
      await form.getByLabel('Vem').selectOption('Anna Berg');
      const day = dayAhead(retry + 1, weekday);
      await form.getByLabel('Från').fill(`${day}T07:00`);
      await form.getByLabel('Till').fill(`${day}T16:00`);
      await form.getByRole('button', { name: 'Spara' }).click();
      await expect(form).toHaveCount(0);
    }
    await expect(page.getByRole('button', { name: /Anna Berg/ })).toHaveCount(7);
    await page.reload();
    await ahead();
    await expect(page.getByRole('button', { name: /Anna Berg/ })).toHaveCount(7);
    await expectAccessible(page);
  });
});

/** A day of the week that comes after so many, from its Monday, as YYYY-MM-DD, where the homes are. */
function dayAhead(weeks: number, weekday: number): string {
  const today = new Date().toLocaleDateString('sv-SE', { timeZone: 'Europe/Stockholm' });
  const day = new Date(`${today}T12:00:00Z`);
  day.setUTCDate(day.getUTCDate() + 7 * weeks - ((day.getUTCDay() + 6) % 7) + weekday);
  return day.toISOString().slice(0, 10);
}

test.describe('the installer', () => {
  test.use(phone);

  test('takes a new home from its box to protected', async ({ page }) => {
    await withPasskeys(page);
    await throttle(page);
    await enter(page, 'karl');
    await page.getByText('Meny', { exact: true }).click();
    const began = Date.now();
    await page.getByRole('link', { name: 'Nytt hem' }).click();
    await page.getByLabel('Vem bor där').fill('Elsa Nyström');
    await page.getByLabel('Område').fill('norr');
    await page.getByLabel('Larmboxens id').fill('box-7');
    await page.getByRole('button', { name: 'Lägg till hemmet' }).click();
    await expect(page.getByText('Väntar på larmboxen box-7 …')).toBeVisible();

    const { button } = await deed<{ button: string }>('/unpack/box-7');
    await page.getByRole('button', { name: 'Släpp in nya enheter' }).click({ timeout: 60_000 });
    const motion = page.getByRole('listitem', { name: /^Rörelsesensor/ });
    const knob = page.getByRole('listitem', { name: /^Knapp/ });
    await motion.getByLabel('Rum').selectOption('Hall', { timeout: 60_000 });
    await knob.getByLabel('Rum').selectOption('Sovrum', { timeout: 60_000 });
    await knob.getByRole('radio', { name: 'Larm' }).check();
    await page.getByRole('button', { name: 'Starta prov' }).click();
    await expect(page.locator('.walk')).toBeVisible();
    await deed(`/touch/box-7/${button}`);
    await page.getByRole('button', { name: 'Jag tar det' }).click({ timeout: 30_000 });
    await expect(page.getByRole('heading', { name: 'Skyddat' })).toBeVisible({ timeout: 60_000 });
    console.log(`from box to protected: ${Math.round((Date.now() - began) / 1_000)} s`);
    expect(Date.now() - began).toBeLessThan(5 * 60_000);
    await expectAccessible(page);
  });
});
