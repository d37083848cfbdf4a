// The resident's screen in a browser: that every state can be seen and read, at every size and in both languages and schemes.
import type { Page } from '@playwright/test';
import {
  button,
  expect,
  headingOf,
  helpOf,
  minute,
  photo,
  pressUntil,
  saturday,
  test,
} from './kiosk';
import { expectAccessible, expectNoSidewaysScroll } from './lykta';
import type { Gateway } from './mock/kiosk.mjs';

/** Presses a button, on whatever page of the list it is. */
async function press(page: Page, name: string | RegExp) {
  const wanted = button(page, name).first();
  await expect(page.locator('.items')).not.toHaveAttribute('data-measuring', 'true');
  for (let i = 0; i < 9 && !(await wanted.isVisible()); i++) {
    await button(page, /^(Nästa|Next)/).click();
  }
  await wanted.click();
  await wanted.waitFor({ state: 'hidden' }); // else the next is looked for on the page before
}

interface State {
  name: string;
  /** What the home is like, and what the resident does then. */
  home?: (gateway: Gateway) => void;
  act?: (page: Page, w: typeof words.sv, gateway: Gateway) => Promise<void>;
  /** What shows that it is there. */
  shows: RegExp;
  cut?: boolean;
}

const words = {
  sv: {
    day: 'Min dag',
    letters: 'Meddelanden',
    data: 'Mina uppgifter',
    settings: 'Skärmen',
    looks: 'Vem har tittat?',
    staff: 'Hemtjänsten',
    health: /Min hälsa/,
    bad: 'Dåligt',
    answer: 'Svara',
    later: 'Ring mig senare',
    hangUp: 'Lägg på',
    close: 'Tillbaka',
    callBack: 'Be Anna ringa upp',
    autoAnswer: /Skärmen svarar själv vid larm/,
  },
  en: {
    day: 'My day',
    letters: 'Messages',
    data: 'My data',
    settings: 'Screen',
    looks: 'Who has looked?',
    staff: 'Home care',
    health: /My health/,
    bad: 'Bad',
    answer: 'Answer',
    later: 'Call me later',
    hangUp: 'Hang up',
    close: 'Back',
    callBack: 'Ask Anna to call',
    autoAnswer: /The screen answers by itself/,
  },
};

const long =
  'Hej mamma! Vi tänkte komma på lördag vid två med kakor och barnen. Lisa har lärt sig cykla och vill visa dig. Ring om du behöver något från affären, så tar vi med det. Glöm inte att ta med dig paraplyet om du går ut, det ska regna på eftermiddagen.';
const at = (time: string) => (g: Gateway) => (g.now = Date.parse(`2026-11-21T${time}Z`));

const autoAnswer = { party: 'staff', name: '', field: 'auto_answer', allowed: false };

const states: State[] = [
  { name: 'starting', home: (g) => (g.mute = true), shows: /Startar|Starting/ },
  { name: 'calm', shows: /Karin/ },
  {
    name: 'heard',
    home: (g) => (g.status.check_in = { at: (g.now - 6 * 60 * minute) * 1_000, state: 'received' }),
    shows: /Vi har hört dig|We heard you/,
  },
  {
    name: 'offline',
    home: (g) => {
      g.status.check_in = { at: (g.now - minute) * 1_000, state: 'sending' };
      g.status.online = false;
    },
    shows: /Ingen förbindelse|No connection/,
  },
  {
    name: 'evening',
    home: (g) => {
      at('18:20:00')(g);
      g.status.day.prompts = [];
      g.status.well_being = 1;
    },
    shows: /Inga fler besök|No more visits/,
  },
  {
    name: 'short-tap',
    act: async (page) => helpOf(page).click(),
    shows: /Håll kvar tills|Keep holding/,
  },
  { name: 'medicine', home: at('19:01:00'), shows: /Dags för medicin|Time for medicine/ },
  { name: 'reminder', home: at('15:01:00'), shows: /Vattna blommorna/ },
  { name: 'letter', home: (g) => g.letter({ picture: true }), shows: /kakor/ },
  { name: 'letter-long', home: (g) => g.letter({ picture: true, text: long }), shows: /Hej mamma/ },
  { name: 'letter-text', home: (g) => g.letter({ text: long + ' ' + long }), shows: /Hej mamma/ },
  { name: 'letter-picture', home: (g) => g.letter({ picture: true, text: '' }), shows: /Maria/ },
  {
    name: 'question',
    home: (g) => {
      at('16:01:00')(g);
      g.status.day.prompts = [];
    },
    shows: /Hur mår du|How are you/,
  },
  {
    name: 'question-bad',
    home: (g) => {
      at('16:01:00')(g);
      g.status.day.prompts = [];
    },
    act: (page, w) => button(page, w.bad).click(),
    shows: /Behöver du hjälp nu|Do you need help now/,
  },
  { name: 'sending', home: (g) => g.press('sending'), shows: /Larmet skickas|Sending the alarm/ },
  {
    name: 'sending-offline',
    home: (g) => {
      g.press('sending');
      g.status.online = false;
    },
    shows: /skickas så fort|sent as soon/,
  },
  { name: 'received', home: (g) => g.press('received'), shows: /är framme|has arrived/ },
  { name: 'comes', home: (g) => g.annaComes(12), shows: /Anna (kommer om|comes in)/ },
  {
    name: 'crowded',
    home: (g) => {
      g.annaComes(12);
      g.status.sos.by = 'Anna-Karin Johansson-Lindqvist';
      g.status.online = false;
      const text = 'Fixaren Lars byter batteri i din brandvarnare klockan 14:30.';
      g.status.notice = { id: 'n', text, at: g.now * 1_000 };
    },
    shows: /kan vara gammalt|may be old/,
  },
  { name: 'not-saved', home: (g) => g.press('not_saved'), shows: /inte sparat|not saved/ },
  {
    name: 'resolved',
    home: (g) => g.press('resolved', { told: g.now * 1_000 }),
    shows: /avslutat|is closed/,
  },
  { name: 'day', act: (page, w) => button(page, w.day).click(), shows: /Anna|Alvedon/ },
  {
    name: 'letters',
    home: (g) => {
      g.letter({ heard: true, at: (g.now - 100 * minute) * 1_000 });
      g.letter({ heard: true, picture: true, at: (g.now - 90 * minute) * 1_000 });
    },
    act: (page, w) => button(page, w.letters).click(),
    shows: /kakor/,
  },
  {
    name: 'data',
    act: (page, w) => button(page, w.data).click(),
    shows: /Vem har tittat|Who has looked/,
  },
  {
    name: 'looks',
    act: async (page, w) => {
      await button(page, w.data).click();
      await press(page, w.looks);
    },
    shows: /Anna, (hemtjänsten|home care)/,
  },
  {
    name: 'party',
    act: async (page, w) => {
      await button(page, w.data).click();
      await press(page, w.staff);
    },
    shows: /Får veta|May know/,
  },
  {
    name: 'grant',
    act: async (page, w) => {
      await button(page, w.data).click();
      await press(page, w.staff);
      await press(page, w.health);
    },
    shows: /Ändra inget|Change nothing/,
  },
  {
    name: 'settings',
    act: (page, w) => button(page, w.settings).click(),
    shows: /Mörkt på natten|Dark at night/,
  },
  { name: 'dark', home: at('22:40:00'), shows: /23:4/ },
  { name: 'call-ring', home: (g) => g.call({}), shows: /Anna (ringer|is calling)/ },
  {
    name: 'call-ring-alarm',
    home: (g) => {
      g.annaComes(12);
      g.caller = g.pictures.l0 ?? null;
      g.call({ alert: true, by: 'Anna-Karin Johansson-Lindqvist' });
    },
    shows: /Det gäller ditt larm|It is about your alarm/,
  },
  {
    name: 'call-countdown',
    home: (g) => {
      g.press('received');
      g.countdown(20);
    },
    shows: /Svarar om 1\d sekunder|Answers in 1\d seconds/,
  },
  {
    name: 'call-joining',
    home: (g) => {
      g.annaComes(12);
      g.call({ state: 'answered' });
    },
    shows: /Kopplar upp|Connecting/,
  },
  {
    name: 'call-over',
    home: (g) => g.call({}),
    act: async (page, w) => {
      await pressUntil(button(page, w.answer), button(page, w.hangUp));
      await pressUntil(button(page, w.hangUp), button(page, w.close));
    },
    shows: /Samtalet är slut|The call is over/,
  },
  {
    name: 'call-later',
    home: (g) => g.call({}),
    act: async (page, w) => {
      await pressUntil(button(page, w.later), button(page, w.close));
    },
    shows: /Vi lämnar fram|We pass on/,
  },
  {
    name: 'call-withdrawn',
    home: (g) => g.call({ by: 'Anna-Karin Johansson-Lindqvist' }),
    act: async (page, w, g) => {
      await button(page, w.answer).waitFor();
      await expect.poll(() => g.pages.length).toBe(1); // the ring may be here by the status alone
      g.over('withdrawn');
    },
    shows: /inte längre får ringa|may no longer call/,
  },
  { name: 'call-missed', home: (g) => g.missed(), shows: /Be Anna ringa upp|Ask Anna to call/ },
  {
    name: 'call-asked',
    home: (g) => g.missed(),
    act: async (page, w) => {
      await button(page, w.callBack).click();
    },
    shows: /Vi ber Anna ringa upp dig|We ask Anna to call you/,
  },
  {
    name: 'grant-auto-answer',
    home: (g) => g.status.day.grants.push(autoAnswer),
    act: async (page, w) => {
      await button(page, w.data).click();
      await press(page, w.staff);
      await press(page, w.autoAnswer);
    },
    shows: /Ja, svara själv|Yes, answer by itself/,
  },
  { name: 'no-time', home: (g) => (g.status.now = 0), shows: /inte ställd|not set/ },
  { name: 'silent', shows: /LYK-0425/, cut: true },
];

/** No scrolling, nothing small to press, no small print, nothing cut off. */
async function expectReadable(page: Page, smallest: number) {
  await expectNoSidewaysScroll(page);
  const wrong = await page.evaluate((smallest) => {
    const found: string[] = [];
    const root = document.documentElement;
    if (root.scrollHeight > root.clientHeight) found.push(`scrolls: ${root.scrollHeight}`);
    for (const b of document.querySelectorAll<HTMLElement>('button')) {
      const { width, height, left, top, right, bottom } = b.getBoundingClientRect();
      const name = b.textContent || b.ariaLabel;
      if (width < 96 || height < 96) found.push(`${name}: ${width}x${height}`);
      if (left < 0 || top < 0 || right > innerWidth + 1 || bottom > innerHeight + 1)
        found.push(`${name} is off the screen`);
      if (b.scrollWidth > b.clientWidth + 1 || b.scrollHeight > b.clientHeight + 1)
        found.push(`${name} does not fit its button`);
    }
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
      const text = walk.currentNode.textContent?.trim();
      const parent = walk.currentNode.parentElement!;
      if (!text || parent.closest('script, noscript')) continue;
      const size = parseFloat(getComputedStyle(parent).fontSize);
      if (size < smallest) found.push(`${size} px: ${text}`);
      const range = document.createRange();
      range.selectNodeContents(walk.currentNode);
      const { right, bottom } = range.getBoundingClientRect();
      if (right > innerWidth + 1 || bottom > innerHeight + 1) found.push(`cut off: ${text}`);
    }
    return found;
  }, smallest);
  expect(wrong).toEqual([]);
}

interface Look {
  name: string;
  width: number;
  height: number;
  scheme?: 'light' | 'dark';
  language?: 'sv' | 'en';
  /** The browser's own text size, where 16 px is the usual; and the resident's choice. */
  text?: number;
  size?: 1 | 2 | 3;
  /** The smallest letters, in px. */
  smallest: number;
  axe?: boolean;
}

const small = { width: 800, height: 480, smallest: 16 };
const wide = { width: 1280, height: 800, smallest: 22 };
// Colours and names are the same at every size, letters and buttons in both schemes.
const looks: Look[] = [
  { name: 'wide-light', ...wide, axe: true },
  { name: 'wide-dark', ...wide, scheme: 'dark', axe: true },
  { name: 'small-light', ...small },
  { name: 'english-light', ...small, language: 'en', axe: true },
  { name: 'english-dark', ...small, scheme: 'dark', language: 'en', axe: true },
  { name: 'hd-light', width: 1920, height: 1080, smallest: 30 },
  { name: 'tall-light', width: 600, height: 1024, smallest: 16 },
  { name: 'wide-largest', ...wide, size: 3 },
  { name: 'small-largest', ...small, size: 3 },
  { name: 'wide-200', ...wide, text: 32 },
  { name: 'small-200', ...small, text: 32 },
  { name: 'zoomed', width: 640, height: 400, smallest: 12 },
];

// Always the one that most see, and the two that are hardest; all of them with
// LYKTA_LOOKS=all (make screens), or those that it names, and photographed.
const thorough = process.env['LYKTA_LOOKS'] !== undefined;
const wanted = process.env['LYKTA_LOOKS']?.split(',') ?? [
  'wide-light',
  'english-dark',
  'small-200',
];
const chosen = looks.filter(({ name }) => wanted.includes('all') || wanted.includes(name));

for (const look of chosen) {
  const { name, width, height, scheme = 'light', language = 'sv', text, size, smallest } = look;
  test.describe(name, () => {
    test.use({
      viewport: { width, height },
      colorScheme: scheme,
      contextOptions: { reducedMotion: 'reduce' },
    });

    test('every state fits, and is accessible', async ({ page, gateway }) => {
      test.setTimeout(240_000);
      page.setDefaultTimeout(10_000);
      const picture = await photo(page);
      if (text) {
        const client = await page.context().newCDPSession(page);
        await client.send('Page.setFontSizes', { fontSizes: { standard: text, fixed: text } });
      }
      await page.addInitScript(
        (s) => {
          if (location.protocol !== 'http:') return;
          localStorage.clear();
          localStorage.setItem('lykta.kiosk.settings', JSON.stringify(s));
        },
        { text: size ?? 1 },
      );
      const only = process.env['LYKTA_STATES']?.split(',');
      for (const state of states.filter((s) => !only || only.includes(s.name))) {
        await test.step(state.name, async () => {
          await gateway.reset(saturday);
          gateway.status.day.language = language;
          gateway.pictures = { l0: picture, l1: picture };
          state.home?.(gateway);
          await page.goto('/');
          await expect(page.locator('html')).toHaveAttribute(
            'lang',
            gateway.mute ? 'sv' : language,
          );
          if (state.name !== 'starting')
            await expect(headingOf(page)).not.toHaveText(/Startar|Starting/);
          await state.act?.(page, words[language], gateway);
          if (state.cut) await gateway.stop();
          await expect(page.getByText(state.shows).first()).toBeVisible({ timeout: 15_000 });
          await page.waitForFunction(() => [...document.images].every((i) => i.complete));
          if (thorough) await page.screenshot({ path: `shots/kiosk-${state.name}-${name}.png` });
          await expectReadable(page, smallest);
          if (look.axe) await expectAccessible(page);
        });
      }
    });
  });
}
