import type { Page } from '@playwright/test';
import { card, test } from './lykta';

const sizes = { phone: { width: 390, height: 844 }, desk: { width: 1440, height: 900 } };
const ago = (at: number, minutes: number) => new Date(at - minutes * 60_000).toISOString();

async function shoot(page: Page, name: string, fullPage = true) {
  await page.screenshot({ path: `shots/${name}.png`, fullPage });
}

for (const [size, viewport] of Object.entries(sizes)) {
  for (const scheme of ['light', 'dark'] as const) {
    test.describe(`${size} ${scheme}`, () => {
      test.use({ viewport, colorScheme: scheme, contextOptions: { reducedMotion: 'reduce' } });
      const at = `${size}-${scheme}`;

      test('alerts and their chains', async ({ page, mock }) => {
        test.slow();
        const now = mock.at();
        mock.raise({
          home: 'astrid',
          kind: 'sos',
          state: 'acknowledged',
          stage: 'on_the_way',
          observed: ago(now, 44),
          raised: ago(now, 44),
          acknowledged_by: 'Björn Falk',
          acknowledged_at: ago(now, 43),
          held_by: 'Björn Falk',
          held_at: ago(now, 43),
          left_at: ago(now, 40),
          expected: ago(now, 31),
          overdue: true,
        });
        mock.raise({ home: 'gunnar', kind: 'sos', test: true, tester: 'anna' });
        await page.goto('/');
        await card(page, 'a1').waitFor();
        await page.locator('.push-hint').waitFor();
        await card(page, 'a1').getByText('Vem har larmats?').click();
        await card(page, 'a1').locator('.chain').waitFor();
        await shoot(page, `now-team-${at}`);
        await card(page, 'a1').getByRole('button', { name: 'Jag tar det' }).click();
        await card(page, 'a1').getByRole('button', { name: 'Jag är på väg' }).click();
        await shoot(page, `way-${at}`);
        await card(page, 'a1').getByRole('button', { name: '10 min' }).click();
        await page.goto('/alert/a1');
        await page.locator('.chain-deed').last().waitFor();
        await shoot(page, `alert-${at}`);
        await page.goto('/homes/gunnar');
        await page.locator('.tool').first().waitFor();
        await page.getByRole('button', { name: 'Starta prov' }).click();
        await page.locator('.walk').waitFor();
        const press = mock.pressTest('gunnar');
        await page.getByText('Du fick meddelandet').waitFor();
        await card(page, press.id).waitFor();
        await shoot(page, `testing-${at}`);
        await page.getByRole('button', { name: 'Tysta larm …' }).click();
        await page.getByRole('dialog').waitFor();
        await shoot(page, `silence-${at}`, false);
        await page.goto('/homes');
        await page.getByText('Larm tystade').first().waitFor();
        await shoot(page, `homes-team-${at}`);
        await page.getByText('Meny').click();
        await page.locator('.push').waitFor();
        await shoot(page, `push-${at}`, false);
      });

      test('planning', async ({ page, mock }) => {
        test.slow();
        mock.setMe({ role: 'coordinator' });
        await page.goto('/rota');
        await page.locator('.on-duty').waitFor();
        await shoot(page, `rota-${at}`);
        await page
          .getByRole('button', { name: /Fyll luckan/ })
          .first()
          .click();
        await page.getByRole('dialog').waitFor();
        await shoot(page, `shift-${at}`, false);
        mock.staff.members = mock.staff.members.filter((m) => m.group !== 'last_resort');
        await page.goto('/people');
        await page.locator('.person').first().waitFor();
        await shoot(page, `people-${at}`);
        await page.getByRole('button', { name: 'Ändra … – Björn Falk' }).click();
        await page.getByRole('dialog').waitFor();
        await shoot(page, `person-${at}`, false);
        await page.keyboard.press('Escape');
        await page.getByRole('button', { name: 'Lägg i grupp … – Lena Lindqvist' }).click();
        await page.getByRole('radio', { name: 'Närstående' }).check();
        await shoot(page, `member-${at}`, false);
        await page.goto('/policies');
        await page.locator('.policy').first().waitFor();
        await shoot(page, `policies-${at}`);
        await page.getByRole('button', { name: 'Ändra … – Akut' }).click();
        await shoot(page, `policy-${at}`, false);
        await page.goto('/silences');
        await page.locator('.silence').first().waitFor();
        await shoot(page, `silences-${at}`);
        await page.goto('/load');
        await page.locator('.load-rows').first().waitFor();
        await shoot(page, `load-${at}`);
      });
    });
  }
}
