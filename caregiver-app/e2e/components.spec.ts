// The component page: every component of the three apps in every state.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test as base, type Page } from '@playwright/test';
import AxeBuilder from '@axe-core/playwright';
import { build } from 'vite';
import { expectNoSidewaysScroll } from './lykta';

const root = fileURLToPath(new URL('..', import.meta.url));
const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
};

/** Components that are not shown, each with its reason. */
const exceptions: Record<string, string> = {
  'kiosk/call/guard.tsx Guarded': 'what it shows is the call within it',
};

const test = base.extend<{ complaints: string[] }, { pages: string }>({
  // As the sources are now: a page that somebody forgot to build would prove nothing.
  pages: [
    async ({}, use) => {
      const made = mkdtempSync(join(tmpdir(), 'components-'));
      await build({
        root,
        mode: 'components',
        logLevel: 'error',
        build: { outDir: made, emptyOutDir: true },
      });
      const server = createServer((req, res) => {
        const path = join(made, normalize(new URL(req.url ?? '/', 'http://x').pathname));
        if (!existsSync(path) || !extname(path)) return res.writeHead(404).end();
        return res
          .writeHead(200, {
            'Content-Type': types[extname(path)] ?? 'application/octet-stream',
            'Cache-Control': 'max-age=600',
          })
          .end(readFileSync(path));
      });
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
      await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}/components.html`);
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
      rmSync(made, { recursive: true });
    },
    { scope: 'worker', timeout: 120_000 },
  ],
  complaints: [
    async ({ page }, use) => {
      const complaints: string[] = [];
      page.on('pageerror', (error) => complaints.push(String(error)));
      await use(complaints);
      expect(complaints).toEqual([]);
    },
    { auto: true },
  ],
});

test.describe.configure({ timeout: 180_000 });

const apps = ['caregiver', 'family', 'kiosk'] as const;

/** Opens the page of an app and waits until all is drawn. */
async function open(page: Page, pages: string, look: Record<string, string>) {
  await page.goto(`${pages}?${new URLSearchParams(look)}`);
  const all = page.locator('.cp');
  await expect(all).toHaveAttribute('data-ready', 'yes', { timeout: 150_000 });
  expect(await all.getAttribute('data-wrong-all')).toBe('');
  return all;
}

/** What the sources of an app export that begins as a component does. */
function componentsOf(app: string): string[] {
  const exported = /^export (?:function|const) ([A-Z]\w*[a-z]\w*)\b/gm;
  // Of calls the staff's page shows all that the apps have in common.
  return [app, 'shared', ...(app === 'caregiver' ? ['call'] : [])].flatMap((room) =>
    readdirSync(join(root, 'src', room), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.tsx'))
      .flatMap((file) => {
        const source = readFileSync(join(root, 'src', room, file), 'utf8');
        return [...source.matchAll(exported)].map(([, name]) => `${room}/${file} ${name}`);
      }),
  );
}

for (const app of apps) {
  test(`every component of ${app} is shown, and says what it is for`, async ({ page, pages }) => {
    const all = await open(page, pages, { app, scheme: 'light' });
    const missing = (await all.getAttribute('data-missing'))!.split('\n').filter(Boolean);
    const drawn = (await all.getAttribute('data-drawn'))!.split('\n');
    const wanted = componentsOf(app).filter((name) => app !== 'kiosk' || !/^shared/.test(name));
    expect(wanted.length).toBeGreaterThan(app === 'caregiver' ? 60 : 10);
    expect(wanted.filter((name) => !drawn.includes(name) && !exceptions[name])).toEqual([]);
    expect(missing.filter((name) => !exceptions[name])).toEqual([]);
    for (const what of await page.locator('.cp-what').allTextContents()) expect(what).not.toBe('');
    expect(await page.locator('.cp-table td', { hasText: /^\?$/ }).count()).toBe(0); // no meaning
    expect(await keysOn(page)).toEqual([]);
  });
}

/** What every look is held to. */
async function expectGood(page: Page, app: string): Promise<void> {
  const found = await new AxeBuilder({ page })
    .setLegacyMode(true)
    .options({ resultTypes: ['violations'] })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'])
    // Landmarks and headings are those of whole pages, and here are many.
    // The kiosk's frames are scaled down; its own tests measure its targets.
    .disableRules(['document-title', ...(app === 'kiosk' ? ['target-size'] : [])])
    .analyze();
  expect(
    found.violations.map(
      (v) => `${v.id}: ${v.help}\n  ${v.nodes.map((n) => n.target.join(' ')).join('\n  ')}`,
    ),
  ).toEqual([]);
}

// A key that has no text is shown as it is: "alert.take".
const key = /(^|[\s(])[a-z]+(_[a-z]+)*(\.[a-z_0-9]+)+($|[\s).,])/;

/** Texts that look like a key, wherever they stand. */
async function keysOn(page: Page): Promise<string[]> {
  const found: string[] = [];
  for (const frame of page.frames()) {
    const texts = await frame.evaluate(() => {
      const out: string[] = [];
      const walk = (node: Node) => {
        if (node instanceof Text) out.push(node.data);
        if (node instanceof Element && node.shadowRoot) walk(node.shadowRoot);
        if (node.nodeName !== 'STYLE' && node.nodeName !== 'CODE') node.childNodes.forEach(walk);
      };
      walk(document.body);
      return out;
    });
    found.push(
      ...texts.filter((text) => key.test(text) && !/example|@|\.(se|css|tsx)\b/.test(text)),
    );
  }
  return [...new Set(found)];
}

/** Specimens that are wider than the room they have. */
const tooWide = (page: Page) =>
  page.evaluate(() =>
    [...document.querySelectorAll('[data-state]')].flatMap((state) => {
      const box = state.querySelector('.cp-shadow')?.shadowRoot?.querySelector('.cp-box');
      const over = box ? box.scrollWidth - box.clientWidth : 0;
      return over > 1 ? [`${state.getAttribute('data-state')}: ${over} px`] : [];
    }),
  );

const looks = [
  { language: 'sv', scheme: 'light' },
  { language: 'sv', scheme: 'dark' },
  { language: 'en', scheme: 'light' },
  { language: 'en', scheme: 'dark' },
];

// Pages hold the same components to the same, where people meet them: what
// follows is run with LYKTA_LOOKS=all (make screens).
test.describe('in every look', () => {
  test.skip(process.env['LYKTA_LOOKS'] !== 'all', 'make screens');

  for (const app of apps) {
    for (const look of looks) {
      test(`${app} in ${look.language}, ${look.scheme}: axe finds nothing, no key is seen`, async ({
        page,
        pages,
      }) => {
        await open(page, pages, { app, ...look });
        await expectGood(page, app);
        expect(await keysOn(page)).toEqual([]);
      });
    }
  }

  for (const app of ['caregiver', 'family'] as const) {
    for (const [what, size, text] of [
      ['320 px', 320, '100'],
      ['letters of twice the size', 640, '200'],
    ] as const) {
      test(`${app}, ${what}: nothing is wider than its room`, async ({ page, pages }) => {
        await page.setViewportSize({ width: size, height: 800 });
        await open(page, pages, { app, scheme: 'light', text });
        await expectNoSidewaysScroll(page);
        expect(await tooWide(page)).toEqual([]);
      });
    }
  }
});
