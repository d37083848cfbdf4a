// Calls for who is neither at home nor on duty: a relative, and one who came by a link.
import type { Page } from '@playwright/test';
import { expect, expectAccessible, expectNoSidewaysScroll, test as base, type Mock } from './lykta';
import { Studio, withMedia } from './studio';

const test = base.extend(withMedia);
test.use({ options: { calm: true }, serviceWorkers: 'block' });

const anna = { id: 'anna', name: 'Anna Berg', role: 'caregiver' };
const heading = (page: Page) => page.getByRole('heading', { level: 1 });
const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name });
const frames = (page: Page) =>
  page.locator('[data-person]').getAttribute('data-frames').then(Number);

/** A call that Anna has begun, and a link to it. */
function invited(mock: Mock) {
  const { id } = mock.calls.begin({ home: 'marta', by: anna }) as { id: string };
  mock.calls.guests.set('lyk_g_1', { call: id, id: 'g1', name: 'Omar', role: 'interpreter' });
  return id;
}

async function look(page: Page, name: string) {
  const folder = process.env['LYKTA_SHOTS'];
  if (folder) await page.screenshot({ path: `${folder}/${name}.png` });
  await expectAccessible(page);
  await expectNoSidewaysScroll(page);
}

test('an interpreter comes by a link, is let in when the home answers, and leaves', async ({
  page,
  mock,
  browser,
}) => {
  const call = invited(mock);
  await Studio.of(browser, mock);
  await page.goto('/guest#lyk_g_1');
  await expect(heading(page)).toHaveText('Hej Omar!');
  await expect(
    page.getByText(
      /Anna, hemtjänsten i Norrbyn, bjuder in dig till ett samtal med Märta. Du är med som tolk/,
    ),
  ).toBeVisible();
  await expect(page.getByText('Mikrofonen hör dig', { exact: true })).toBeVisible();
  expect(page.url()).not.toContain('lyk_g_');
  await look(page, 'guest-check');
  await button(page, 'Gå med i samtalet').click();
  await expect(page.getByText('Märta har inte svarat än.')).toBeVisible();
  await look(page, 'guest-waits');
  mock.calls.home(call, 'answer', 'touch');
  await expect.poll(() => frames(page), { timeout: 15_000 }).toBeGreaterThan(5);
  await look(page, 'guest-in');
  mock.calls.line(call, { video_paused: true, quality: 'bad' });
  await expect(page.getByText('Dålig förbindelse, bilden pausad')).toBeVisible();
  await button(page, 'Kamera på').click();
  await expect(button(page, 'Kamera av')).toBeVisible();
  await button(page, 'Lämna samtalet').click();
  await expect(heading(page)).toHaveText('Du har lämnat samtalet');
  await look(page, 'guest-left');
  await button(page, 'Gå med igen').click();
  await button(page, 'Gå med utan kamera').click();
  await expect(button(page, 'Lämna samtalet')).toBeVisible();
  mock.calls.home(call, 'hang_up');
  await expect(heading(page)).toHaveText('Samtalet är slut');
});

test('a link that is over is said plainly, in either language', async ({ page }) => {
  await page.goto('/guest#lyk_g_old');
  await expect(heading(page)).toHaveText('Länken gäller inte längre');
  await button(page, 'In English').click();
  await expect(heading(page)).toHaveText('The link is no longer good');
  await look(page, 'guest-gone');
  await page.goto('/guest');
  await page.evaluate(() => sessionStorage.clear());
  await page.reload();
  await expect(heading(page)).toHaveText('The link is missing');
});

test('a call that is over while the guest waits lets them go', async ({ page, mock }) => {
  const call = invited(mock);
  await page.goto('/guest#lyk_g_1');
  await button(page, 'Gå med i samtalet').click();
  await expect(page.getByText('Märta har inte svarat än.')).toBeVisible();
  mock.calls.missed(call);
  await expect(heading(page)).toHaveText('Samtalet är slut');
});

test('without a camera or a microphone it is said, and the guest can join', async ({
  page,
  mock,
}) => {
  invited(mock);
  await page.addInitScript(() => {
    navigator.mediaDevices.getUserMedia = () =>
      Promise.reject(new DOMException('none', 'NotFoundError'));
  });
  await page.goto('/guest#lyk_g_1');
  await expect(page.getByText('Ingen kamera hittades.')).toBeVisible();
  await expect(page.getByText('Ingen mikrofon hittades.')).toBeVisible();
  await look(page, 'guest-nothing');
  await button(page, 'Gå med i samtalet').click();
  await expect(page.getByText('Märta har inte svarat än.')).toBeVisible();
});

test.describe('a relative', () => {
  test.beforeEach(async ({ page, mock }) => {
    await page.addInitScript(() => localStorage.setItem('lykta.call.checked', 'yes'));
    mock.setMe({
      ...{ name: 'Maria Lindqvist', role: 'relative', person: 'maria', passkeys: 1 },
      features: ['video'],
    });
    mock.family.homes.get('marta')!.allowed.push('video');
  });
  const onlyCall = (mock: Mock) => ([...mock.calls.all.values()].at(-1) as { id: string }).id;

  test('rings her mother with a picture, talks, and leaves', async ({ page, mock, browser }) => {
    await Studio.of(browser, mock);
    await page.goto('/family/');
    await page.getByRole('link', { name: 'Ring Märta med bild' }).click();
    await expect(heading(page)).toHaveText('Ring Märta med bild');
    await look(page, 'family-call-before');
    await button(page, 'Ring med bild').click();
    await expect(page.getByText('Söker skärmen hos Märta …')).toBeVisible();
    const call = onlyCall(mock);
    mock.calls.home(call, 'rings');
    await expect(page.getByText('Ringer hos Märta …')).toBeVisible();
    await look(page, 'family-call-rings');
    mock.calls.home(call, 'answer', 'touch');
    await expect.poll(() => frames(page), { timeout: 15_000 }).toBeGreaterThan(5);
    await look(page, 'family-call-in');
    mock.calls.home(call, 'hang_up');
    await expect(heading(page)).toHaveText('Samtalet är slut');
    await look(page, 'family-call-over');
    await page.getByRole('link', { name: 'Till Märta' }).click();
    await expect(page.getByRole('link', { name: 'Ring Märta med bild' })).toBeVisible();
  });

  test.describe('the first time', () => {
    test.beforeEach(({ page }) =>
      page.addInitScript(() => localStorage.removeItem('lykta.call.checked')),
    );

    test('sees and hears herself before she rings, and not the next time', async ({
      page,
      mock,
    }) => {
      await page.goto('/family/homes/marta/call');
      await button(page, 'Ring med bild').click();
      await expect(heading(page)).toHaveText('Innan du ringer');
      await expect(heading(page)).toBeFocused();
      await expect(page.getByText('Så här ser Märta dig.')).toBeVisible();
      await expect(page.locator('.check-picture video')).toBeVisible();
      await expect(page.getByText('Mikrofonen hör dig', { exact: true })).toBeVisible();
      await look(page, 'family-call-check');
      expect(mock.calls.all.size).toBe(0);
      await button(page, 'Ring utan kamera').click();
      await expect(page.getByText('Söker skärmen hos Märta …')).toBeVisible();
      await expect(button(page, 'Kamera av')).toBeVisible();
      await expect.poll(() => mock.calls.offers.length).toBe(1);
      expect(await page.evaluate(() => localStorage.getItem('lykta.call.checked'))).toBe('yes');
      await button(page, 'Lämna samtalet').click();
      await button(page, 'Ring igen').click();
      await button(page, 'Ring med bild').click();
      await expect(page.getByText('Söker skärmen hos Märta …')).toBeVisible();
    });

    test('is told that the camera is not let in, and can ring without it', async ({
      page,
      mock,
    }) => {
      await page.addInitScript(() => {
        const own = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = (wanted) =>
          wanted?.video ? Promise.reject(new DOMException('no', 'NotAllowedError')) : own(wanted);
      });
      await page.goto('/family/homes/marta/call');
      await button(page, 'Ring med bild').click();
      await expect(page.getByText('Du har inte släppt in appen till kameran.')).toBeVisible();
      await look(page, 'family-call-denied');
      await button(page, 'Ring Märta med bild').click();
      await expect(page.getByText('Söker skärmen hos Märta …')).toBeVisible();
      expect(mock.calls.all.size).toBe(1);
    });

    test('rings nobody when the call that she was to join ended while she looked', async ({
      page,
      mock,
    }) => {
      const { id } = mock.calls.begin({ home: 'marta', by: anna }) as { id: string };
      mock.calls.home(id, 'answer', 'touch');
      await page.goto('/family/homes/marta/call');
      await button(page, 'Gå med i samtalet').click();
      await expect(heading(page)).toHaveText('Prova kamera och mikrofon');
      mock.calls.home(id, 'hang_up');
      await button(page, 'Gå med i samtalet').click();
      await expect(heading(page)).toHaveText('Ring Märta med bild');
      expect(mock.calls.all.size).toBe(1);
    });
  });

  test('stops a ring that nobody answers, and is told when the answer is later', async ({
    page,
    mock,
  }) => {
    await page.goto('/family/homes/marta/call');
    await button(page, 'Ring med bild').click();
    await button(page, 'Lämna samtalet').click();
    await expect(heading(page)).toHaveText('Samtalet avbröts');
    await expect
      .poll(() => (mock.calls.get(onlyCall(mock)) as { why: string }).why)
      .toBe('cancelled');
    await page.goto('/family/homes/marta/call');
    await button(page, 'Ring med bild').click();
    await expect(page.getByText('Söker skärmen hos Märta …')).toBeVisible();
    mock.calls.home(onlyCall(mock), 'later');
    await expect(heading(page)).toHaveText('Märta vill bli uppringd senare');
  });

  test('joins a call that is under way', async ({ page, mock, browser }) => {
    await Studio.of(browser, mock);
    await page.goto('/family/');
    await expect(page.getByRole('link', { name: 'Ring Märta med bild' })).toBeVisible();
    const { id } = mock.calls.begin({ home: 'marta', by: anna }) as { id: string };
    mock.calls.home(id, 'answer', 'touch');
    await page.getByRole('link', { name: 'Märta är i ett samtal nu' }).click();
    await expect(page.getByText('Anna Berg ringde. Du kan vara med.')).toBeVisible();
    await button(page, 'Gå med i samtalet').click();
    await expect.poll(() => frames(page), { timeout: 15_000 }).toBeGreaterThan(5);
  });

  test('reads no names of texts while the words in her language are on their way', async ({
    page,
  }) => {
    await page.addInitScript(() => {
      localStorage.setItem('lykta.language', 'en');
      const seen: string[] = [];
      Object.assign(window, { seen });
      new MutationObserver(() => seen.push(document.body?.innerText ?? '')).observe(document, {
        ...{ childList: true, subtree: true, characterData: true },
      });
    });
    await page.route('**/assets/*.js', async (route) => {
      const answer = await route.fetch();
      const words = (await answer.text()).includes('Reaching the screen');
      if (words) await new Promise((later) => setTimeout(later, 500)); // a slow network
      await route.fulfill({ response: answer });
    });
    await page.goto('/family/homes/marta/call');
    await expect(button(page, 'Video call')).toBeVisible();
    const seen = await page.evaluate(() => (window as unknown as { seen: string[] }).seen);
    expect(seen.filter((text) => /\bcall\.\w/.test(text))).toEqual([]);
  });

  test('sees no way to ring where the resident does not want it', async ({ page, mock }) => {
    const home = mock.family.homes.get('marta')!;
    home.allowed = home.allowed.filter((field: string) => field !== 'video');
    await page.goto('/family/');
    await expect(page.getByRole('link', { name: 'Skicka hälsning' })).toBeVisible();
    await expect(page.getByRole('link', { name: 'Ring Märta med bild' })).toHaveCount(0);
    await page.goto('/family/homes/marta/call');
    await expect(heading(page)).toHaveText('Märta tar inte emot samtal med bild från dig just nu');
  });
});
