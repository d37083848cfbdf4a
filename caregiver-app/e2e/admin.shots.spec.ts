import type { Page } from '@playwright/test';
import { test } from './lykta';

const sizes = { phone: { width: 390, height: 844 }, desk: { width: 1440, height: 900 } };

async function shoot(page: Page, name: string, fullPage = true) {
  await page.screenshot({ path: `shots/${name}.png`, fullPage });
}

for (const [size, viewport] of Object.entries(sizes)) {
  for (const scheme of ['light', 'dark'] as const) {
    test.describe(`admin ${size} ${scheme}`, () => {
      test.use({ viewport, colorScheme: scheme, contextOptions: { reducedMotion: 'reduce' } });
      const at = `${size}-${scheme}`;

      test('planning', async ({ page, mock }) => {
        page.setDefaultTimeout(6_000);
        mock.setMe({ name: 'Karin Ek', role: 'coordinator' });
        await page.goto('/devices');
        await page.locator('.devices').waitFor();
        await shoot(page, `devices-${at}`, false);
        await page.goto('/statistics');
        await page.locator('.stat').first().waitFor();
        await shoot(page, `statistics-${at}`);
        await page.goto('/visits');
        await page.locator('.plan-visit:visible').first().waitFor();
        await shoot(page, `visits-${at}`);
        await page.getByRole('radio', { name: 'Per hem' }).check();
        await shoot(page, `visits-home-${at}`);
        await page.getByRole('button', { name: 'Ja, boka …' }).click();
        await shoot(page, `visit-${at}`, false);
        await page.keyboard.press('Escape');
        await page.getByRole('button', { name: 'Nej …' }).click();
        await shoot(page, `decline-${at}`, false);
        await page.goto('/people');
        await page.locator('.person').first().waitFor();
        await shoot(page, `people-${at}`);
        await page.getByRole('button', { name: 'Ny inbjudan … – Cecilia Ström' }).click();
        await page.locator('.invite-qr').waitFor();
        await shoot(page, `invite-${at}`, false);
        await page.keyboard.press('Escape');
        await page.getByRole('button', { name: 'Ändra … – Björn Falk' }).click();
        await shoot(page, `person-${at}`, false);
        await page.goto('/account');
        await page.locator('.account-list li').first().waitFor();
        await shoot(page, `account-${at}`);
      });

      test('installing', async ({ page, mock }) => {
        page.setDefaultTimeout(6_000);
        mock.setMe({ role: 'coordinator' });
        await page.goto('/install');
        await page.locator('.install-begun').waitFor();
        await shoot(page, `install-${at}`);
        await page.getByLabel('Vem bor där').fill('Elsa Nyström');
        await page.getByLabel('Lådans id').fill('lykta-7f3a');
        await page.getByRole('button', { name: 'Lägg till hemmet' }).click();
        await page.getByText('Väntar på lådan').waitFor();
        await shoot(page, `install-box-${at}`);
        const home = 'elsa-nystrom';
        const seen = new Date(mock.at()).toISOString();
        mock.homeSays(home, { online: true, last_heard: seen });
        await page.getByRole('button', { name: 'Släpp in nya enheter' }).click();
        const device = (device: string, kinds: string[]) => ({
          device,
          room: '',
          kinds,
          last_seen: seen,
          silent: false,
          battery: 100,
        });
        mock.homeSays(home, {
          devices: [
            device('0x00158d0004470a44', ['motion', 'battery']),
            device('0x00158d0004470b17', ['button', 'battery']),
          ],
        });
        await page.getByRole('radio', { name: 'Larm' }).waitFor();
        await shoot(page, `install-devices-${at}`);
        for (const select of await page.getByLabel('Rum').all()) await select.selectOption('Hall');
        await page.getByRole('radio', { name: 'Larm' }).check();
        await page.getByRole('button', { name: 'Starta prov' }).waitFor();
        await shoot(page, `install-test-${at}`);
        await page.getByRole('button', { name: 'Starta prov' }).click();
        mock.pressTest(home);
        mock.passTest(home);
        await page.getByRole('heading', { name: 'Skyddat' }).waitFor();
        await shoot(page, `install-lit-${at}`);
      });

      test.describe('at the door', () => {
        test.use({ options: { signedIn: false } });

        test('signing in', async ({ page, mock }) => {
          const named = mock.url.replace('127.0.0.1', 'localhost');
          mock.admin.ways = { passkeys: true, oidc: { name: 'Kommunens inloggning' } } as never;
          await page.goto(`${named}/`);
          await page.locator('.door-main').waitFor();
          await shoot(page, `door-${at}`, false);
          await page.goto(`${named}/sign-in?problem=LYK-0721`);
          await page.locator('.door-note').waitFor();
          await page.getByText('Har du en kod?').click();
          await shoot(page, `door-problem-${at}`, false);
          await page.goto(`${named}/invitation#lykta-inbjudan`);
          await page.getByRole('button', { name: 'Ja, det är jag' }).waitFor();
          await shoot(page, `invitation-${at}`, false);
          await page.getByRole('button', { name: 'Ja, det är jag' }).click();
          await page.getByRole('button', { name: 'Inte nu' }).waitFor();
          await shoot(page, `invitation-save-${at}`, false);
        });
      });
    });
  }
}
