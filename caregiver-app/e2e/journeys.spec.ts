import { card, expect, expectAccessible, expectNoSidewaysScroll, test } from './lykta';

test('an alert is taken and closed with an outcome, by keyboard alone', async ({ page, mock }) => {
  await page.goto('/');
  const sos = card(page, 'a1');
  await expect(sos).toContainText('Märta Lindqvist');
  await expect(sos).toContainText('I sovrummet');
  await expect(sos).toContainText('4 min sedan · 14:08');
  await expect(page).toHaveTitle('(6) Nu – Lykta');

  await tabTo(page, 'Jag tar det – Märta Lindqvist');
  await page.keyboard.press('Enter');
  await expect(sos).toContainText('Du har tagit det kl 14:1');
  await expect(page.getByText('Du har tagit larmet hos Märta Lindqvist')).toBeVisible();

  await tabTo(page, 'Avsluta … – Märta Lindqvist');
  await page.keyboard.press('Enter');
  await expect(sos.getByRole('radio', { name: 'Hjälp given' })).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(sos.getByRole('button', { name: 'Avsluta …' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(sos.getByRole('radio', { name: 'Hjälp given' })).toBeFocused();
  await page.keyboard.press('ArrowDown');
  await expect(sos.getByRole('radio', { name: 'Ofrivilligt larm' })).toBeChecked();
  await page.keyboard.press('Tab');
  await page.keyboard.type('Knappen fastnade i täcket');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');

  await expect(sos).toHaveCount(0);
  await expect(
    page.getByText('Larmet hos Märta Lindqvist är avslutat: Ofrivilligt larm'),
  ).toBeVisible();
  await expect(page).toHaveTitle('(5) Nu – Lykta');
  expect(mock.log.map((a: { what: string }) => a.what)).toEqual(['acknowledge', 'resolve']);
  expect(mock.log[1]).toMatchObject({ outcome: 'false_press', note: 'Knappen fastnade i täcket' });
});

test('an alert is not closed without saying how it ended', async ({ page, mock }) => {
  await page.goto('/');
  await card(page, 'a2').getByRole('button', { name: 'Avsluta' }).click();
  await card(page, 'a2').getByRole('button', { name: 'Avsluta larmet' }).click();
  await expect(page.getByText('Välj hur det slutade.')).toBeVisible();
  expect(mock.log).toEqual([]);
});

test('what is done without a network is kept, said to be unsent, and sent once', async ({
  page,
  mock,
}) => {
  await page.goto('/');
  await expect(card(page, 'a1')).toBeVisible();
  mock.setNetwork(false);
  await expect(page.getByText(/Ingen direktkontakt – visar läget kl 14:1/)).toBeVisible();
  await card(page, 'a1').getByRole('button', { name: 'Jag tar det' }).click();
  await expect(card(page, 'a1')).toContainText('Andra ser ännu inte att du tar det');
  await expect(page.getByText('1 åtgärd är inte skickad än')).toBeVisible();
  await expect(card(page, 'a1')).toContainText('Ingen har tagit larmet');
  await expectAccessible(page);

  mock.setNetwork(true);
  // The link comes back by itself, too, perhaps before the button is reached.
  await page
    .getByRole('button', { name: 'Försök nu' })
    .click({ timeout: 2_000 })
    .catch(() => {});
  await expect(card(page, 'a1')).toContainText('Du har tagit det');
  await expect(page.getByText('Ingen direktkontakt')).toHaveCount(0);
  expect(mock.log).toHaveLength(1);
});

test('what waits to be sent survives a closed page, with the same key', async ({ page, mock }) => {
  // What a service worker lets through, page.route does not see.
  await page.addInitScript(() => Reflect.deleteProperty(Navigator.prototype, 'serviceWorker'));
  await page.goto('/');
  await expect(card(page, 'a1')).toBeVisible();
  // The act arrives, but its answer is lost.
  let lost = true;
  await page.route('**/acknowledge', async (route) => {
    if (!lost) return route.continue();
    await route.fetch();
    await route.abort();
  });
  await card(page, 'a1').getByRole('button', { name: 'Jag tar det' }).click();
  await expect(card(page, 'a1')).toContainText('Inte skickat än');
  lost = false;
  await page.reload();
  await expect(card(page, 'a1')).toContainText('Du har tagit det');
  await expect.poll(() => page.evaluate(() => localStorage.getItem('lykta.queue.v1'))).toBe('[]');
  expect(mock.log.length).toBeGreaterThanOrEqual(2);
  expect(new Set(mock.log.map((a: { key: string }) => a.key)).size).toBe(1);
});

test('an alert that somebody else has closed says who', async ({ page, mock }) => {
  await page.goto('/');
  await expect(card(page, 'a1')).toBeVisible();
  mock.setStreaming(false);
  Object.assign(mock.state.alerts.get('a1'), {
    state: 'resolved',
    resolved_by: 'Björn Falk',
    outcome: 'helped',
  });
  await card(page, 'a1').getByRole('button', { name: 'Jag tar det' }).click();
  await expect(
    page.getByText('Larmet hos Märta Lindqvist är redan avslutat av Björn Falk'),
  ).toBeVisible();
  await expect(card(page, 'a1')).toHaveCount(0);
});

test.describe('when all is calm', () => {
  test.use({ options: { calm: true } });

  test('a new call for help shows at once, is read out, and follows to every screen', async ({
    page,
    mock,
  }) => {
    await page.goto('/');
    await expect(page.getByRole('heading', { name: 'Allt är lugnt' })).toBeVisible();
    await expect(page).toHaveTitle('Nu – Lykta');
    const alert = mock.raise({ home: 'sven', kind: 'sos', room: 'bathroom' });
    await expect(card(page, alert.id)).toContainText('nyss');
    await expect(page.locator('[data-announce]')).toHaveText(
      'Trygghetslarm: Sven Åkesson, i badrummet',
    );
    await page.getByRole('link', { name: 'Hem', exact: true }).click();
    await expect(page.getByRole('link', { name: /Trygghetslarm: Sven Åkesson/ })).toBeVisible();
    await expectAccessible(page);
    mock.other(alert.id, { state: 'acknowledged', acknowledged_by: 'Björn Falk' });
    await expect(page.getByRole('link', { name: /Trygghetslarm: Sven Åkesson/ })).toHaveCount(0);
    await expect(page.getByText('Björn Falk har tagit larmet hos Sven Åkesson')).toBeVisible();
  });

  test('without the live link nobody is told that all is calm', async ({ page, mock }) => {
    await page.goto('/');
    await expect(page.getByText('Allt är lugnt')).toBeVisible();
    mock.setNetwork(false);
    await expect(page.getByRole('heading', { name: /^Inga larm kl 14:1/ })).toBeVisible();
    await expect(page.getByText('Allt är lugnt')).toHaveCount(0);
    mock.setNetwork(true);
    await expect(page.getByText('Allt är lugnt')).toBeVisible({ timeout: 20_000 });
  });

  test('each of many presses is an alert of its own, with buttons of its own', async ({
    page,
    mock,
  }) => {
    await page.goto('/');
    await expect(page.getByText('Allt är lugnt')).toBeVisible();
    const presses = 25;
    const raised = Array.from({ length: presses }, (_, i) =>
      mock.raise({
        home: 'sven',
        kind: 'sos',
        room: 'hall',
        observed: new Date(Date.parse('2026-11-21T13:11:00Z') + i * 2_000).toISOString(),
      }),
    );
    await expect(page.getByRole('button', { name: /^Jag tar det/ })).toHaveCount(presses);
    const third = card(page, raised[2]!.id);
    await expect(third).toContainText('14:11:04');
    await expect(third).toContainText(`Larm 3 av ${presses} härifrån`);
    await page.getByRole('button', { name: 'Jag tar det – Sven Åkesson, 14:11:04' }).click();
    await expect(third).toContainText('Du har tagit det');
    await expect(page.getByRole('button', { name: /^Jag tar det/ })).toHaveCount(presses - 1);
    await expectAccessible(page);
    await expectNoSidewaysScroll(page);
  });

  test('a missed check-in says when it should have come, and no emergency that there is', async ({
    page,
    mock,
  }) => {
    await page.goto('/');
    await expect(page.getByText('Allt är lugnt')).toBeVisible();
    const alert = mock.raise({
      home: 'sven',
      kind: 'check_in_missed',
      severity: 'attention',
      device: 'check-in 2026-11-21 10:00',
      room: '',
      observed: '2026-11-21T09:00:00Z',
    });
    await expect(card(page, alert.id)).toContainText('Skulle ha kommit kl 10:00');
    await expect(card(page, alert.id)).not.toContainText('check-in');
    await expect(card(page, alert.id)).not.toContainText('Kom fram');
    await expect(page.getByRole('heading', { name: 'Inget akut' })).toBeVisible();
  });

  test('a severity and a kind that are not known show, and break nothing', async ({
    page,
    mock,
  }) => {
    await page.goto('/');
    await expect(page.getByText('Allt är lugnt')).toBeVisible();
    mock.raise({ home: 'sven', kind: 'stove_left_on', severity: 'odd', state: 'snoozed' });
    await expect(page.getByText('Stove left on')).toBeVisible();
    mock.send('weather', { rain: true });
    mock.homeSays('sven', { last_activity: { t: new Date(mock.at()), room: 'x y', kind: 'zz' } });
    await page.getByRole('link', { name: 'Hem', exact: true }).click();
    await expect(page.getByText('Zz i X y, nyss')).toBeVisible();
  });
});

test('the live link comes back by itself and then fetches what was missed', async ({
  page,
  mock,
}) => {
  await page.goto('/');
  await expect(card(page, 'a1')).toBeVisible();
  mock.setStreaming(false);
  await expect(page.getByText(/Ingen direktkontakt/)).toBeVisible();
  const missed = mock.raise({ home: 'astrid', kind: 'smoke', room: 'kitchen' });
  mock.setStreaming(true);
  await expect(card(page, missed.id)).toContainText('Rök', { timeout: 20_000 });
  await expect(page.getByText(/Ingen direktkontakt/)).toHaveCount(0);
});

test('a reset event makes it fetch everything anew', async ({ page, mock }) => {
  await page.goto('/');
  await expect(card(page, 'a1')).toBeVisible();
  mock.state.alerts.delete('a1');
  mock.send('reset', {});
  await expect(card(page, 'a1')).toHaveCount(0);
});

test('homes: those that need somebody come first, and a name is found', async ({ page }) => {
  await page.goto('/homes');
  const names = page.locator('.home-name');
  await expect(names.first()).toHaveText('Märta Lindqvist');
  await expect(names.last()).toHaveText('Astrid Bergström');
  await page.getByLabel('Sök namn').fill('öberg');
  await expect(names).toHaveText(['Gunnar Öberg']);
  await expect(page.getByText('Ingen kontakt sedan 13:20')).toBeVisible();
  await page.getByLabel('Sök namn').fill('ingen sådan');
  await page.getByRole('button', { name: 'Visa alla hem' }).click();
  await page.getByRole('radio', { name: 'Utan kontakt' }).check();
  await expect(names).toHaveText(['Gunnar Öberg']);
});

test.describe('with two thousand homes', () => {
  test.use({ options: { homes: 2000 } });

  test('the list is there, searchable, and live', async ({ page, mock }) => {
    await page.goto('/homes');
    await expect(page.getByText('2 000 hem')).toBeVisible();
    expect(await page.locator('.home-row').count()).toBeLessThanOrEqual(60);
    await page.getByRole('button', { name: 'Visa fler' }).click();
    await expect(page.locator('.home-row')).toHaveCount(120);
    await page.getByLabel('Sök namn').fill('1742');
    await expect(page.locator('.home-row')).toHaveCount(1);
    mock.homeSays('home-1742', { silent: true, last_heard: new Date(mock.at() - 120_000) });
    await expect(page.locator('.home-row')).toContainText('Ingen kontakt sedan 14:1');
  });
});

test('one home: its day as a picture and as a list, its silence, its values', async ({
  page,
  mock,
}) => {
  test.slow();
  await page.goto('/homes/marta');
  await expect(page).toHaveTitle('(6) Märta Lindqvist – Lykta');
  const picture = page.getByRole('img', { name: /lördag 21 november/ });
  await expect(picture).toHaveAccessibleName(/Incheckad 08:02.*Ingen kontakt 10:52–12:12/);
  await expect(page.locator('.gap-silent').first()).toBeVisible();
  await page.getByText('Dagen som lista').click();
  await expect(page.getByRole('row', { name: /Ingen kontakt med hemmet/ })).toContainText(
    '10:52–12:12',
  );
  await expect(page.getByRole('row', { name: /14:08 Sovrum Trygghetslarm/ })).toBeVisible();
  await expectAccessible(page);

  mock.reading('marta', {
    t: new Date(mock.at()),
    device: 'hall-dorr',
    kind: 'contact',
    room: 'hall',
    v: 1,
  });
  await expect(page.locator('.room', { hasText: 'Hall' })).toContainText('Öppen');

  await page.getByRole('button', { name: 'Föregående dag' }).click();
  await expect(page.getByRole('img', { name: /fredag 20 november/ })).toBeVisible();
  await page.getByRole('button', { name: 'Till i dag' }).click();
  await expect(picture).toBeVisible();
  await page.getByRole('link', { name: 'Trender' }).click();
  await page.getByRole('radio', { name: '7 dygn' }).check();
  await expect(page.getByText('Temperatur, 7 dygn')).toBeVisible();
  await expect(page.locator('.curve canvas')).toBeVisible();
});

test.describe('with check-in windows that are damaged', () => {
  test.use({ options: { calm: true } });

  test('a home says so, and what to do, until they are set anew', async ({ page, mock }) => {
    mock.homeSays('marta', { check_ins: [], fault: 'LYK-0450' });
    await page.goto('/homes');
    const row = page.locator('.home-row', { hasText: 'Märta Lindqvist' });
    await expect(row).toContainText('Tiderna för incheckning är skadade');
    await page.getByRole('radio', { name: 'Behöver ses till' }).check();
    await expect(page.locator('.home-row')).toHaveCount(1);
    await row.click();
    const told = page.getByRole('region', { name: 'Ingen incheckning väntas' });
    await expect(told).toContainText('Säg till samordnaren');
    await expect(told).toContainText('LYK-0450');
    await expect(told.getByRole('link')).toHaveCount(0);
    await expect(page.locator('.fact-bad', { hasText: 'Incheckning' })).toContainText('skadade');
    await expectAccessible(page);

    // Whoever may set them is led there, and the form asks for them.
    mock.setMe({ name: 'Karin Ek', role: 'coordinator', person: '' });
    await page.reload();
    await told.getByRole('link', { name: 'Ställ in tiderna igen' }).click();
    await expect(page.getByLabel('Incheckning varje dag')).toBeChecked();
    await page.getByLabel('Senast').fill('09:30');
    await page.getByRole('button', { name: 'Spara incheckningen' }).click();
    await expect(page.getByText('Incheckningen är sparad')).toBeVisible();
    expect(mock.state.homes.get('marta')).toMatchObject({ check_ins: [{ from: 420, by: 570 }] });
    await page.goBack();
    await expect(page.getByRole('heading', { level: 1, name: /Märta/ })).toBeVisible();
    await expect(told).toHaveCount(0);
  });

  test('a home is whole on the screen at once when another has set them anew', async ({
    page,
    mock,
  }) => {
    mock.homeSays('marta', { check_ins: [], fault: 'LYK-0450' });
    await page.goto('/homes/marta');
    const told = page.getByText('Ingen incheckning väntas');
    await expect(told).toBeVisible();
    mock.homeSays('marta', { check_ins: [{ from: 420, by: 600 }], fault: undefined });
    await expect(told).toHaveCount(0);
    await expect(page.getByText('skadade')).toHaveCount(0);
  });
});

test('a home that does not exist says so, with its error code', async ({ page }) => {
  await page.goto('/homes/nobody');
  await expect(page.getByText('Hemmet finns inte')).toBeVisible();
  await expect(page.getByText('LYK-0404')).toBeVisible();
  await expectAccessible(page);
});

test.describe('not signed in', () => {
  test.use({ options: { signedIn: false } });

  test('a wrong code is told of, the right one lets in', async ({ page }) => {
    await page.goto('/');
    await expect(page.getByRole('heading', { name: 'Logga in' })).toBeVisible();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Logga in' }).click();
    await expect(page.getByText('Klistra in koden från länken.')).toBeVisible();
    await page.getByLabel('Inloggningskod').fill('fel');
    await page.keyboard.press('Enter');
    await expect(page.getByText(/Koden gäller inte.*LYK-0401/)).toBeVisible();
    await expectAccessible(page);
    await page.getByLabel('Inloggningskod').fill('https://lykta.example/sign-in#lykta-1234');
    await page.keyboard.press('Enter');
    await expect(card(page, 'a1')).toBeVisible();
  });

  test('a sign-in link lets in and leaves the address bar', async ({ page }) => {
    const asked: string[] = [];
    page.on('request', (r) => asked.push(r.url()));
    await page.goto('/sign-in#lykta-1234');
    await expect(card(page, 'a1')).toBeVisible();
    expect(new URL(page.url()).pathname + new URL(page.url()).hash).toBe('/');
    expect(asked.filter((u) => u.includes('lykta-1234') && !u.includes('#'))).toEqual([]);
  });
});

test('a session that ends asks to sign in again', async ({ page, mock }) => {
  await page.goto('/');
  await expect(card(page, 'a1')).toBeVisible();
  mock.expire();
  await expect(page.getByText('Du behöver logga in igen.')).toBeVisible();
  await expect(page.getByText('Märta')).toHaveCount(0);
});

test('signing out and the language, remembered', async ({ page }) => {
  await page.goto('/');
  await page.getByText('Meny').click();
  await expectAccessible(page);
  await page.getByRole('radio', { name: 'English' }).check();
  await expect(page.locator('html')).toHaveAttribute('lang', 'en');
  await expect(page.getByRole('heading', { name: 'Needs help now' })).toBeVisible();
  await page.reload();
  await expect(page.getByRole('heading', { name: 'Needs help now' })).toBeVisible();
  await expect(page).toHaveTitle('(6) Now – Lykta');
  await page.getByText('Menu').click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
});

test('a server that fails is told of with its error code, and tried again', async ({
  page,
  mock,
}) => {
  mock.fail(/\/homes/, 500, 'LYK-0001');
  await page.goto('/');
  await expect(page.getByText('Felkod LYK-0001')).toBeVisible();
  await expectAccessible(page);
  mock.fail(null, 0, '');
  await page.getByRole('button', { name: 'Försök igen' }).click();
  await expect(card(page, 'a1')).toBeVisible();
});

test('no network at the start is told of, and it begins when there is one', async ({
  page,
  mock,
}) => {
  mock.setNetwork(false);
  await page.goto('/');
  await expect(page.getByRole('heading', { name: 'Ingen kontakt med Lykta' })).toBeVisible();
  mock.setNetwork(true);
  await expect(card(page, 'a1')).toBeVisible({ timeout: 20_000 });
});

async function tabTo(page: import('@playwright/test').Page, name: string) {
  for (let i = 0; i < 40; i++) {
    await page.keyboard.press('Tab');
    const focused = await page.evaluate(() => document.activeElement?.textContent);
    if (focused === name) return;
  }
  throw new Error(`the keyboard does not reach “${name}”`);
}
