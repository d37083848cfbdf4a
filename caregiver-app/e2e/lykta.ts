import AxeBuilder from '@axe-core/playwright';
import { test as base, expect, type Page } from '@playwright/test';
import { startMock } from './mock.mjs';

export type Mock = Awaited<ReturnType<typeof startMock>>;

/** An ordinary Saturday, twelve past two in Stockholm. */
export const saturday = '2026-11-21T13:12:00Z';

interface Fixtures {
  options: Parameters<typeof startMock>[0];
  mock: Mock;
  /** What the page complained about: errors, and what its policy blocked. */
  complaints: string[];
}

export const test = base.extend<Fixtures>({
  options: [{}, { option: true }],
  mock: async ({ options }, use) => {
    const mock = await startMock({ now: saturday, ...options });
    await use(mock);
    await mock.close();
  },
  baseURL: async ({ mock }, use) => use(mock.url),
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

/** Everything that WCAG 2.2 A and AA can be tested for by a machine. */
export async function expectAccessible(page: Page): Promise<void> {
  const found = await new AxeBuilder({ page })
    // These pages have no frames, and only failures are read: without both, axe
    // opens a page of its own each time and a run takes twice as long.
    .setLegacyMode(true)
    .options({ resultTypes: ['violations'] })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .analyze();
  const said = found.violations.map(
    (v) => `${v.id}: ${v.help}\n  ${v.nodes.map((n) => n.target.join(' ')).join('\n  ')}`,
  );
  expect(said).toEqual([]);
}

/** Only what a colour scheme changes. */
export async function expectContrast(page: Page): Promise<void> {
  const found = await new AxeBuilder({ page })
    .setLegacyMode(true)
    .options({ resultTypes: ['violations'] })
    .withRules(['color-contrast'])
    .analyze();
  expect(found.violations.flatMap((v) => v.nodes.map((n) => n.html))).toEqual([]);
}

export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const over = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  expect(over).toBeLessThanOrEqual(0);
}

export const card = (page: Page, id: string) => page.locator(`[data-alert="${id}"]`);
