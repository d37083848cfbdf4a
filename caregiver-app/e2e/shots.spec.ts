import { expectAccessible, expectNoSidewaysScroll, test } from './lykta';
import { open, screens } from './screens';

// Every screen at every size, in both languages and both schemes, into shots/.
// What runs always is in screens.spec.ts.

const sizes = { phone: { width: 390, height: 844 }, desk: { width: 1440, height: 900 } };
/** Only these, by name and comma: LYKTA_SCREENS=now,rota. */
const only = process.env['LYKTA_SCREENS']?.split(',');

for (const [size, viewport] of Object.entries(sizes)) {
  for (const language of ['sv', 'en'] as const) {
    test.describe(`${size} ${language}`, () => {
      test.use({ viewport, contextOptions: { reducedMotion: 'reduce' } });
      for (const screen of screens.filter((s) => !only || only.includes(s.name))) {
        test.describe(screen.name, () => {
          test.use({ options: { signedIn: !screen.outside } });
          test('looks right', async ({ page, mock }) => {
            page.setDefaultTimeout(8_000);
            await open(page, mock, screen, language);
            for (const colorScheme of ['light', 'dark'] as const) {
              await page.emulateMedia({ colorScheme });
              await page.screenshot({
                path: `shots/${screen.name}-${size}-${language}-${colorScheme}.png`,
                // What lies over a page is seen in the window, not along the page.
                fullPage: !screen.over,
              });
              await expectNoSidewaysScroll(page);
              if (process.env['LYKTA_LOOKS'] === 'all') await expectAccessible(page);
            }
          });
        });
      }
    });
  }
}
