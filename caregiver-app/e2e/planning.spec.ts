import type { Page } from '@playwright/test';
import { expect, expectAccessible, expectNoSidewaysScroll, test, type Mock } from './lykta';

test.describe('a coordinator', () => {
  test.beforeEach(({ mock }) => mock.setMe({ name: 'Karin Ek', role: 'coordinator', person: '' }));

  test('fills a gap of the rota with a new shift, and takes it away again', async ({
    page,
    mock,
  }) => {
    await page.goto('/rota');
    await expect(page.locator('.on-duty')).toContainText('Anna Berg');
    await expect(page.getByText('Ingen i tjänst sön 22–mån 07: då larmas alla i')).toBeVisible();
    await page.getByRole('button', { name: 'Fyll luckan sön 22–mån 07' }).click();
    const form = page.getByRole('dialog');
    await form.getByRole('button', { name: 'Spara' }).click();
    await expect(form.getByText('Välj en person.')).toBeVisible();
    await expectAccessible(page);
    await form.getByLabel('Vem').selectOption('Björn Falk');
    await form.getByRole('button', { name: 'Spara' }).click();
    await expect(form).toHaveCount(0);
    await expect(page.getByText('Ingen i tjänst sön 22')).toHaveCount(0);
    await expect(page.getByText('Ingen i tjänst ons 22–tors 07')).toBeVisible();

    const made = [...mock.staff.shifts.values()].at(-1)!;
    expect(made).toMatchObject({ area: 'Norr', from: '2026-11-22T21:00:00.000Z' });
    await page
      .locator('.bar-duty:visible, .day-duty:visible')
      .filter({ hasText: 'Björn Falk' })
      .last()
      .click();
    await expect(form.getByLabel('Från')).toHaveValue('2026-11-22T22:00');
    await form.getByRole('button', { name: 'Ta bort passet' }).click();
    await expect(page.getByText('Ingen i tjänst sön 22–mån 07: då larmas')).not.toHaveCount(0);
  });

  for (const page of ['rota', 'visits'] as const) {
    test(`goes on to the week after the next without waiting for the next: ${page}`, async ({
      page: browser,
    }) => {
      await browser.goto(`/${page}`);
      const next = browser.getByRole('button', { name: 'Nästa vecka' });
      await next.focus();
      // No week is answered until both have been asked for.
      let go = () => {};
      const gone = new Promise<void>((resolve) => (go = resolve));
      await browser.route(/\/api\/v1\/(shifts|visits)\?/, async (route) => {
        await gone;
        await route.continue();
      });
      const asked = browser.waitForRequest(/\/api\/v1\/(shifts|visits)\?/);
      await browser.keyboard.press('Enter');
      await asked;
      await browser.keyboard.press('Enter');
      await expect(browser.getByText('Vecka 49')).toBeVisible();
      await expect(browser.locator('.plan-wait')).toBeVisible();
      go();
      await expect(browser.locator('.plan-wait')).toHaveCount(0);
      await expect(next).toBeFocused();
    });
  }

  test('adds a person, whose number is put right, and keeps a last resort', async ({
    page,
    mock,
  }) => {
    await page.goto('/people');
    await page.getByRole('button', { name: 'Ny person …' }).click();
    const form = page.getByRole('dialog');
    await form.getByLabel('Namn').fill('Åsa Öberg');
    await form.getByLabel('Adress eller nummer 1').fill('112');
    await form.getByRole('button', { name: 'Spara' }).click();
    await expect(form.getByText('Skriv telefonnumret med siffror')).toBeVisible();
    await form.getByLabel('Adress eller nummer 1').fill('070-174 06 44');
    await form.getByLabel('Adress eller nummer 1').blur();
    await expect(form.getByLabel('Adress eller nummer 1')).toHaveValue('+46701740644');
    await expectAccessible(page);
    await form.getByRole('button', { name: 'Spara' }).click();
    const card = page.locator('.person', { hasText: 'Åsa Öberg' });
    await expect(card).toContainText('SMS +46 70 174 06 44');
    expect(mock.staff.people.get('asa-oberg')).toMatchObject({ name: 'Åsa Öberg' });

    await page.getByRole('button', { name: /Ta bort Larmcentralen ur/ }).click();
    await expect(page.getByText(/Någon måste finnas kvar som sista utväg.*LYK-0503/)).toBeVisible();

    await card.getByRole('button', { name: 'Lägg i grupp …' }).click();
    await form.getByRole('radio', { name: 'Sista utväg' }).check();
    await form.getByRole('button', { name: 'Spara' }).click();
    await expect(card).toContainText('Sista utväg: Hela kommunen');
    await page.getByRole('button', { name: /Ta bort Larmcentralen ur/ }).click();
    await expect(page.locator('.person', { hasText: 'Larmcentralen' })).toContainText(
      'I ingen grupp',
    );
    mock.staff.members = mock.staff.members.filter((m) => m.group !== 'last_resort');
    await page.reload();
    await expect(page.getByText('Sista utväg saknas')).toBeVisible();
    await expectAccessible(page);
  });

  test('changes the order in which emergencies are told, within its bounds', async ({
    page,
    mock,
  }) => {
    await page.goto('/policies');
    const urgent = page.locator('.policy-emergency');
    await expect(urgent).toContainText('Först larmas de som är i tjänst.');
    await urgent.getByRole('button', { name: 'Ändra …' }).click();
    const form = page.getByRole('dialog');
    await form.getByLabel('Sekunder till nästa steg').first().fill('90');
    await form.getByRole('button', { name: 'Spara' }).click();
    await expect(form.getByText('Steg 1 av ett akut larm väntar högst 60 sekunder.')).toBeVisible();
    await form.getByLabel('Sekunder till nästa steg').first().fill('45');
    await expectAccessible(page);
    await form.getByRole('button', { name: 'Spara' }).click();
    await expect(urgent).toContainText('Efter 45 sekunder: de som är i tjänst och alla i området.');
    expect(mock.staff.policies.get('Norr emergency')).toMatchObject({ rounds: 0, hold: 30 });
  });

  test('sees what a week asked of whom', async ({ page }) => {
    await page.goto('/load');
    await expect(page.locator('.load-summary')).toContainText('12 var på riktigt');
    await expect(page.locator('.load-summary')).toContainText('24 meddelanden om natten');
    await page.getByRole('button', { name: 'Föregående vecka' }).click();
    await expect(page.getByText('Vecka 46')).toBeVisible();
  });
});

test.describe('two who plan the same visit', () => {
  test.beforeEach(({ mock }) => mock.setMe({ name: 'Karin Ek', role: 'coordinator', person: '' }));

  const begin = async (page: Page, mock: Mock) => {
    await page.goto('/visits');
    await page.locator('.plan-visit:visible').first().waitFor();
    await page.locator('button.plan-visit:visible').first().click();
    const form = page.getByRole('dialog');
    await form.getByLabel('Vad').fill('Något annat');
    const of = await form.getByLabel('Klockan').inputValue();
    const visit = [...mock.admin.visits.values()].find(
      (v) => v.state === 'planned' && clockOf(v.from) === of,
    )!;
    return { form, visit };
  };
  const clockOf = (time: string) =>
    new Date(time).toLocaleTimeString('sv', {
      ...{ hour: '2-digit', minute: '2-digit', timeZone: 'Europe/Stockholm' },
    });

  for (const keeps of [true, false]) {
    test(`are told, and ${keeps ? 'keep' : 'replace'} what the other did`, async ({
      page,
      mock,
    }) => {
      const { form, visit } = await begin(page, mock);
      const moved = { from: '2026-11-22T14:00:00.000Z', to: '2026-11-22T14:45:00.000Z' };
      const chosen = [...mock.admin.visits.values()].filter((v) => v.from === visit.from);
      for (const v of chosen) Object.assign(v, { ...moved, rev: 2, by: 'Anna Berg' });
      await form.getByRole('button', { name: 'Spara' }).click();
      await expect(
        form.getByRole('heading', { name: 'Besöket har ändrats under tiden' }),
      ).toBeVisible();
      await expect(form).toContainText(
        'Anna Berg har flyttat besöket till sön 22 nov. 15:00–15:45.',
      );
      await expect(form).toContainText('Något annat');
      await expectAccessible(page);
      await expectNoSidewaysScroll(page);
      const name = keeps ? 'Behåll som det är' : 'Spara min ändring';
      await form.getByRole('button', { name }).click();
      await expect(form).toHaveCount(0);
      const now = chosen.map(({ id }) => mock.admin.visits.get(id)!);
      expect(now.filter((v) => v.what === 'Något annat')).toHaveLength(keeps ? 0 : 1);
      if (keeps) for (const v of now) expect(v).toMatchObject(moved);
    });
  }
});

test('a list of devices that is cut says so, and an area is asked for by itself', async ({
  page,
  mock,
}) => {
  mock.setMe({ name: 'Karin Ek', role: 'coordinator', person: '' });
  (mock.admin as unknown as { cut: boolean }).cut = true;
  await page.goto('/devices');
  await expect(page.getByText('Alla enheter får inte plats här')).toBeVisible();
  await expectAccessible(page);
  await page.getByRole('radio', { name: 'Norr' }).check();
  await expect(page.getByText('Alla enheter får inte plats här')).toHaveCount(0);
  await expect(page.locator('.devices')).toContainText('Märta Lindqvist');
});

test('a caregiver sees the rota, and hands over what they cannot go on with', async ({
  page,
  mock,
}) => {
  await page.goto('/');
  await page.getByRole('link', { name: 'Planering' }).click();
  await expect(page).toHaveTitle('(6) Schema – Lykta');
  await expect(page.locator('.on-duty')).toContainText('Anna Berg');
  await expect(page.getByRole('button', { name: 'Nytt pass …' })).toHaveCount(0);
  await expect(page.getByRole('link', { name: 'Belastning' })).toHaveCount(0);
  const own = page.locator('.bar-duty:visible, .day-duty:visible');
  // Today is the Saturday: of Anna's shifts the one before the last of the week.
  await own.filter({ hasText: 'Anna Berg' }).nth(-2).click();
  const form = page.getByRole('dialog');
  await expect(form).toContainText('Anna Berg har passet lör 07–15.');
  await form.getByLabel('Till vem').selectOption('Björn Falk');
  await form.getByRole('button', { name: 'Lämna över' }).click();
  await expect(page.getByText('Björn Falk tar över passet')).toBeVisible();
  await expect(page.locator('.on-duty')).toContainText('Björn Falk');
  await expect(page.locator('.on-duty')).not.toContainText('Anna Berg');
  expect(mock.staff.shifts.get('anna-Norr-0-7')!.to).toMatch(/^2026-11-21T13:1/);
  await page.goto('/load');
  await expect(page.getByText('Din roll får inte göra det här.')).toBeVisible();
});

test('a home says which relatives and neighbours are told, and of what', async ({ page }) => {
  await page.goto('/homes/marta/card');
  const tool = page.locator('.tool', { hasText: 'Närstående och hjälpare' });
  await expect(tool).toContainText('Lena Lindqvist – Närstående');
  await expect(tool).toContainText('Larmas om trygghetslarm och fall · SMS, E-post');
  await expect(tool).toContainText('Olle i trean – Hjälpare i närheten');
});

test('a page that cannot be answered says why, and is tried again', async ({ page, mock }) => {
  mock.fail(/\/people/, 500, 'LYK-0507');
  await page.goto('/people');
  await expect(page.getByText(/LYK-0507/)).toBeVisible();
  await expectAccessible(page);
  mock.fail(null, 0, '');
  await page.getByRole('button', { name: 'Försök igen' }).click();
  await expect(page.locator('.person').first()).toBeVisible();
});
