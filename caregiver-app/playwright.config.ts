import { defineConfig, devices } from '@playwright/test';

const chromium = {
  browserName: 'chromium' as const,
  launchOptions: {
    // Chromium without its windows: the same pages for half the work.
    executablePath: process.env['LYKTA_HEADLESS_CHROMIUM'] ?? '/usr/bin/chromium-headless-shell',
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
/** All of Chromium, where it is more than pages: notifications, installing, passkeys. */
const whole = {
  ...chromium,
  launchOptions: {
    ...chromium.launchOptions,
    executablePath: process.env['LYKTA_CHROMIUM'] ?? '/usr/bin/chromium',
  },
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
  workers: 4,
  // A machine that stood still for a moment is tried again, and named as flaky.
  retries: process.env['CI'] ? 1 : 0,
  timeout: 30_000,
  expect: { timeout: 8_000 },
  reporter: 'line',
  projects: [
    // The resident's screen, and how an app looks: they say their sizes themselves.
    // The longest come first, so that none is left to run alone.
    { name: 'kiosk', use: chromium, testMatch: /(kiosk|looks|components)\.spec/ },
    {
      name: 'phone',
      use: phone,
      testIgnore: /(shots|looks|components|real|kiosk|stage)\.spec/,
      grepInvert: /@chromium/,
    },
    {
      name: 'chromium',
      use: { ...phone, ...whole },
      testMatch: /(team|family)\.spec/,
      grep: /@chromium/,
    },
    // What a wide screen changes is how the pages look, not what they do.
    { name: 'desk', use: desk, testMatch: /screens\.spec/, grep: /for everybody/ },
    {
      name: 'desk-looks',
      use: desk,
      testMatch: /(care|admin|journeys|planning|team|family|family\.keys)\.spec/,
      grep: /keyboard|keys|rota|paper|week/,
    },
    { name: 'shots', use: { ...devices['Desktop Chrome'], ...chromium }, testMatch: /shots\.spec/ },
    { name: 'real', use: whole, testMatch: /real\.spec/ },
    {
      name: 'journeys',
      use: { ...whole, actionTimeout: 30_000, screenshot: 'only-on-failure' },
      testMatch: /stage\.spec/,
      timeout: 90_000,
    },
  ],
});
