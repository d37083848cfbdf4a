// How the relatives' app and the page of guests look: every screen in every state,
// at the sizes, in the languages and in the colours that there are. `make screens`
// looks at every combination, and photographs each into shots/.
import type { BrowserContext } from '@playwright/test';
import { familyCalls, guestCalls } from './call.states';
import { maria, states, type State } from './family.states';
import {
  expect,
  expectAccessible,
  expectContrast,
  expectNoSidewaysScroll,
  saturday,
  test as base,
} from './lykta';
import { startMock } from './mock.mjs';
import { withMedia } from './studio';

const test = base.extend(withMedia);
test.use({ serviceWorkers: 'block' });

// The pages, by the name of their pictures and where they lie.
const apps = [
  { name: 'family', says: 'the relatives’ app', root: '/family/', states },
  { name: 'family', says: 'calls in the relatives’ app', root: '/family/', states: familyCalls },
  { name: 'guest', says: 'the page of guests', root: '/', states: guestCalls },
];
type App = (typeof apps)[number];

interface Look {
  name: string;
  width: number;
  height: number;
  language?: 'sv' | 'en';
  scheme?: 'light' | 'dark';
  /** The letters of the page, in px; 16 are usual. */
  text?: number;
}

const phone = { width: 390, height: 844 };
const desk = { width: 1440, height: 900 };
const narrow = { width: 320, height: 640 };
const zoomed = { width: 640, height: 900, text: 32 };
const looks: Look[] = [
  { name: 'phone-light', ...phone },
  { name: 'phone-dark', ...phone, scheme: 'dark' },
  { name: 'phone-en-light', ...phone, language: 'en' },
  { name: 'phone-en-dark', ...phone, language: 'en', scheme: 'dark' },
  { name: 'desk-light', ...desk },
  { name: 'desk-dark', ...desk, scheme: 'dark' },
  { name: 'desk-en-light', ...desk, language: 'en' },
  { name: 'desk-en-dark', ...desk, language: 'en', scheme: 'dark' },
  { name: 'narrow-light', ...narrow },
  { name: 'narrow-en-dark', ...narrow, language: 'en', scheme: 'dark' },
  { name: 'zoomed-light', ...zoomed },
  { name: 'zoomed-en-dark', ...zoomed, language: 'en', scheme: 'dark' },
];

// All of them with LYKTA_LOOKS=all, or those that it names; else the narrowest, and
// what changes with the colours and with large letters. LYKTA_STATES names some states.
const thorough = process.env['LYKTA_LOOKS'] !== undefined;
const wanted = process.env['LYKTA_LOOKS']?.split(',') ?? ['narrow-light'];
const only = process.env['LYKTA_STATES']?.split(',');

/** The page in one state, without anything of the one before. */
async function stand(context: BrowserContext, app: App, state: State, look: Look) {
  const mock = await startMock({ now: saturday, calm: true, signedIn: !state.signedOut });
  mock.setMe(maria);
  const page = await context.newPage();
  await page.clock.install({ time: new Date(saturday) });
  await page.addInitScript(
    ({ language, text }) => {
      localStorage.setItem('lykta.language', language);
      if (!text) return;
      const size = new CSSStyleSheet();
      size.replaceSync(`html { font-size: ${text}px }`);
      document.adoptedStyleSheets.push(size);
    },
    { language: look.language ?? 'sv', text: look.text },
  );
  await state.given?.(mock, page);
  const root = state.named ? mock.url.replace('127.0.0.1', 'localhost') : mock.url;
  await page.goto(`${root}${app.root}${state.path ?? ''}`);
  await state.act?.(page, mock);
  await page.locator(state.shows).first().waitFor();
  if (state.name !== 'starting') {
    const fetching = page.getByText(/^(Hämtar|Fetching) …$/).filter({ visible: true });
    await expect(fetching).toHaveCount(0);
  }
  return { mock, page };
}

/** Takes the picture of a state, and says what is wrong with it. */
async function lookAt(context: BrowserContext, app: App, state: State, look: Look) {
  const { mock, page } = await stand(context, app, state, look);
  if (thorough)
    await page.screenshot({
      path: `shots/${app.name}-${state.name}-${look.name}.png`,
      fullPage: true,
    });
  const said = await page.locator('main').innerText();
  expect.soft(said, 'words').not.toMatch(/(family|guest|call|check)\.\w|undefined|NaN|\{\w+\}/);
  await softly(expectNoSidewaysScroll(page));
  await softly(expectAccessible(page));
  if (!thorough) {
    await page.emulateMedia({ colorScheme: 'dark' });
    await softly(expectContrast(page));
    await page.setViewportSize({ width: zoomed.width, height: zoomed.height });
    await page.evaluate((px) => (document.documentElement.style.fontSize = `${px}px`), zoomed.text);
    await softly(expectNoSidewaysScroll(page));
  }
  await page.close();
  // The far side of a call is a page in a context of its own.
  const others = context.browser()!.contexts();
  await Promise.all(others.filter((c) => c !== context).map((c) => c.close()));
  await mock.close();
}

/** All that is wrong is found in one run. */
const softly = (check: Promise<void>) =>
  check.catch((error: Error) => expect.soft(error.message, 'nothing wrong').toBe(''));

for (const look of looks.filter(({ name }) => wanted.includes('all') || wanted.includes(name))) {
  test.describe(look.name, () => {
    test.use({
      viewport: { width: look.width, height: look.height },
      colorScheme: look.scheme ?? 'light',
      contextOptions: { reducedMotion: 'reduce' },
    });

    for (const app of apps) {
      test(`every state of ${app.says} fits, and is accessible`, async ({ context }) => {
        test.setTimeout(600_000);
        context.setDefaultTimeout(10_000);
        for (const state of app.states.filter(({ name }) => !only || only.includes(name))) {
          await test.step(state.name, () => softly(lookAt(context, app, state, look)));
        }
      });
    }
  });
}
