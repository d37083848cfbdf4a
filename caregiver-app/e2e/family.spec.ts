// The relatives' app in a browser: what a daughter sees and does in a day.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { BrowserContext, Page } from '@playwright/test';
import { expect, expectAccessible, expectNoSidewaysScroll, test, type Mock } from './lykta';
import { bertil } from './mock/family.mjs';
import { withPasskeys } from './stage';

test.use({ options: { calm: true }, serviceWorkers: 'block' });

const maria = { name: 'Maria Lindqvist', role: 'relative', person: 'maria', passkeys: 1 };

test.beforeEach(({ mock }) => mock.setMe(maria));

const marta = (mock: Mock) => mock.family.homes.get('marta')!;
const iso = (ms: number) => new Date(ms).toISOString();
const alert = (page: Page, id: string) => page.locator(`[data-alert="${id}"]`);

test('the light says that all is well, in words', async ({ page }) => {
  await page.goto('/family/');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(
    'Märta har sagt att allt är bra',
  );
  await expect(page.locator('.hero')).toContainText('I dag kl 08:12');
  await expect(page.locator('.hero')).toContainText('Inga larm just nu');
  await expect(page.locator('.home-side')).toContainText('I dag 16:00–16:30');
  await expect(page.locator('.home-side')).toContainText('132/81 mmHg');
  await expect(page).toHaveTitle('Märta har sagt att allt är bra – Lykta');
  await expectAccessible(page);
  await expectNoSidewaysScroll(page);
});

test('how warm it is and who is told are shown where the resident allows it', async ({
  page,
  mock,
}) => {
  const home = marta(mock);
  await page.goto('/family/');
  await page.locator('.home-side').getByText('132/81 mmHg').waitFor();
  await expect(page.getByRole('heading', { name: 'Kontaktkort' })).toHaveCount(0);
  Object.assign(home, {
    allowed: [...home.allowed, 'climate', 'contacts'],
    climate: [
      { t: iso(mock.at()), device: 'th', room: 'kök', kind: 'temperature', v: 20.5, unit: 'Cel' },
    ],
    card: {
      address: 'Storgatan 4',
      phone: '0660-123 45',
      contacts: ['Maria Lindqvist', 'Lena Ek'],
    },
  });
  await page.reload();
  await expect(page.locator('.home-side')).toContainText(/Temperatur i köket\s*20,5.°C/);
  await expect(page.locator('.home-side')).toContainText(
    'Vilka som får larm: Maria Lindqvist och Lena Ek.',
  );
  await expect(page.getByRole('link', { name: '0660-123 45' })).toHaveAttribute(
    'href',
    'tel:066012345',
  );
  await expectAccessible(page);
  await expectNoSidewaysScroll(page);
});

test('a check-in shows at once, without the page being touched', async ({ page, mock }) => {
  Object.assign(marta(mock), { light: 'waiting', checked_in: null });
  await page.goto('/family/');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Märta har inte sagt till än');
  const lit = { ...marta(mock), light: 'lit', checked_in: iso(mock.at()), calm: true, alerts: [] };
  await expect
    .poll(() => (mock.send('family', { home: lit }), page.locator('h1').innerText()))
    .toBe('Märta har sagt att allt är bra');
});

test('an alert is taken, set out for, and seen to end', async ({ page, mock }) => {
  await page.goto('/family/');
  await page.locator('.hero').waitFor();
  const { id } = mock.raise({ home: 'marta', kind: 'sos' });
  const card = alert(page, id);
  await expect(card).toContainText('Märta har tryckt på larmknappen');
  await expect(card).toContainText('Ingen har tagit det än');
  await card.getByText('Vilka har fått veta?').click();
  await expect(card).toContainText('Anna Berg: avisering, framme');
  await expectAccessible(page);
  await card.getByRole('button', { name: 'Jag tar det' }).click();
  await expect(card).toContainText('Du har det');
  await expect(page.locator('.notice')).toContainText('Alla ser nu att du tar det');
  await card.getByRole('button', { name: 'Jag är på väg' }).click();
  await card.getByRole('button', { name: '15 min' }).click();
  await expect(card).toContainText('Du är på väg');
  await expect(card).toContainText('Väntas vara framme kl 14:27');
  const over = {
    state: 'resolved',
    stage: 'resolved',
    outcome: 'helped',
    resolved_at: iso(mock.at()),
  };
  mock.other(id, over);
  await expect(card).toHaveCount(0);
  await expect(page.locator('.home-side')).toContainText('Hjälp given');
});

test('an alert that comes while all is fetched is not covered by an older answer', async ({
  page,
  mock,
}) => {
  await page.goto('/family/');
  await page.locator('.hero').waitFor();
  let id = '';
  let answered = false; // not by what was asked for before
  await page.route('**/api/v1/family', async (route) => {
    const older = await route.fetch();
    if (!id) {
      ({ id } = mock.raise({ home: 'marta', kind: 'sos' }));
      await alert(page, id).waitFor(); // by the live link
    }
    await route.fulfill({ response: older });
    answered = true;
  });
  mock.send('reset', {});
  await expect.poll(() => answered).toBe(true);
  await expect(alert(page, id)).toContainText('Märta har tryckt på larmknappen');
});

test('what another has taken is left to them', async ({ page, mock }) => {
  const { id } = mock.raise({ home: 'marta', kind: 'fall' });
  await page.goto(`/family/alert/${id}`);
  await expect(alert(page, id)).toContainText('Märta kan ha fallit');
  await alert(page, id).getByRole('button', { name: 'Jag är på väg' }).click();
  mock.other(id, {
    state: 'acknowledged',
    stage: 'on_the_way',
    held_by: 'Björn Falk',
    held_at: iso(mock.at()),
    left_at: iso(mock.at()),
    expected: iso(mock.at() + 9 * 60_000),
    heard: iso(mock.at()),
  });
  await expect(alert(page, id)).toContainText('Björn Falk är på väg');
  await expect(alert(page, id)).toContainText('Du behöver inte göra något');
  await expect(alert(page, id)).toContainText('Märta vet att hjälp är på gång');
  await expect(alert(page, id).getByRole('button')).toHaveCount(0);
});

test('without a network an act is kept, said to be unsent, and sent once', async ({
  page,
  mock,
}) => {
  const { id } = mock.raise({ home: 'marta', kind: 'sos' });
  await page.goto('/family/');
  await alert(page, id).waitFor();
  mock.setNetwork(false);
  await alert(page, id).getByRole('button', { name: 'Jag tar det' }).click();
  await expect(alert(page, id)).toContainText('De andra ser ännu inte att du tar det');
  await expect(page.locator('.link-state')).toContainText('1 sak är inte skickad än');
  await expect(page.locator('.link-state')).toContainText('Ingen kontakt just nu. Du ser läget kl');
  await expectAccessible(page);
  const again = page.getByRole('button', { name: 'Försök nu' });
  await expect(again).toBeVisible();
  mock.setNetwork(true);
  await again.click({ timeout: 2_000 }).catch(() => {}); // it has tried by itself meanwhile
  await expect(alert(page, id)).toContainText('Du har det', { timeout: 15_000 });
  await expect(page.locator('.link-state')).not.toContainText('inte skickad än');
  const keys = mock.log.filter((l) => l.what === 'acknowledge').map((l) => l.key);
  expect(new Set(keys).size).toBe(1);
});

test('what is not shared is said plainly, and is no fault', async ({ page, mock }) => {
  Object.assign(marta(mock), {
    allowed: ['check_in'],
    refused: ['alerts', 'visits', 'messages', 'activity', 'health'],
    activity: null,
    health: [],
    visits: [],
  });
  await page.goto('/family/');
  await expect(page.locator('.home-side')).toContainText(
    /Märta delar inte\s*larm\s*vem som kommer\s*hälsningar på skärmen\s*rörelse i hemmet\s*sin hälsa/,
  );
  await expect(page.locator('.home-side')).toContainText('Det bestämmer Märta');
  await expect(page.locator('.hero')).not.toContainText('Inga larm');
  await expect(page.getByText('132/81')).toHaveCount(0);
  await page.getByRole('link', { name: 'Besök', exact: true }).click();
  await expect(page.locator('main')).toContainText('Märta delar inte vem som kommer.');
  await page.getByRole('link', { name: 'Hälsning', exact: true }).click();
  await expect(page.locator('main')).toContainText('tar inte emot hälsningar');
  await expect(page.getByRole('textbox')).toHaveCount(0);
  await expectAccessible(page);
});

test('a greeting with a picture is made small, sent, and followed to the screen', async ({
  page,
  mock,
}) => {
  await page.goto('/family/homes/marta/messages');
  await page.getByLabel('Skriv till Märta').fill('Hej mamma!');
  await page.locator('input[type=file]').setInputFiles({
    name: 'stor.png',
    mimeType: 'image/png',
    buffer: await large(page),
  });
  await expect(page.getByRole('img', { name: 'Bilden som skickas' })).toBeVisible();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Skicka till Märta' }).click();
  await expect(page.locator('.message').first()).toContainText('På väg till skärmen');
  const [sent] = mock.family.sent;
  const jpeg = Buffer.from(sent!.picture, 'base64');
  expect(jpeg.length).toBeLessThanOrEqual(120 * 1024);
  expect([jpeg[0], jpeg[1]]).toEqual([0xff, 0xd8]);
  expect(widthOf(jpeg)).toBeLessThanOrEqual(1024);
  expect(widthOf(jpeg)).toBeGreaterThan(500);
  const own = mock.family.messages.get('marta')!;
  Object.assign(own[0]!, { reached: iso(mock.at()), heard: iso(mock.at()) });
  mock.send('family', { home: { ...marta(mock), calm: true, alerts: [] } });
  await expect(page.locator('.message').first()).toContainText('Visat för Märta kl 14:1');
  await page.locator('.message').first().getByRole('button', { name: 'Ta tillbaka' }).click();
  await expect(page.getByText('Hej mamma!')).toHaveCount(0);
});

test('a greeting written without a network outlives a closed page, and can be dropped', async ({
  page,
  mock,
}) => {
  await page.goto('/family/homes/marta/messages');
  await page.locator('.message').first().waitFor();
  mock.setNetwork(false);
  for (const text of ['Kommer snart', 'Fel sak']) {
    await page.getByLabel('Skriv till Märta').fill(text);
    await page.getByRole('button', { name: 'Skicka till Märta' }).click();
  }
  await expect(page.locator('.message-unsent')).toHaveCount(2);
  const wrong = page.locator('.message-unsent', { hasText: 'Fel sak' });
  await expect(wrong).toContainText('Inte skickat än');
  await wrong.getByRole('button', { name: 'Skicka inte' }).click();
  await page.goto('/family/homes/marta/messages');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Ingen kontakt med Lykta');
  await expect(page.locator('main')).toContainText('1 sak är inte skickad än');
  await expectAccessible(page);
  mock.setNetwork(true);
  await page.getByRole('button', { name: 'Försök igen' }).click();
  await expect(page.locator('.message', { hasText: 'Kommer snart' })).toContainText('På väg');
  expect(mock.family.sent.map((s: { text: string }) => s.text)).toEqual(['Kommer snart']);
});

test('a visit is asked for, and its answer is shown with its reason', async ({ page, mock }) => {
  await page.goto('/family/homes/marta/visits');
  await expect(page.locator('.visit-declined')).toContainText('Svar: Märta är hos tandläkaren då.');
  await page.getByRole('button', { name: 'Be om ett besök' }).click();
  await expect(page.getByRole('radio', { name: 'Video' })).toHaveCount(0); // no service has it yet
  await page.getByLabel('Dag').fill('2026-11-25');
  await page.getByLabel('Tid').fill('15:30');
  await page.getByLabel('Vad gäller det?').fill('Prata om julen');
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Skicka', exact: true }).click();
  const asked = page.locator('.visit', { hasText: 'Prata om julen' });
  await expect(asked).toContainText('Onsdag 25 november 15:30–16:30');
  await expect(asked).toContainText('Väntar på svar');
  expect(mock.family.sent[0]).toMatchObject({ from: '2026-11-25T14:30:00.000Z', video: false });
});

test('a video call is asked for where the service can do it', async ({ page, mock }) => {
  mock.setMe({ features: ['video'] });
  await page.goto('/family/homes/marta/visits');
  await page.getByRole('button', { name: 'Be om ett besök' }).click();
  await page.getByRole('radio', { name: 'Video' }).check();
  await page.getByLabel('Dag').fill('2026-11-25');
  await page.getByRole('button', { name: 'Skicka', exact: true }).click();
  await expect.poll(() => mock.family.sent[0]).toMatchObject({ video: true });
});

test('each of several homes has its own light', async ({ page, mock }) => {
  mock.family.homes.set('sven', bertil(mock.at()));
  await page.goto('/family/');
  await expect(page.locator('.lantern-row')).toHaveCount(2);
  await expectAccessible(page);
  await page.locator('.lantern-row', { hasText: 'Sven' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Sven har inte sagt till än');
  await page.getByRole('link', { name: 'Märta', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(
    'Märta har sagt att allt är bra',
  );
});

test('the account shows where one is signed in, and ends it', async ({ page, mock }) => {
  await page.goto('/family/account');
  await expect(page.getByText('Firefox, Windows')).toBeVisible();
  await page.getByRole('button', { name: 'Logga ut Firefox, Windows' }).click();
  await expect(page.getByText('Firefox, Windows')).toHaveCount(0);
  await expectAccessible(page);
  await page.getByRole('radio', { name: 'English' }).check();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('My account');
  await expectAccessible(page);
  expect(mock.admin.sessions).toHaveLength(2);
  await page.getByRole('button', { name: 'Sign out', exact: true }).last().click();
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
});

test('staff are shown the way to their own app', async ({ page, mock }) => {
  mock.setMe({ role: 'caregiver', person: 'anna' });
  await page.goto('/family/');
  await expect(page.getByRole('link', { name: 'Till personalens app' })).toHaveAttribute(
    'href',
    '/',
  );
});

test.describe('signed out', () => {
  test.use({ options: { calm: true, signedIn: false } });

  test('an invitation is accepted, the sign-in kept, and used the next time', async ({
    page,
    mock,
    context,
  }) => {
    await withPasskeys(page);
    // A passkey is of a name, not of a number.
    const at = mock.url.replace('127.0.0.1', 'localhost');
    await page.goto(`${at}/family/invitation#lykta-maria`);
    await expect(page.locator('main')).toContainText('följa hur det är hos Märta Lindqvist');
    await expect(page).toHaveURL(`${at}/family/invitation`);
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Tacka ja' }).click();
    await page.getByRole('button', { name: 'Spara inloggningen på den här telefonen' }).click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Klart!');
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Visa hur det är' }).click();
    await expect(page.locator('.hero')).toContainText('Märta har sagt att allt är bra');
    expect(mock.admin.passkeys.size).toBe(1);

    await context.clearCookies();
    await page.reload();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Logga in' }).click();
    await expect(page.locator('.hero')).toContainText('Märta har sagt att allt är bra');
  });

  test('an invitation that is used says so', async ({ page }) => {
    await page.goto('/family/invitation#old');
    await expect(page.getByRole('alert')).toContainText('Inbjudan gäller inte längre');
    await expectAccessible(page);
    await page.getByRole('link', { name: 'Till inloggningen' }).click();
    await expect(page.getByText('Fråga hemtjänsten om en inbjudan.')).toBeVisible();
  });
});

test.describe('on the device', () => {
  test.use({ serviceWorkers: 'allow' });

  test('the app opens without a network, and says so', async ({ page, context }) => {
    await page.goto('/family/');
    await page.locator('.hero').waitFor();
    await kept(page);
    await page.goto('/family/'); // once more with a network: the rest is kept too
    await page.locator('.hero').waitFor();
    await keptAll(page);
    await context.setOffline(true);
    await page.goto('/family/homes/marta/visits');
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Ingen kontakt med Lykta');
    await expectAccessible(page);
    await context.setOffline(false); // it goes on by itself
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Besök hos Märta');
    const stored = await page.evaluate(async () => {
      const caches = await Promise.all(
        (await window.caches.keys()).map((k) => window.caches.open(k)),
      );
      const kept = await Promise.all(caches.map((c) => c.keys()));
      return kept.flat().map((r) => new URL(r.url).pathname);
    });
    expect(stored.filter((path) => !/^\/(assets\/|family\/$)/.test(path))).toEqual([]);
  });

  test('alarms go on for who has signed out and in again', async ({ page, mock }) => {
    await page.addInitScript(() => {
      localStorage.setItem('lykta.push /family/', 'maria');
      PushManager.prototype.getSubscription = () =>
        Promise.resolve({
          toJSON: () => ({ endpoint: 'https://push.example/1', keys: { p256dh: 'B', auth: 'Y' } }),
        } as never);
      Object.defineProperty(Notification, 'permission', { get: () => 'granted' });
    });
    await page.goto('/family/account');
    await kept(page);
    await expect(page.getByText('Medan du är utloggad får du inga larm')).toBeVisible();
    await expectAccessible(page);
    mock.staff.browsers.clear(); // as the service does for who signs out
    await page.goto('/family/');
    await expect.poll(() => [...mock.staff.browsers.keys()]).toEqual(['https://push.example/1']);
  });

  test(
    'a message about an alert opens this app',
    { tag: '@chromium' },
    async ({ page, context, mock }) => {
      await context.grantPermissions(['notifications']);
      const { id } = mock.raise({ home: 'marta', kind: 'sos' });
      await page.goto('/family/account');
      await kept(page);
      const browser = await context.newCDPSession(page);
      const registered = new Promise<string>((found) =>
        browser.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
          const own = registrations.find((r) => r.scopeURL.endsWith('/family/'));
          if (own) found(own.registrationId);
        }),
      );
      await browser.send('ServiceWorker.enable');
      await browser.send('ServiceWorker.deliverPushMessage', {
        origin: mock.url,
        registrationId: await registered,
        data: JSON.stringify({
          key: 'k1',
          title: 'Larm',
          text: '',
          url: `${mock.url}/alert/${id}`,
        }),
      });
      await touch(context);
      await expect(page).toHaveURL(`${mock.url}/family/alert/${id}`);
      await expect(alert(page, id)).toBeVisible();
    },
  );

  test('can be installed', async ({ page }) => {
    await page.goto('/family/');
    const browser = await page.context().newCDPSession(page);
    const { errors, url } = await browser.send('Page.getAppManifest');
    expect([errors, new URL(url).pathname]).toEqual([[], '/family.webmanifest']);
    await kept(page);
    const { installabilityErrors } = await browser.send('Page.getInstallabilityErrors');
    // A private window installs nothing; that is all that is wrong with it.
    expect(installabilityErrors.map((e) => e.errorId).filter((e) => e !== 'in-incognito')).toEqual(
      [],
    );
  });
});

test('what is shown says how old it is, and an old answer gives no light', async ({
  page,
  mock,
}) => {
  await page.clock.install({ time: new Date(mock.at()) });
  await page.goto('/family/');
  await expect(page.locator('.hero .calm')).toBeVisible();
  mock.setNetwork(false);
  await page.clock.fastForward('02:00:00');
  const hero = page.locator('.hero');
  await expect(hero.getByRole('heading')).toHaveText('Så var det kl 14:12');
  await expect(hero).toContainText('Märta har sagt att allt är bra. I dag kl 08:12');
  await expect(page.locator('.light-lit, .calm')).toHaveCount(0);
  await expectAccessible(page);
});

test.describe('far away', () => {
  test.use({ timezoneId: 'America/New_York' });

  test('times are those where the resident lives', async ({ page, mock }) => {
    const { id } = mock.raise({ home: 'marta', kind: 'sos' });
    marta(mock).zone = 'Europe/Stockholm';
    await page.goto('/family/');
    await expect(page.locator('.hero-small')).toContainText('I dag kl 08:12');
    await expect(page.locator('.home-side')).toContainText('I dag 16:00–16:30');
    await alert(page, id).getByText('Vilka har fått veta?').click();
    await expect(alert(page, id).locator('.told')).toContainText('14:1');
    await page.getByRole('link', { name: 'Besök', exact: true }).click();
    await expect(page.locator('main')).toContainText('Tiderna är de hemma hos Märta.');
  });
});

// The worker has the app, and answers for the page.
const kept = (page: Page) =>
  page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready;
    if (registration.active?.state === 'activated') return;
    await new Promise((done) => registration.active?.addEventListener('statechange', done));
  });

const dist = process.env['LYKTA_DIST'] ?? fileURLToPath(new URL('../dist', import.meta.url));

/** The file of a page that is fetched only when it is wanted. */
function visitsPage(): string {
  const manifest = readFileSync(`${dist}/.vite/manifest.json`, 'utf8');
  return (JSON.parse(manifest) as Record<string, { file: string }>)['src/family/visits.tsx']!.file;
}

const keptAll = (page: Page) =>
  expect
    .poll(() =>
      page.evaluate(async (file) => {
        const [name = ''] = await caches.keys();
        const keys = await (await caches.open(name)).keys();
        return keys.some((r) => r.url.endsWith(file));
      }, visitsPage()),
    )
    .toBe(true);

async function touch(context: BrowserContext) {
  const [worker] = context.serviceWorkers();
  await expect
    .poll(() =>
      worker!.evaluate(async () => {
        const scope = globalThis as unknown as {
          registration: ServiceWorkerRegistration;
          dispatchEvent(event: Event): void;
          NotificationEvent: new (type: string, init: object) => Event;
        };
        const [notification] = await scope.registration.getNotifications();
        if (!notification) return false;
        scope.dispatchEvent(new scope.NotificationEvent('notificationclick', { notification }));
        return true;
      }),
    )
    .toBe(true);
}

/** A picture of noise, 3000 x 2000: what compresses worst. */
async function large(page: Page): Promise<Buffer> {
  const data = await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(3000, 2000);
    const to = canvas.getContext('2d')!;
    for (let x = 0; x < 3000; x += 12) {
      for (let y = 0; y < 2000; y += 12) {
        to.fillStyle = `hsl(${(x * 7 + y * 13) % 360} 80% ${30 + ((x * y) % 50)}%)`;
        to.fillRect(x, y, 12, 12);
      }
    }
    const bytes = new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer());
    let text = '';
    for (let i = 0; i < bytes.length; i += 8192) {
      text += String.fromCharCode(...bytes.subarray(i, i + 8192));
    }
    return btoa(text);
  });
  return Buffer.from(data, 'base64');
}

/** The width that a JPEG says it has (ITU-T T.81, B.2.2). */
function widthOf(jpeg: Buffer): number {
  for (let i = 2; i < jpeg.length;) {
    const marker = jpeg[i + 1]!;
    if (marker >= 0xc0 && marker <= 0xc2) return jpeg.readUInt16BE(i + 7);
    i += 2 + jpeg.readUInt16BE(i + 2);
  }
  return 0;
}
