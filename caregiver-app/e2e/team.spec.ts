import type { Page } from '@playwright/test';
import { card, expect, expectAccessible, expectNoSidewaysScroll, test } from './lykta';

test('an SOS: taken, on the way in ten minutes, heard in the home, closed; its chain says who was told', async ({
  page,
  mock,
}) => {
  await page.goto('/');
  const sos = card(page, 'a1');
  await sos.getByRole('button', { name: 'Jag tar det' }).click();
  await expect(sos).toContainText('Du har tagit det kl 14:1');
  await expect(sos).toContainText('Hemmet har inte fått veta det än');
  const raised = Date.parse(mock.state.alerts.get('a1').raised);
  mock.other('a1', { reached: new Date(raised + 300_000).toISOString() });
  await expect(sos).toContainText('Hemmet vet sedan kl 14:13 att du har larmet');

  await sos.getByRole('button', { name: 'Jag är på väg' }).click();
  await expectAccessible(page);
  await sos.getByRole('button', { name: '10 min' }).click();
  await expect(sos).toContainText(/Du är på väg och väntas om (9|10) min, kl 14:2\d/);
  await expect(page.getByText('Du är på väg till Märta Lindqvist')).toBeVisible();
  expect(mock.log.at(-1)).toMatchObject({ what: 'on-the-way', minutes: 10 });
  mock.other('a1', { heard: new Date(raised + 360_000).toISOString() });
  await expect(sos).toContainText('Visat för Märta Lindqvist kl 14:14');

  await sos.getByText('Vilka har fått veta?').click();
  await expect(sos.locator('.chain')).toContainText('Push till Anna Berg');
  await sos.getByRole('link', { name: 'Hela larmkedjan' }).click();
  await expect(page).toHaveURL(/\/alert\/a1$/);
  const lines = page.locator('.chain-line');
  await expect(lines.nth(1)).toContainText('14:08');
  await expect(lines.nth(1)).toContainText('Push till Anna Berg');
  await expect(lines.nth(1)).toContainText('i tjänst · framme hos tjänsten');
  await expect(page.locator('.chain')).toContainText('operatören kunde inte lämna fram det');
  await expect(page.locator('.chain')).toContainText('Anna Berg är på väg');
  await expect(lines.last()).toContainText('larmas sista utvägen och närstående igen');
  await expectAccessible(page);
  await expectNoSidewaysScroll(page);

  await card(page, 'a1').getByRole('button', { name: 'Avsluta …' }).click();
  await page.getByRole('radio', { name: 'Hjälp given' }).check();
  await page.getByRole('button', { name: 'Avsluta larmet' }).click();
  await expect(page.locator('.chain')).toContainText('Anna Berg avslutade larmet: Hjälp given');
  await expect(card(page, 'a1')).toContainText(/Avslutat kl 14:1\d av Anna Berg: Hjälp given/);
  await expect(page.getByRole('button', { name: 'Avsluta …' })).toHaveCount(0);
});

test('what another has is taken over; what nobody closed or heard of is told of at once', async ({
  page,
  mock,
}) => {
  await page.goto('/homes');
  await page.locator('.home-row').first().waitFor();
  mock.other('a2', { overdue: true });
  await expect(page.locator('[data-announce]')).toHaveText(/Fall: Sven Åkesson/);
  await page.getByRole('link', { name: /Nu/ }).click();
  const fall = card(page, 'a2');
  await expect(fall).toContainText('Tagit men inte avslutat: andra larmas igen');
  await expect(fall).toHaveClass(/card-open/);
  await fall.getByRole('button', { name: 'Ta över' }).click();
  await expect(fall).toContainText('Du har tagit det');
  await expect(fall).not.toContainText('Tagit men inte avslutat');
  await expect(card(page, 'a4')).toContainText(
    'Ingen har svarat eller kunnat larmas: någon måste agera nu',
  );
});

test('how long somebody is on the way is right also when it is sent late', async ({
  page,
  mock,
}) => {
  await page.clock.install({ time: new Date(mock.at()) });
  await page.goto('/');
  await card(page, 'a1').getByRole('button', { name: 'Jag tar det' }).click();
  await expect(card(page, 'a1')).toContainText('Du har tagit det');
  mock.setNetwork(false);
  await card(page, 'a1').getByRole('button', { name: 'Jag är på väg' }).click();
  await card(page, 'a1').getByRole('button', { name: '15 min' }).click();
  await expect(card(page, 'a1')).toContainText('Andra ser ännu inte att du är på väg');
  await page.clock.fastForward('06:00');
  mock.setNetwork(true);
  await page.clock.runFor(60_000);
  await expect.poll(() => mock.log.at(-1)).toMatchObject({ what: 'on-the-way' });
  const { minutes } = mock.log.at(-1) as { minutes: number };
  expect(minutes).toBeLessThanOrEqual(9);
  expect(minutes).toBeGreaterThanOrEqual(7);
});

test.describe('not signed in', () => {
  test.use({ options: { signedIn: false } });

  test('the link in a message leads to its alert, by a pasted code or by a sign-in link', async ({
    page,
  }) => {
    await page.goto('/alert/a2');
    await page.getByLabel('Inloggningskod').fill('lykta-1234');
    await page.keyboard.press('Enter');
    await expect(page.getByRole('heading', { name: 'Fall – Sven Åkesson' })).toBeVisible();
    await page.context().clearCookies();
    await page.goto('/alert/a2');
    await page.getByRole('heading', { name: 'Logga in' }).waitFor();
    await page.goto('/sign-in#lykta-1234');
    await expect(page.getByRole('heading', { name: 'Fall – Sven Åkesson' })).toBeVisible();
  });
});

test('an alert of which nobody could be told says that there is nobody', async ({ page, mock }) => {
  const alert = mock.raise({ home: 'sven', kind: 'sos', unheard: true, untold: true });
  await page.goto('/');
  await card(page, alert.id).getByText('Vilka har fått veta?').click();
  await expect(card(page, alert.id)).toContainText('Det finns ingen att larma.');
  await expectAccessible(page);
});

test('an alert that there is not says so', async ({ page }) => {
  await page.goto('/alert/nowhere');
  await expect(page.getByText('Larmet finns inte')).toBeVisible();
  await expectAccessible(page);
});

test('a home is tested by a press, step by step, and is protected', async ({ page, mock }) => {
  await page.goto('/homes/gunnar');
  const tool = page.locator('.tool', { hasText: 'Larmknappen' });
  await expect(tool).toContainText('Inte provat: larmknappen är inte bevisad');
  await tool.getByRole('button', { name: 'Starta prov' }).click();
  const now = tool.locator('[aria-current=step]');
  await expect(now).toContainText('Tryck på larmknappen – väntar i 10 min till');
  await expectAccessible(page);

  const press = mock.pressTest('gunnar');
  await expect(now).toHaveText('Du tar larmet');
  await expect(tool).toContainText('Du fick meddelandet (Push)');
  await expect(page.locator('.siren', { hasText: 'Gunnar' })).toHaveCount(0);
  await expect(page.locator('[data-announce]')).not.toContainText('Gunnar');
  await expect(card(page, press.id)).toContainText('Provlarm: Trygghetslarm');
  await expect(card(page, press.id)).not.toHaveClass(/card-emergency/);
  await tool.getByRole('button', { name: 'Jag tar det' }).click();
  await expect(now).toHaveText('Hemmet får veta det');
  mock.passTest('gunnar');
  await expect(tool).toContainText('Provet gick hela vägen. Hemmet är skyddat.');
  await expect(tool).toContainText('Hemmet visade det på skärmen');
  await tool.getByRole('button', { name: 'Avsluta provlarmet' }).click();
  await expect(card(page, press.id)).toHaveCount(0);
  expect(mock.log.at(-1)).toMatchObject({ what: 'resolve', outcome: 'test' });
});

test('a test from the resident’s screen says so, and does not prove the button', async ({
  page,
  mock,
}) => {
  await page.goto('/homes/gunnar');
  const tool = page.locator('.tool', { hasText: 'Larmknappen' });
  await tool.getByRole('button', { name: 'Starta prov' }).click();
  await expect(tool.locator('[aria-current=step]')).toContainText('Tryck på larmknappen');
  mock.pressTest('gunnar');
  await tool.getByRole('button', { name: 'Jag tar det' }).click();
  await expect(tool.locator('[aria-current=step]')).toHaveText('Hemmet får veta det');
  mock.screenTest('gunnar');
  await expect(tool).toContainText('Provat från skärmen: det gick hela vägen.');
  await expect(tool).toContainText('Larmknappen är inte provad.');
  await expect(tool).toContainText('Inte provat: larmknappen är inte bevisad');
  await expectAccessible(page);
  await tool.getByRole('button', { name: 'Avsluta provlarmet' }).click();
  await expect(tool.getByRole('button', { name: 'Starta prov' })).toBeVisible();
});

test('who is nobody to be told cannot test, and is told why', async ({ page, mock }) => {
  mock.setMe({ person: '' });
  await page.goto('/homes/gunnar');
  await expect(page.getByText('Du kan inte starta prov')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Starta prov' })).toHaveCount(0);
});

test('expected alerts are silenced with a reason and an end, and told of again', async ({
  page,
  mock,
}) => {
  await page.goto('/homes/sven');
  const tool = page.locator('.tool', { hasText: 'Tysta förväntade larm' });
  await expect(tool).toContainText('Trygghetslarm, fall, rök och kolmonoxid tystas aldrig.');
  await tool.getByRole('button', { name: 'Tysta larm …' }).click();
  const form = page.getByRole('dialog');
  await form.getByRole('radio', { name: 'Installatör arbetar' }).check();
  await expect(form.getByLabel('Till och med')).toHaveValue(/^2026-11-21T18:1/);
  await form.getByRole('checkbox', { name: 'Vattenläcka' }).uncheck();
  await expectAccessible(page);
  await form.getByLabel('Anteckning (frivillig)').fill('byter dörrsensor');
  await form.getByRole('button', { name: 'Tysta', exact: true }).click();
  await expect(form).toHaveCount(0);
  await expect(tool).toContainText('Installatör arbetar: byter dörrsensor – Anna Berg');
  await expect(tool).toContainText('ingen larmas till kl 18:1');
  const made = [...mock.staff.silences.values()].find((s) => s.home === 'sven');
  expect(made!.kinds).not.toContain('water_leak');

  await page.goto('/homes');
  await expect(page.locator('.home-row', { hasText: 'Sven Åkesson' })).toContainText(
    'Larm tystade',
  );
  await page.goto('/homes/sven');
  await tool.getByRole('button', { name: 'Avsluta tystnaden' }).click();
  await expect(tool).toContainText('Inga larm är tystade här.');
});

test.describe('alerts in this browser', () => {
  test.use({ serviceWorkers: 'allow' });

  test('are turned on, told to the service, and turned off', async ({ page, mock }) => {
    await fakePush(page, 'default');
    await page.goto('/');
    await page.locator('.push-hint').getByRole('button', { name: 'Få larm' }).click();
    await expect.poll(() => [...mock.staff.browsers.keys()]).toEqual(['https://push.example/1']);
    await expect(page.locator('.push-hint')).toHaveCount(0);
    await page.getByText('Meny').click();
    await expect(page.locator('.push')).toContainText('På. Larm som gäller dig');
    await expectAccessible(page);
    await page.locator('.push').getByRole('button', { name: 'Stäng av' }).click();
    await expect(page.locator('.push')).toContainText('Av. Du får larm på andra sätt');
    expect(mock.staff.browsers.size).toBe(0);
  });

  test('go on for who has signed out and in again, wherever they come in', async ({
    page,
    mock,
  }) => {
    await fakePush(page, 'default');
    await page.goto('/');
    await page.locator('.push-hint').getByRole('button', { name: 'Få larm' }).click();
    await expect.poll(() => mock.staff.browsers.size).toBe(1);
    await page.getByText('Meny').click();
    await expect(page.locator('.menu-box')).toContainText('Medan du är utloggad visas inga larm');
    await expectAccessible(page);
    mock.staff.browsers.clear(); // as the service does for who signs out
    await page.goto('/homes');
    await expect.poll(() => [...mock.staff.browsers.keys()]).toEqual(['https://push.example/1']);
  });

  test('are not told of to the service for somebody else', async ({ page, mock }) => {
    await fakePush(page, 'default');
    await page.addInitScript(() => localStorage.setItem('lykta.push', 'another'));
    await page.goto('/homes');
    await page.getByText('Meny').click();
    await expect(page.locator('.push')).toContainText('Av. Du får larm på andra sätt');
    expect(mock.staff.browsers.size).toBe(0);
  });

  test(
    'show as a message, and a touch on it leads to the alert',
    { tag: '@chromium' },
    async ({ page, context, mock }) => {
      await context.grantPermissions(['notifications']);
      await page.goto('/');
      await page.locator('.card').first().waitFor();
      await page.evaluate(async () => {
        await navigator.serviceWorker.register('/sw.js');
        await navigator.serviceWorker.ready;
      });
      const browser = await context.newCDPSession(page);
      const registered = new Promise<string>((found) =>
        browser.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
          if (registrations[0]) found(registrations[0].registrationId);
        }),
      );
      await browser.send('ServiceWorker.enable');
      await browser.send('ServiceWorker.deliverPushMessage', {
        origin: mock.url,
        registrationId: await registered,
        data: JSON.stringify({
          key: 'k1',
          title: 'Larm',
          text: 'Någon behöver hjälp nu. Svara 1 om du tar det.',
          url: `${mock.url}/alert/a2`,
          emergency: true,
        }),
      });
      const shown = () =>
        page.evaluate(async () => {
          const registration = await navigator.serviceWorker.ready;
          const all = await registration.getNotifications();
          return all.map((n) => [n.tag, n.title, n.requireInteraction, n.data as string]);
        });
      await expect.poll(shown).toEqual([['k1', 'Larm', true, `${mock.url}/alert/a2`]]);
      const [worker] = context.serviceWorkers();
      await worker!.evaluate(async () => {
        const scope = globalThis as unknown as {
          registration: ServiceWorkerRegistration;
          dispatchEvent(event: Event): void;
          NotificationEvent: new (type: string, init: object) => Event;
        };
        const [notification] = await scope.registration.getNotifications();
        scope.dispatchEvent(new scope.NotificationEvent('notificationclick', { notification }));
      });
      await expect.poll(shown).toEqual([]);
      await expect(page).toHaveURL(`${mock.url}/alert/a2`);
      await expect(page.getByRole('heading', { name: 'Fall – Sven Åkesson' })).toBeVisible();
    },
  );

  test('that the browser blocks are said to be blocked', async ({ page }) => {
    await fakePush(page, 'denied');
    await page.goto('/');
    await page.getByText('Meny').click();
    await expect(page.locator('.push')).toContainText('Webbläsaren blockerar meddelanden');
    await expect(page.locator('.push-hint')).toHaveCount(0);
  });

  test('that the service is not set up for are not offered', async ({ page, mock }) => {
    mock.staff.pushKey = '';
    await fakePush(page, 'default');
    await page.goto('/');
    await page.getByText('Meny').click();
    await expect(page.locator('.push')).toContainText('inte inställt för larm i webbläsaren');
    await expect(page.locator('.push').getByRole('button')).toHaveCount(0);
  });
});

// A headless browser has no push service: what it would do is played here.
async function fakePush(page: Page, permission: 'default' | 'denied') {
  await page.addInitScript((given) => {
    const made = {
      toJSON: () => ({
        endpoint: 'https://push.example/1',
        expirationTime: null,
        keys: { p256dh: 'BPk', auth: 'YXV0aA' },
      }),
      unsubscribe: () => Promise.resolve((subscription = null) === null),
    };
    let subscription: object | null = localStorage.getItem('lykta.push') ? made : null;
    PushManager.prototype.getSubscription = () => Promise.resolve(subscription as never);
    PushManager.prototype.subscribe = () => Promise.resolve((subscription = made) as never);
    let permission = given as NotificationPermission;
    Object.defineProperty(Notification, 'permission', { get: () => permission });
    Notification.requestPermission = () =>
      Promise.resolve((permission = permission === 'default' ? 'granted' : permission));
  }, permission);
}
