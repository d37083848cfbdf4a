// The relatives' app by keyboard alone.
import type { Page } from '@playwright/test';
import { maria } from './family.states';
import { card as alert, expect, test } from './lykta';
import { bertil } from './mock/family.mjs';

test.use({ options: { calm: true }, serviceWorkers: 'block' });

test.beforeEach(({ mock }) => mock.setMe(maria));

test.describe('by keyboard alone', () => {
  /** What has the focus: its words, and whether one can see that it has it. */
  const focused = (page: Page) =>
    page.evaluate(() => {
      const at = document.activeElement as HTMLElement;
      // A radio button and a file are drawn by what stands around them.
      const drawn = [at, at.nextElementSibling, at.closest('label')].filter((e) => e !== null);
      const seen = drawn.some((e) => {
        const { outlineStyle, outlineWidth } = getComputedStyle(e);
        const { top, bottom } = e.getBoundingClientRect();
        const shown = top < innerHeight && bottom > 0;
        return shown && outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2;
      });
      const words = at.textContent || at.closest('label')?.textContent || at.tagName;
      return { words: at === document.body ? '' : words.trim(), seen };
    });
  const reach = async (page: Page, words: string) => {
    for (let i = 0; i < 60; i++) {
      const is = await focused(page);
      if (is.words === words) return expect(is.seen, words).toBe(true);
      await page.keyboard.press('Tab');
    }
    throw new Error(`${words} is not reached`);
  };
  const heading = async (page: Page, words: string) =>
    expect.poll(async () => (await focused(page)).words).toBe(words);

  test('everything of every page is reached, seen to be, and left again', async ({
    page,
    mock,
  }) => {
    mock.family.homes.set('sven', bertil(mock.at()));
    mock.raise({ home: 'marta', kind: 'sos' });
    for (const path of [
      '',
      'homes/marta',
      'homes/marta/visits',
      'homes/marta/messages',
      'account',
    ]) {
      await page.goto(`/family/${path}`);
      await page.locator('h1').first().waitFor();
      await expect(page.getByText('Hämtar …').filter({ visible: true })).toHaveCount(0);
      if (path.endsWith('visits')) await page.getByText('Be om ett besök').click();
      await page.evaluate(() => (document.activeElement as HTMLElement).blur());
      await page.locator('body').focus();
      const wanted = await page.evaluate(() => {
        const every =
          'a[href], button:not(:disabled), summary, textarea, select, input:not([type=radio]), input:checked';
        const all = [...document.querySelectorAll<HTMLElement>(every)].filter((e) =>
          e.checkVisibility(),
        );
        all.forEach((e, i) => (e.dataset['nr'] = String(i)));
        return all.length;
      });
      const reached = new Set<string>();
      for (let i = 0; i < wanted * 4 + 9 && reached.size < wanted; i++) {
        await page.keyboard.press('Tab');
        const is = await focused(page);
        const nr = await page.evaluate(() => (document.activeElement as HTMLElement).dataset['nr']);
        if (is.words) expect(is.seen, `${path}: ${is.words}`).toBe(true);
        if (nr) reached.add(nr);
      }
      expect(reached.size, path).toBe(wanted);
    }
  });

  test('an alarm is taken and set out for, and the focus stays by it', async ({ page, mock }) => {
    const { id } = mock.raise({ home: 'marta', kind: 'sos' });
    await page.goto('/family/');
    await alert(page, id).waitFor();
    await reach(page, 'Jag tar det');
    await page.keyboard.press('Enter');
    await expect(alert(page, id)).toContainText('Du har det');
    await heading(page, 'Märta har tryckt på larmknappen');
    await reach(page, 'Jag är på väg …');
    await page.keyboard.press('Enter');
    await reach(page, '15 min');
    await page.keyboard.press(' ');
    await expect(alert(page, id)).toContainText('Du är på väg');
    await heading(page, 'Märta har tryckt på larmknappen');
    await reach(page, 'Vilka har fått veta?');
    await page.keyboard.press('Enter');
    await expect(alert(page, id)).toContainText('Anna Berg: avisering, framme');
  });

  test('a step leads to the heading, and a deed done leads back', async ({ page, mock }) => {
    await page.goto('/family/');
    await page.locator('.hero').waitFor();
    await reach(page, 'Besök');
    await page.keyboard.press('Enter');
    await heading(page, 'Besök hos Märta');
    await expect(page).toHaveTitle('Besök hos Märta – Lykta');
    await reach(page, 'Be om ett besök');
    await page.keyboard.press('Enter');
    await heading(page, 'Be om ett besök');
    await reach(page, 'Skicka');
    await page.keyboard.press('Enter');
    await heading(page, 'Besök hos Märta');
    await expect.poll(() => mock.family.sent.length).toBe(1);
    await page.keyboard.press('Shift+Tab');
    await reach(page, 'Konto');
    await page.keyboard.press('Enter');
    await heading(page, 'Mitt konto');
    const end = page.getByRole('button', { name: 'Logga ut Firefox, Windows' });
    await end.focus();
    await page.keyboard.press('Enter');
    await expect(end).toHaveCount(0);
    await heading(page, 'Här är du inloggad');
  });
});
