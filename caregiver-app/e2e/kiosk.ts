// What the tests of the resident's screen share.
import { test as base, expect, type Locator, type Page } from '@playwright/test';
import { Gateway } from './mock/kiosk.mjs';

/** An ordinary Saturday, ten past two in Stockholm. */
export const saturday = '2026-11-21T13:10:00Z';
export const minute = 60_000;

interface Fixtures {
  gateway: Gateway;
  complaints: string[];
}

export const test = base.extend<Fixtures>({
  gateway: async ({}, use) => {
    const gateway = await Gateway.start({ now: saturday });
    gateway.ordinary();
    await use(gateway);
    await gateway.stop();
  },
  baseURL: async ({ gateway }, use) => use(`http://127.0.0.1:${gateway.port}`),
  viewport: { width: 1280, height: 800 },
  complaints: [
    async ({ page }, use) => {
      const complaints: string[] = [];
      page.on('pageerror', (error) => complaints.push(String(error)));
      page.on('console', (message) => {
        if (message.text().includes('Content Security Policy')) complaints.push(message.text());
      });
      await use(complaints);
      expect(complaints).toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };

export const headingOf = (page: Page) => page.getByRole('heading', { level: 1 });
export const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name });
export const helpOf = (page: Page) => button(page, /^(Hjälp|Larma igen|Help|Call again)/);

/**
 * Presses as a person does: again, until the screen has done it. What has just
 * appeared does not take a press yet.
 */
export async function pressUntil(pressed: Locator, seen: Locator) {
  await expect(async () => {
    if (!(await seen.isVisible())) await pressed.click({ timeout: 1_000 });
    await expect(seen).toBeVisible({ timeout: 700 });
  }).toPass({ timeout: 15_000 });
}

/** A picture that somebody might send. */
export async function photo(page: Page): Promise<Buffer> {
  await page.goto('about:blank');
  await page.setContent(
    `<div style="position:fixed;inset:0;background:linear-gradient(#a8cbe0 55%,#7d9a5c 55%)">
      <div style="position:absolute;left:34%;top:34%;width:32%;height:38%;background:#a63a2b"></div>
      <div style="position:absolute;left:46%;top:52%;width:8%;height:20%;background:#f4ead8"></div>
      <div style="position:absolute;left:72%;top:10%;width:12%;aspect-ratio:1;border-radius:50%;background:#f6d36b"></div>
    </div>`,
  );
  return page.screenshot({ type: 'jpeg', quality: 70 });
}
