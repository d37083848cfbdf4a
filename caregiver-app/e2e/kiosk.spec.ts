import { createServer, type Server } from 'node:http';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { test as base, expect, type Page } from '@playwright/test';
import type { Heard } from '../src/kiosk/teller';
import type { Status } from '../src/kiosk/status';
import { expectAccessible, expectNoSidewaysScroll } from './lykta';

const types: Record<string, string> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript',
  css: 'text/css',
  svg: 'image/svg+xml',
};
// As strict as the gateway's own.
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** A gateway's kiosk port that says what the test wants. */
class Gateway {
  status: Status = { online: true, sos: { state: 'none' } };
  heard: Heard[] = [];
  private constructor(private server: Server) {}

  static async start(): Promise<Gateway> {
    const server = createServer();
    const gateway = new Gateway(server);
    server.on('request', async (req, res) => {
      if (req.url === '/status') {
        const now = Date.now() * 1_000;
        res.setHeader('Content-Type', 'application/json');
        return res.end(JSON.stringify({ now, ...gateway.status }));
      }
      if (req.url === '/heard') {
        let body = '';
        for await (const chunk of req) body += chunk;
        gateway.heard.push(JSON.parse(body));
        gateway.status.sos.heard = gateway.heard.at(-1)!.spoken ? 'spoken' : 'shown';
        return res.writeHead(204).end();
      }
      const { pathname } = new URL(req.url ?? '', 'http://localhost');
      const name = pathname === '/' ? '/kiosk.html' : pathname;
      const file = await readFile(new URL(`../dist${name}`, import.meta.url)).catch(() => null);
      if (!file) return res.writeHead(404).end();
      res.setHeader('Content-Security-Policy', policy);
      res.setHeader('Content-Type', types[name.split('.').at(-1)!] ?? 'text/plain');
      return res.end(file);
    });
    await gateway.listen(0);
    return gateway;
  }

  get port() {
    return (this.server.address() as AddressInfo).port;
  }
  listen(port: number) {
    return new Promise<void>((done) => this.server.listen(port, '127.0.0.1', done));
  }
  async stop() {
    if (!this.server.listening) return;
    const closed = new Promise((done) => this.server.close(done));
    this.server.closeAllConnections();
    await closed;
  }
  press(state: string, fields = {}) {
    this.status.sos = { epoch: 'e', seq: 7, state, ...fields };
  }
  /** Anna says that she comes in so many minutes. */
  annaComes(minutes: number, told = 1) {
    const expected = (Date.now() + minutes * 60_000 - 5_000) * 1_000;
    this.press('on_the_way', { by: 'Anna', told, expected });
  }
}

interface Fixtures {
  gateway: Gateway;
  complaints: string[];
}

const test = base.extend<Fixtures>({
  gateway: async ({}, use) => {
    const gateway = await Gateway.start();
    await use(gateway);
    await gateway.stop();
  },
  baseURL: async ({ gateway }, use) => use(`http://127.0.0.1:${gateway.port}`),
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

/** Gives the browser a Swedish voice; what it said is in window.said. */
async function giveVoice(page: Page) {
  await page.addInitScript(() => {
    const said: string[] = [];
    const fake = {
      getVoices: () => [{ lang: 'sv-SE', localService: true, name: 'Alva' }],
      cancel: () => {},
      addEventListener: () => {},
      speak: (u: { text: string; onstart: () => void; onend: () => void }) => {
        said.push(u.text);
        u.onstart();
        setTimeout(() => u.onend(), 50);
      },
    };
    class Utterance {
      constructor(readonly text: string) {}
    }
    Object.defineProperty(window, 'speechSynthesis', { value: fake });
    Object.assign(window, { said, SpeechSynthesisUtterance: Utterance });
  });
}
const said = (page: Page) =>
  page.evaluate(() => (window as unknown as { said: string[] }).said.slice());

const sizes = { small: { width: 800, height: 480 }, wide: { width: 1280, height: 800 } };

test('the resident sees and hears who comes, once, and the gateway learns of it', async ({
  page,
  gateway,
}) => {
  await giveVoice(page);
  await page.goto('/');
  const heading = page.getByRole('heading', { level: 1 });
  await expect(heading).toHaveText('Inget larm just nu');
  gateway.press('received');
  await expect(heading).toHaveText('Larmet är framme');
  gateway.annaComes(12);
  await expect(heading).toHaveText('Anna kommer om 12 minuter');
  await expect(page.getByText('Anna har sett ditt larm.')).toBeVisible();
  await expect.poll(() => gateway.heard).toEqual([{ epoch: 'e', seq: 7, told: 1, spoken: true }]);
  expect((await said(page)).at(-1)).toBe('Anna har sett ditt larm och kommer om 12 minuter.');

  await page.reload();
  await expect(heading).toHaveText('Anna kommer om 12 minuter');
  gateway.press('someone_has_it', { by: 'Björn', told: 2 });
  await expect(heading).toHaveText('Björn har sett ditt larm');
  await expect.poll(() => said(page)).toEqual(['Björn har sett ditt larm.']);
  gateway.press('resolved', { by: 'Björn', told: Date.now() * 1_000 });
  await expect(heading).toHaveText('Larmet är avslutat');
});

test('without a voice there is a soft sound, and the report says so', async ({ page, gateway }) => {
  gateway.annaComes(12);
  await page.goto('/');
  await expect.poll(() => gateway.heard).toEqual([{ epoch: 'e', seq: 7, told: 1, spoken: false }]);
});

test('a gateway that does not answer is said, and passes', async ({ page, gateway }) => {
  await page.goto('/');
  const heading = page.getByRole('heading', { level: 1 });
  await expect(heading).toHaveText('Inget larm just nu');
  const { port } = gateway;
  await gateway.stop();
  await expect(heading).toHaveText('Larmboxen svarar inte', { timeout: 15_000 });
  await expect(page.getByText('LYK-0425')).toBeVisible();
  await expectAccessible(page);
  await gateway.listen(port);
  await expect(heading).toHaveText('Inget larm just nu', { timeout: 15_000 });
});

test('speaks English when its address asks for it', async ({ page, gateway }) => {
  gateway.annaComes(12);
  await page.goto('/?language=en');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Anna comes in 12 minutes');
  await expect(page.locator('html')).toHaveAttribute('lang', 'en');
});

for (const [size, viewport] of Object.entries(sizes)) {
  for (const scheme of ['light', 'dark'] as const) {
    test.describe(`${size} ${scheme}`, () => {
      test.use({ viewport, colorScheme: scheme, contextOptions: { reducedMotion: 'reduce' } });

      test('every state fits, is accessible, and is photographed', async ({ page, gateway }) => {
        test.setTimeout(90_000);
        const shoot = (name: string) =>
          page.screenshot({ path: `shots/kiosk-${name}-${size}-${scheme}.png` });
        const heading = page.getByRole('heading', { level: 1 });
        const shows = async (name: string, text: string) => {
          await expect(heading).toHaveText(text);
          await expectNoSidewaysScroll(page);
          const over = await page.evaluate(
            () => document.documentElement.scrollHeight - document.documentElement.clientHeight,
          );
          expect([name, Math.max(0, over)]).toEqual([name, 0]);
          await expectAccessible(page);
          await shoot(name);
        };
        await page.goto('/');
        await shows('calm', 'Inget larm just nu');
        gateway.press('sending');
        gateway.status.online = false;
        await expect(page.getByText('Ingen förbindelse just nu.')).toBeVisible();
        await shows('offline', 'Larmet skickas');
        gateway.status.online = true;
        gateway.press('received');
        await shows('received', 'Larmet är framme');
        gateway.annaComes(12);
        gateway.status.notice = {
          id: 'n',
          text: 'Fixaren Lars byter batteri i din brandvarnare klockan 14:30.',
          at: Date.now() * 1_000,
        };
        await shows('comes', 'Anna kommer om 12 minuter');
        gateway.annaComes(12, 2);
        gateway.status.sos.by = 'Anna-Karin Johansson-Lindqvist';
        gateway.status.online = false;
        await expect(page.getByText('Det som står här kan vara gammalt.')).toBeVisible();
        await shows('crowded', 'Anna-Karin Johansson-Lindqvist kommer om 12 minuter');
        delete gateway.status.notice;
        gateway.status.online = true;
        gateway.press('not_saved');
        await shows('not-saved', 'Larmet är inte sparat');
        gateway.press('resolved', { told: Date.now() * 1_000 });
        await shows('resolved', 'Larmet är avslutat');
        await gateway.stop();
        await expect(heading).toHaveText('Larmboxen svarar inte', { timeout: 15_000 });
        await shows('silent', 'Larmboxen svarar inte');
      });
    });
  }
}
