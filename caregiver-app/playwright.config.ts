import { defineConfig, devices } from '@playwright/test';

const chromium = {
  browserName: 'chromium' as const,
  launchOptions: {
    executablePath: process.env['LYKTA_CHROMIUM'] ?? '/usr/bin/chromium',
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  },
  locale: 'sv-SE',
  timezoneId: 'Europe/Stockholm',
};
const phone = {
  ...chromium,
  viewport: { width: 390, height: 844 },
  hasTouch: true,
  isMobile: true,
  deviceScaleFactor: 2,
};
const desk = { ...chromium, viewport: { width: 1440, height: 900 } };

export default defineConfig({
  testDir: 'e2e',
  outputDir: 'test-results',
  fullyParallel: true,
  workers: 3,
  timeout: 30_000,
  expect: { timeout: 8_000 },
  reporter: 'line',
  projects: [
    { name: 'phone', use: phone, testIgnore: /(shots|real|kiosk|stage)\.spec/ },
    { name: 'desk', use: desk, testIgnore: /(shots|real|kiosk|stage|care|admin|family)\.spec/ },
    // What a wide screen changes is how the pages look, not what they do.
    {
      name: 'desk-looks',
      use: desk,
      testMatch: /(care|admin|family)\.spec/,
      grep: /axe|stands in the way|keyboard|keys|rota|paper|320 px/,
    },
    { name: 'shots', use: { ...devices['Desktop Chrome'], ...chromium }, testMatch: /shots\.spec/ },
    { name: 'kiosk', use: chromium, testMatch: /kiosk\.spec/ },
    { name: 'real', use: chromium, testMatch: /real\.spec/ },
    {
      name: 'journeys',
      use: { ...chromium, actionTimeout: 30_000, screenshot: 'only-on-failure' },
      testMatch: /stage\.spec/,
      timeout: 90_000,
    },
  ],
});
