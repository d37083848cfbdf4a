import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test as base, expect, type Page } from '@playwright/test';
import type { RunOptions } from 'axe-core';
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

// axe, as the package for Playwright has it, made small: a third of what a look
// at a page costs is to read it.
const ofPlaywright = createRequire(createRequire(import.meta.url).resolve('@axe-core/playwright'));
const axeSource = readFileSync(ofPlaywright.resolve('axe-core/axe.min.js'), 'utf8');

/**
 * What axe finds wrong in a page that has no frames: each rule with where it is
 * broken. axe is put into a document once, and stays there.
 */
export async function violations(page: Page, options: RunOptions): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axeSource);
  return page.evaluate(async (options) => {
    const axe = (window as unknown as { axe: typeof import('axe-core') }).axe;
    const found = await axe.run(document, { ...options, resultTypes: ['violations'] });
    return found.violations.map(
      (v) => `${v.id}: ${v.help}\n  ${v.nodes.map((n) => n.target.join(' ')).join('\n  ')}`,
    );
  }, options);
}

/** Everything that WCAG 2.2 A and AA can be tested for by a machine. */
export async function expectAccessible(page: Page): Promise<void> {
  const values = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  expect(await violations(page, { runOnly: { type: 'tag', values } })).toEqual([]);
}

/** Only what a colour scheme changes. */
export async function expectContrast(page: Page): Promise<void> {
  const values = ['color-contrast'];
  expect(await violations(page, { runOnly: { type: 'rule', values } })).toEqual([]);
}

export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const over = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  expect(over).toBeLessThanOrEqual(0);
}

export const card = (page: Page, id: string) => page.locator(`[data-alert="${id}"]`);
