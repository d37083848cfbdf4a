import type { Page } from '@playwright/test';
import { startMock } from './mock.mjs';
import { card, saturday, test } from './lykta';

const sizes = { phone: { width: 390, height: 844 }, desk: { width: 1440, height: 900 } };

async function shoot(page: Page, name: string) {
  await page.screenshot({ path: `shots/${name}.png`, fullPage: true });
}

for (const [size, viewport] of Object.entries(sizes)) {
  for (const scheme of ['light', 'dark'] as const) {
    test.describe(`${size} ${scheme}`, () => {
      test.use({ viewport, colorScheme: scheme, contextOptions: { reducedMotion: 'reduce' } });
      const at = `${size}-${scheme}`;

      test('screens', async ({ page, mock }) => {
        await page.goto('/');
        await card(page, 'a1').waitFor();
        await shoot(page, `now-${at}`);
        await card(page, 'a2').getByRole('button', { name: 'Avsluta' }).click();
        await shoot(page, `close-${at}`);
        mock.setNetwork(false);
        await card(page, 'a1').getByRole('button', { name: 'Jag tar det' }).click();
        await page.locator('.strip-down').waitFor();
        await page.getByText('Inte skickat än. Andra').waitFor();
        await shoot(page, `offline-${at}`);
        mock.setNetwork(true);
        await page.goto('/homes');
        await page.getByRole('heading', { name: 'Hem' }).waitFor();
        await page.getByText('Märta Lindqvist').first().waitFor();
        await shoot(page, `homes-${at}`);
        await page.goto('/homes/marta');
        await page.locator('.picture svg').first().waitFor();
        await shoot(page, `home-${at}`);
        await page.getByRole('button', { name: 'Föregående dag' }).click();
        await page.locator('.picture svg').first().waitFor();
        await page.goto('/homes/gunnar');
        await page.locator('.picture svg').first().waitFor();
        await page.getByText('Meny').click();
        await page.screenshot({ path: `shots/silent-menu-${at}.png` });
        await page.goto('/nowhere');
        await page.getByRole('heading', { name: 'Sidan finns inte' }).waitFor();
        await shoot(page, `missing-${at}`);
        mock.fail(/homes/, 500, 'LYK-0001');
        await page.goto('/');
        await page.getByText('LYK-0001').waitFor();
        await shoot(page, `error-${at}`);
      });

      test('calm and sign-in', async ({ page }) => {
        const calm = await startMock({ now: saturday, calm: true });
        await page.goto(calm.url);
        await page.getByText('Allt är lugnt').waitFor();
        await shoot(page, `calm-${at}`);
        await page.evaluate(() => localStorage.setItem('lykta.language', 'en'));
        await page.goto(`${calm.url}/homes/marta`);
        await page.locator('.picture svg').first().waitFor();
        await shoot(page, `home-en-${at}`);
        calm.expire();
        await page.getByRole('button', { name: 'Sign in' }).waitFor();
        await shoot(page, `sign-in-${at}`);
        await calm.close();
      });
    });
  }
}
