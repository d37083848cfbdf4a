// The screens against a real server, started by somebody else:
//   LYKTA_URL          its base address
//   LYKTA_TOKEN        a sign-in code or access token that is good there
//   LYKTA_EXPECT_HOME  the name (or a part of it) of a home that shall be seen
//   LYKTA_PRESS        host:port of that home's own MQTT port, to press for help at
//   LYKTA_SHOTS        where to put pictures; none are taken without it
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test as base, expect, type Page } from '@playwright/test';
import { expectAccessible, expectNoSidewaysScroll } from './lykta';

const url = process.env['LYKTA_URL'];
const token = process.env['LYKTA_TOKEN'] ?? '';
const home = process.env['LYKTA_EXPECT_HOME'] ?? '';
const shots = process.env['LYKTA_SHOTS'];

const test = base.extend({ baseURL: async ({}, use) => use(url) });
test.skip(!url, 'LYKTA_URL names no server');
test.describe.configure({ mode: 'serial' });

const sizes = { phone: { width: 390, height: 844 }, desk: { width: 1440, height: 900 } };

for (const [size, viewport] of Object.entries(sizes)) {
  test(`every screen of a real server on a ${size}`, async ({ page }) => {
    test.setTimeout(180_000);
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => {
      if (message.text().includes('Content Security Policy')) complaints.push(message.text());
    });
    await page.setViewportSize(viewport);
    await page.emulateMedia({ reducedMotion: 'reduce' });

    await page.goto('/');
    await page.getByLabel('Inloggningskod').waitFor();
    await look(page, `sign-in-${size}`);
    // Pasted, not followed as a link: a code may be good for one use only.
    await page.getByLabel('Inloggningskod').fill(token);
    await page.keyboard.press('Enter');

    await page.locator('.now').waitFor({ timeout: 60_000 });
    await look(page, `now-${size}`);

    await page.getByRole('link', { name: 'Hem', exact: true }).click();
    const row = page.locator('.home-row').filter({ hasText: home }).first();
    await expect(row).toBeVisible({ timeout: 60_000 });
    await look(page, `homes-${size}`);

    await row.click();
    await page.locator('.facts').waitFor({ timeout: 60_000 });
    await page.locator('.picture svg, .day-wait:not([role])').first().waitFor();
    await page.locator('.chart-wait[role=status]').waitFor({ state: 'detached' });
    await look(page, `home-${size}`);

    await page.goto('/nowhere');
    await page.locator('.empty').waitFor();
    await look(page, `missing-${size}`);
    expect(complaints).toEqual([]);
  });
}

// A press in the home shows on a page that is open already, and a person takes
// it and closes it there.
test('a press shows by itself, and is taken and closed', async ({ page }) => {
  const [host, port] = (process.env['LYKTA_PRESS'] ?? '').split(':');
  test.skip(!host || !port, 'LYKTA_PRESS names no home');
  test.setTimeout(180_000);
  await page.setViewportSize(sizes.phone);
  await page.goto(`/sign-in#${token}`);
  await expect(page.getByText('Allt är lugnt')).toBeVisible({ timeout: 60_000 });
  let loads = 0;
  page.on('load', () => loads++);

  execFileSync('mosquitto_pub', [
    ...['-h', host!, '-p', port!, '-q', '1'],
    ...['-t', 'zigbee2mqtt/hall/sos', '-m', '{"action":"emergency","battery":97}'],
  ]);
  const card = page.locator('[data-alert]').filter({ hasText: home });
  await expect(card).toBeVisible({ timeout: 30_000 });
  await look(page, 'press-phone');
  await card.getByRole('button', { name: 'Jag tar det' }).click();
  await expect(card).toContainText('Du har tagit det', { timeout: 30_000 });
  await card.getByRole('button', { name: /Avsluta/ }).click();
  await look(page, 'close-phone');
  await page.getByLabel('Hjälp given').check();
  await page.getByRole('button', { name: 'Avsluta larmet' }).click();
  await expect(page.getByText('Allt är lugnt')).toBeVisible({ timeout: 30_000 });
  expect(loads).toBe(0);
});

async function look(page: Page, name: string): Promise<void> {
  if (shots) await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
  await expectAccessible(page);
  await expectNoSidewaysScroll(page);
}
