// What the journeys share: the stage on which they play (e2e/journeys_test.go),
// a phone on a bad network, and a passkey that the browser keeps.
import {
  test as base,
  expect,
  type BrowserContext,
  type CDPSession,
  type Page,
} from '@playwright/test';

export const url = process.env['LYKTA_URL'] ?? '';
const stage = process.env['LYKTA_STAGE'] ?? '';

/** Has something done outside of the browser. */
export async function deed<T = { ok: boolean }>(path: string): Promise<T> {
  const response = await fetch(stage + path, { method: 'POST' });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${text}`);
  return JSON.parse(text) as T;
}

/** Opens a box's own screen, whose resident does not want it dark at night: a test is run at any hour. */
export async function openKiosk(page: Page, box: string): Promise<void> {
  const response = await fetch(`${stage}/kiosk/${box}`);
  const { url } = (await response.json()) as { url: string };
  await page.addInitScript(() => {
    localStorage.setItem('lykta.kiosk.settings', JSON.stringify({ night: false }));
  });
  await page.goto(url);
}

/** A link with which a person comes in for the first time. */
export const invitation = async (person: string): Promise<string> =>
  (await deed<{ link: string }>(`/invite/${person}`)).link;

/** 400 kbit/s and 400 ms there and back, as in a village between two hills. */
export async function throttle(page: Page): Promise<CDPSession> {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Network.enable');
  await cdp.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: 400,
    downloadThroughput: 400_000 / 8,
    uploadThroughput: 400_000 / 8,
  });
  return cdp;
}

/** Gives the browser a place to keep passkeys, unlocked by its owner's finger. */
export async function withPasskeys(page: Page): Promise<string> {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('WebAuthn.enable');
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return authenticatorId;
}

export const phone = {
  viewport: { width: 390, height: 844 },
  hasTouch: true,
  isMobile: true,
  deviceScaleFactor: 2,
  locale: 'sv-SE',
  timezoneId: 'Europe/Stockholm',
};

export const test = base.extend<{ complaints: string[] }>({
  baseURL: async ({}, use) => use(url),
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

export { expect, type BrowserContext, type Page };
