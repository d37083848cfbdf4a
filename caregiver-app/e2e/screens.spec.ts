import type { Page } from '@playwright/test';
import { walk } from './keyboard';
import { expect, expectAccessible, expectContrast, expectNoSidewaysScroll, test } from './lykta';
import { open, screens, texts, type Language } from './screens';

// Every screen, for everybody: what a machine knows of WCAG, the keyboard alone,
// a narrow window, letters of twice the size, and texts in the language that was
// chosen. A telephone is looked at in Swedish by all of these, a desk in English by
// its words and its keyboard; every combination is looked at by `make screens`.

test.use({ serviceWorkers: 'block' });

for (const screen of screens) {
  test.describe(screen.name, () => {
    test.use({
      options: { signedIn: !screen.outside },
      contextOptions: { reducedMotion: 'reduce' },
    });

    test('is for everybody', async ({ page, mock }) => {
      page.setDefaultTimeout(10_000);
      const size = page.viewportSize()!;
      const desk = size.width > 1000;
      const language = desk ? 'en' : 'sv';
      await open(page, mock, screen, language);
      await expectWords(page, language);
      if (!desk) await expectAccessible(page);
      if (desk && screen.over) await expectEscape(page);
      expect(await walk(page)).toEqual([]);
      if (desk) return;
      await page.emulateMedia({ colorScheme: 'dark' });
      await expectContrast(page);
      await page.setViewportSize({ width: 320, height: 640 });
      await expectWhole(page);
      // Zooming to 200 % is letters of twice the size in a window as wide as before.
      await page.setViewportSize({ width: 640, height: size.height });
      await page.evaluate(() => (document.documentElement.style.fontSize = '200%'));
      await expectWhole(page);
    });
  });
}

/** Escape leaves it, and gives the focus back to what opened it, which opens it again. */
async function expectEscape(page: Page): Promise<void> {
  const over = page.locator('dialog[open], .menu[open]');
  await page.keyboard.press('Escape');
  await expect(over).toHaveCount(0);
  await expect(page.locator(':focus')).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(over).toHaveCount(1);
}

/** Nothing scrolls sideways, and no letter is cut off. */
async function expectWhole(page: Page): Promise<void> {
  // A picture is drawn anew once its new width is known.
  const cut = () =>
    page.evaluate(() => {
      const found: string[] = [];
      const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      while (walk.nextNode()) {
        const text = walk.currentNode.textContent?.trim();
        const parent = walk.currentNode.parentElement;
        if (!text || !parent?.checkVisibility({ checkVisibilityCSS: true })) continue;
        const range = document.createRange();
        range.selectNodeContents(walk.currentNode);
        for (const { left, right, width } of range.getClientRects()) {
          if (width < 2) continue;
          for (let e: Element | null = parent; e; e = e.parentElement) {
            const style = getComputedStyle(e);
            // What is read, not seen; and what one scrolls by itself.
            if (style.clipPath !== 'none' || /auto|scroll/.test(style.overflowX)) break;
            const top = e === document.documentElement;
            if (!top && style.overflowX !== 'hidden' && style.overflowX !== 'clip') continue;
            const edge = top ? { left: 0, right: innerWidth } : e.getBoundingClientRect();
            if (left < edge.left - 1 || right > edge.right + 1) found.push(text.slice(0, 60));
          }
        }
      }
      return [...new Set(found)];
    });
  await expect.poll(cut).toEqual([]);
  await expectNoSidewaysScroll(page);
}

/** Every line is in the language, and none is the name of a text. */
async function expectWords(page: Page, language: Language): Promise<void> {
  const lines = (await page.locator('body').innerText()).split('\n').map((line) => line.trim());
  const values = (l: Language, which = /./) =>
    Object.entries(texts[l]).flatMap(([key, text]) => (which.test(key) ? [text] : []));
  const other = language === 'sv' ? 'en' : 'sv';
  // A ready name of a visit is in the language of who planned it.
  const own = new Set([...values(language), ...values(other, /^(planned\.what|template)\./)]);
  const foreign = new Set(values(other).filter((text) => !own.has(text)));
  const choice = ['English', 'Svenska', 'In English', 'På svenska'];
  expect(lines.filter((l) => foreign.has(l) && !choice.includes(l))).toEqual([]);
  expect(lines.filter((l) => l in texts.sv)).toEqual([]);
}

test('Tab reaches the way past the frame, and it leads into the page', async ({ page }) => {
  await page.goto('/homes');
  await page.locator('.home-row').first().waitFor();
  await page.keyboard.press('Tab');
  const skip = page.getByRole('link', { name: 'Hoppa till innehållet' });
  await expect(skip).toBeFocused();
  await expect(skip).toBeInViewport();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await expect(page.getByRole('searchbox')).toBeFocused();
});

test('a step to another page leads to its heading, whatever has to be fetched first', async ({
  page,
  mock,
}) => {
  test.slow();
  mock.setMe({ role: 'coordinator' });
  await page.goto('/');
  await page.locator('[data-alert=a1]').waitFor();
  const paths = new Set(screens.filter((s) => !s.outside && !s.world).map((s) => s.path));
  paths.delete('/');
  paths.delete('/search'); // where one is about to write
  const lost: string[] = [];
  for (const path of [...paths, '/']) {
    // A link of the page, wherever it would stand.
    await page.evaluate((to) => {
      const a = Object.assign(document.createElement('a'), { href: to });
      document.body.append(a);
      a.click();
      a.remove();
    }, path);
    await expect(page).toHaveURL(mock.url + path);
    try {
      await expect(page.locator('h1')).toBeFocused({ timeout: 2_000 });
    } catch {
      lost.push(path);
    }
  }
  expect(lost).toEqual([]);
});

test('a curve changes its colours with the rest of the page', async ({ page }) => {
  await page.emulateMedia({ colorScheme: 'light' });
  await page.goto('/homes/marta/trends');
  const canvas = page.locator('.curve canvas').first();
  await canvas.waitFor();
  const drawn = () => canvas.evaluate((c: HTMLCanvasElement) => c.toDataURL());
  const light = await drawn();
  await page.emulateMedia({ colorScheme: 'dark' });
  await expect.poll(drawn).not.toBe(light);
});
