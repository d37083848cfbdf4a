import { test as base, expect, type Locator, type Page } from '@playwright/test';
import { expectAccessible, expectNoSidewaysScroll } from './lykta';
import { Gateway } from './mock/kiosk.mjs';

/** An ordinary Saturday, ten past two in Stockholm. */
const saturday = '2026-11-21T13:10:00Z';
const minute = 60_000;

interface Fixtures {
  gateway: Gateway;
  complaints: string[];
}

const test = base.extend<Fixtures>({
  gateway: async ({}, use) => {
    const gateway = await Gateway.start({ now: saturday });
    gateway.ordinary();
    await use(gateway);
    await gateway.stop();
  },
  baseURL: async ({ gateway }, use) => use(`http://127.0.0.1:${gateway.port}`),
  viewport: { width: 1280, height: 800 },
  complaints: [
    async ({ page }, use) => {
      const complaints: string[] = [];
      page.on('pageerror', (error) => complaints.push(String(error)));
      page.on('console', (message) => {
        if (message.text().includes('Content Security Policy')) complaints.push(message.text());
      });
      await use(complaints);
      expect(complaints).toEqual([]);
    },
    { auto: true },
  ],
});

/** Gives the browser a Swedish and an English voice; what they said is in window.said. */
async function giveVoice(page: Page) {
  await page.addInitScript(() => {
    const said: string[] = [];
    const fake = {
      getVoices: () => [
        { lang: 'sv-SE', localService: true, name: 'Alva' },
        { lang: 'en-GB', localService: true, name: 'George' },
      ],
      cancel: () => {},
      addEventListener: () => {},
      speak: (u: { text: string; onstart: () => void; onend: () => void }) => {
        said.push(u.text);
        u.onstart();
        setTimeout(() => u.onend(), 50);
      },
    };
    class Utterance {
      constructor(readonly text: string) {}
    }
    Object.defineProperty(window, 'speechSynthesis', { value: fake });
    Object.assign(window, { said, SpeechSynthesisUtterance: Utterance });
  });
}
const said = (page: Page) =>
  page.evaluate(() => (window as unknown as { said: string[] }).said.slice());

const headingOf = (page: Page) => page.getByRole('heading', { level: 1 });
const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name });
const helpOf = (page: Page) => button(page, /^(Hjälp|Larma igen|Help|Call again)/);
const wellOf = (page: Page) => button(page, /^(Jag mår bra|I am OK)/);
const calm = 'God eftermiddag, Karin';

/** Holds the middle of something for so long, with a hand that trembles. */
async function hold(page: Page, target: Locator, ms: number) {
  const box = (await target.boundingBox())!;
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.mouse.move(x, y);
  await page.mouse.down();
  for (const end = Date.now() + ms; Date.now() < end;) {
    await page.mouse.move(x + 30 * Math.random(), y + 30 * Math.random());
    await page.waitForTimeout(40);
  }
  await page.mouse.up();
}

/** A picture that somebody might send. */
async function photo(page: Page): Promise<Buffer> {
  await page.goto('about:blank');
  await page.setContent(
    `<div style="position:fixed;inset:0;background:linear-gradient(#a8cbe0 55%,#7d9a5c 55%)">
      <div style="position:absolute;left:34%;top:34%;width:32%;height:38%;background:#a63a2b"></div>
      <div style="position:absolute;left:46%;top:52%;width:8%;height:20%;background:#f4ead8"></div>
      <div style="position:absolute;left:72%;top:10%;width:12%;aspect-ratio:1;border-radius:50%;background:#f6d36b"></div>
    </div>`,
  );
  return page.screenshot({ type: 'jpeg', quality: 70 });
}

/** Presses a button, on whatever page of the list it is. */
async function press(page: Page, name: string | RegExp) {
  const wanted = button(page, name).first();
  await expect(page.locator('.items')).not.toHaveAttribute('data-measuring', 'true');
  for (let i = 0; i < 9 && !(await wanted.isVisible()); i++) {
    await button(page, /^(Nästa|Next)/).click();
  }
  await wanted.click();
}

const sosOf = (gateway: Gateway) => gateway.presses.filter((p) => p.kind === 'sos');

test('the resident sees and hears who comes, once, and the gateway learns of it', async ({
  page,
  gateway,
}) => {
  await giveVoice(page);
  await page.goto('/');
  const heading = headingOf(page);
  await expect(heading).toHaveText(calm);
  gateway.press('received');
  await expect(heading).toHaveText('Larmet är framme');
  gateway.annaComes(12);
  await expect(heading).toHaveText('Anna kommer om 12 minuter');
  await expect(page.getByText('Anna har sett ditt larm.')).toBeVisible();
  await expect
    .poll(() => gateway.heard)
    .toEqual([{ epoch: 'e', seq: 7, told: expect.any(Number), spoken: true }]);
  expect((await said(page)).at(-1)).toBe('Anna har sett ditt larm och kommer om 12 minuter.');

  await page.reload();
  await expect(heading).toHaveText('Anna kommer om 12 minuter');
  gateway.press('someone_has_it', { by: 'Björn', told: gateway.now * 1_000 });
  await expect(heading).toHaveText('Björn har sett ditt larm');
  await expect.poll(() => said(page)).toEqual(['Björn har sett ditt larm.']);
  gateway.press('resolved', { by: 'Björn', told: gateway.now * 1_000 });
  await expect(heading).toHaveText('Larmet är avslutat');
});

test('without a voice there is a soft sound, and the report says so', async ({ page, gateway }) => {
  gateway.annaComes(12);
  await page.goto('/');
  await expect
    .poll(() => gateway.heard)
    .toEqual([{ epoch: 'e', seq: 7, told: expect.any(Number), spoken: false }]);
});

test('a gateway that does not answer is said, and passes', async ({ page, gateway }) => {
  await page.goto('/');
  const heading = headingOf(page);
  await expect(heading).toHaveText(calm);
  const { port } = gateway;
  await gateway.stop();
  await expect(heading).toHaveText('Larmboxen svarar inte', { timeout: 15_000 });
  await expect(page.getByText('LYK-0425')).toBeVisible();
  await expectAccessible(page);
  // Who presses now is told the truth, and is not forgotten.
  await hold(page, helpOf(page), 1_600);
  await expect(heading).toHaveText('Larmet är inte sparat');
  await gateway.listen(port);
  await expect(heading).toHaveText('Larmet skickas', { timeout: 15_000 });
  expect(sosOf(gateway)).toHaveLength(1);
});

test('speaks English when its address asks for it', async ({ page, gateway }) => {
  gateway.status.day.language = '';
  gateway.annaComes(12);
  await page.goto('/?language=en');
  await expect(headingOf(page)).toHaveText('Anna comes in 12 minutes');
  await expect(page.locator('html')).toHaveAttribute('lang', 'en');
});

test.describe('the help button', () => {
  test('does nothing on a short tap but say how it is held', async ({ page, gateway }) => {
    await giveVoice(page);
    await page.goto('/');
    await expect(headingOf(page)).toHaveText(calm);
    await helpOf(page).click();
    await expect(page.getByText('Håll kvar tills knappen är fylld')).toBeVisible();
    await helpOf(page).click();
    await helpOf(page).click();
    expect(await said(page)).toContain('Håll kvar tills knappen är fylld');
    await hold(page, helpOf(page), 500);
    await expect(page.getByText('Håll in knappen')).toBeVisible({ timeout: 10_000 });
    await expect(headingOf(page)).toHaveText(calm);
    expect(gateway.presses).toEqual([]);
  });

  test('calls once when a trembling hand holds it', async ({ page, gateway }) => {
    await page.goto('/');
    await hold(page, helpOf(page), 1_800);
    await expect(headingOf(page)).toHaveText('Larmet skickas');
    expect(sosOf(gateway)).toHaveLength(1);
    expect(sosOf(gateway)[0].key).toMatch(/^[0-9a-f]{32}$/);
    gateway.press('received', { seq: 8 });
    await expect(headingOf(page)).toHaveText('Larmet är framme');
    // To call again is possible, and a call of its own.
    await hold(page, button(page, /^Larma igen/), 1_800);
    await expect(headingOf(page)).toHaveText('Larmet skickas');
    expect(new Set(sosOf(gateway).map((p) => p.key)).size).toBe(2);
  });

  test('is held by touch too, and a slip of the finger does not matter', async ({
    browser,
    gateway,
  }) => {
    const page = await browser.newPage({
      hasTouch: true,
      viewport: { width: 800, height: 480 },
      baseURL: `http://127.0.0.1:${gateway.port}`,
    });
    await page.goto('/');
    await expect(headingOf(page)).toHaveText(calm);
    const box = (await helpOf(page).boundingBox())!;
    const client = await page.context().newCDPSession(page);
    const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', dx = 0) =>
      client.send('Input.dispatchTouchEvent', {
        type,
        touchPoints: type === 'touchEnd' ? [] : [{ x: box.x + 60 + dx, y: box.y + 50 }],
      });
    await touch('touchStart');
    for (let i = 0; i < 8; i++) {
      await page.waitForTimeout(100);
      await touch('touchMove', (i % 2) * 40);
    }
    await touch('touchEnd');
    await page.waitForTimeout(150);
    await touch('touchStart');
    await page.waitForTimeout(800);
    await touch('touchEnd');
    await expect(headingOf(page)).toHaveText('Larmet skickas');
    expect(sosOf(gateway)).toHaveLength(1);
    await page.close();
  });

  test('works by keyboard: held, or pressed twice', async ({ page, gateway }) => {
    await page.goto('/');
    await helpOf(page).focus();
    await page.keyboard.press('Enter');
    await expect(page.getByText('Tryck en gång till för att larma')).toBeVisible();
    await page.waitForTimeout(700);
    expect(gateway.presses).toEqual([]);
    await page.keyboard.press('Enter');
    await expect(headingOf(page)).toHaveText('Larmet skickas');
    expect(sosOf(gateway)).toHaveLength(1);

    gateway.press('resolved', { told: gateway.now * 1_000 });
    await expect(headingOf(page)).toHaveText('Larmet är avslutat');
    await helpOf(page).focus();
    await page.keyboard.down(' ');
    await expect.poll(() => sosOf(gateway).length).toBe(2);
    await page.keyboard.up(' ');
  });

  test('works for a switch, which clicks without pointing', async ({ page, gateway }) => {
    await page.goto('/');
    const click = () => helpOf(page).evaluate((b: HTMLElement) => b.click());
    await click();
    await page.waitForTimeout(700);
    expect(gateway.presses).toEqual([]);
    await click();
    await expect.poll(() => sosOf(gateway).length).toBe(1);
  });

  test('says that a call is not saved, and tries again with the same key', async ({
    page,
    gateway,
  }) => {
    gateway.full = true;
    await page.goto('/');
    await hold(page, helpOf(page), 1_800);
    await expect(headingOf(page)).toHaveText('Larmet är inte sparat');
    await expect(page.getByText('LYK-0423')).toBeVisible();
    await page.reload(); // not even that loses it
    await expect(headingOf(page)).toHaveText('Larmet är inte sparat');
    gateway.full = false;
    await expect(headingOf(page)).toHaveText('Larmet skickas');
    expect(gateway.keys.size).toBe(1);
    expect(sosOf(gateway)).toHaveLength(1);
  });
});

test('"I am OK" says no more than is known', async ({ page, gateway }) => {
  await page.goto('/');
  const well = wellOf(page);
  await expect(well).toContainText('Ett tryck räcker');
  gateway.full = true;
  gateway.status.online = false;
  await well.click();
  await expect(well).toContainText('Inte sparat än');
  await expect(well).toContainText('LYK-0423');
  gateway.full = false;
  gateway.deaf = true; // stored, but the page does not get to know
  await expect.poll(() => gateway.presses.length).toBe(1);
  await expect(well).toContainText('LYK-0425');
  gateway.deaf = false;
  await expect(well).toContainText('Sparat. Skickas när nätet är tillbaka.');
  gateway.status.online = true;
  await expect(well).toContainText('Sparat. Skickas nu');
  gateway.status.check_in.state = 'received';
  await expect(well).toContainText('Tack! Vi har hört dig klockan 14:1');
  expect(gateway.presses).toHaveLength(1);
  expect(gateway.keys.size).toBe(1);
  // The day after it is open again.
  gateway.now += 20 * 60 * minute;
  await expect(well).toContainText('Ett tryck räcker');
});

test('a medicine comes at its time, again after a quarter, and is over when taken', async ({
  page,
  gateway,
}) => {
  await giveVoice(page);
  gateway.status.day.ask = 0;
  await page.goto('/');
  await expect(headingOf(page)).toHaveText(calm);
  gateway.now = Date.parse('2026-11-21T19:00:30Z');
  await expect(headingOf(page)).toHaveText('Dags för medicin');
  await expect(page.getByText('Alvedon, 2 tabletter')).toBeVisible();
  await expect.poll(() => said(page)).toContain('Dags för medicin: Alvedon, 2 tabletter');
  await button(page, 'Inte nu').click();
  await expect(headingOf(page)).toHaveText('God kväll, Karin');
  gateway.now += 16 * minute;
  await expect(headingOf(page)).toHaveText('Dags för medicin');
  await button(page, 'Jag har tagit den').click();
  await expect(headingOf(page)).toHaveText('Tack!');
  await expect(headingOf(page)).toHaveText('God kväll, Karin', { timeout: 10_000 });
  expect(gateway.presses).toEqual([
    { kind: 'medication', value: 1, text: 'm2', key: expect.any(String) },
  ]);
  await button(page, 'Min dag').click();
  await expect(page.getByText('Tagen klockan 20:16')).toBeVisible();
});

test('a letter is read out once, shown with its picture, and noted as heard', async ({
  page,
  gateway,
}) => {
  await giveVoice(page);
  gateway.pictures['l0'] = await photo(page);
  await page.goto('/');
  await expect(headingOf(page)).toHaveText(calm);
  gateway.letter({ picture: true });
  await expect(headingOf(page)).toHaveText('Från Maria, i dag klockan 14:00');
  await expect
    .poll(() =>
      page.getByAltText('Bild från Maria').evaluate((i: HTMLImageElement) => i.naturalWidth),
    )
    .toBeGreaterThan(100);
  await expect.poll(() => gateway.read).toEqual([{ id: 'l0', spoken: true }]);
  await button(page, 'Jag har läst').click();
  await expect(headingOf(page)).toHaveText(calm);
  await button(page, 'Meddelanden').click();
  await expect(page.getByText('Vi kommer på lördag')).toBeVisible();
  await button(page, 'Läs upp').click();
  await expect
    .poll(async () => (await said(page)).filter((s) => s.includes('kakor')).length)
    .toBe(2);
  expect(gateway.read).toHaveLength(1);
});

test('nothing is read out at night, and an announcement is shown with the others', async ({
  page,
  gateway,
}) => {
  gateway.now = Date.parse('2026-11-21T20:30:00Z'); // half past nine
  gateway.status.taken.m2 = gateway.now * 1_000;
  await giveVoice(page);
  gateway.letter();
  gateway.status.notice = { id: 'n', text: 'Vi kommer i morgon bitti.', at: gateway.now * 1_000 };
  await page.goto('/');
  await expect(page.getByText('Vi kommer i morgon bitti.')).toBeVisible();
  await button(page, 'Jag har läst').click();
  await expect(page.getByText('kakor')).toBeVisible();
  await button(page, 'Jag har läst').click();
  await expect(headingOf(page)).toHaveText('God kväll, Karin');
  expect(await said(page)).toEqual([]);
  expect(gateway.read).toEqual([{ id: 'l0', spoken: false }]);
});

test('"bad" offers help and does not press for it', async ({ page, gateway }) => {
  gateway.now = Date.parse('2026-11-21T16:01:00Z');
  gateway.status.day.prompts = [];
  await page.goto('/');
  await expect(headingOf(page)).toHaveText('Hur mår du i dag?');
  await button(page, 'Dåligt').click();
  await expect(headingOf(page)).toHaveText('Tack för att du berättar');
  await expect(helpOf(page)).toBeVisible();
  expect(gateway.presses).toEqual([{ kind: 'well_being', value: 1, key: expect.any(String) }]);
  await button(page, 'Nej tack, inte nu').click();
  await expect(headingOf(page)).toHaveText(calm);
});

test('the resident sees who looked, and takes back what somebody may know', async ({
  page,
  gateway,
}) => {
  await page.goto('/');
  await button(page, 'Mina uppgifter').click();
  await button(page, 'Vem har tittat?').click();
  await expect(
    page.getByText('Anna, hemtjänsten, tittade på din dag 2 gånger i går, senast klockan 14:10.'),
  ).toBeVisible();
  await button(page, 'Tillbaka').click();
  await button(page, 'Maria').click();
  await button(page, /Om jag har sagt att jag mår bra/).click();
  await expect(page.getByText('Nu får Maria veta det.')).toBeVisible();
  await button(page, 'Ändra inget').click();
  expect(gateway.consents).toEqual([]);
  await button(page, /Om jag har sagt att jag mår bra/).click();
  gateway.full = true;
  await button(page, 'Nej, Maria ska inte få veta').click();
  await expect(page.getByText('Inte sparat än. Vi försöker igen. LYK-0423')).toBeVisible();
  await expect(page.getByText('Nu får Maria veta det.')).toBeVisible();
  gateway.full = false;
  await expect(button(page, /Om jag har sagt att jag mår bra.*Får inte veta/)).toBeVisible();
  expect(gateway.consents).toEqual([
    { party: 'person:maria', field: 'check_in', allowed: false, key: expect.any(String) },
  ]);
  // What the home care's task needs is explained, and is no button.
  await button(page, 'Tillbaka').click();
  await button(page, 'Hemtjänsten').click();
  await expect(page.getByText('Hör till hemtjänstens uppdrag').first()).toBeVisible();
});

test('language, size, voice and darkness are chosen, and stay chosen', async ({
  page,
  gateway,
}) => {
  await giveVoice(page);
  await page.goto('/');
  await button(page, 'Skärmen').click();
  const size = () => page.evaluate(() => parseFloat(getComputedStyle(document.body).fontSize));
  const before = await size();
  await button(page, 'Störst text').click();
  expect(await size()).toBeGreaterThan(before);
  await page.getByRole('group', { name: 'Röst' }).getByRole('button', { name: 'Av' }).click();
  await button(page, 'English').click();
  await expect(headingOf(page)).toHaveText('Screen');
  await page.reload();
  await expect(headingOf(page)).toHaveText('Good afternoon, Karin');
  gateway.letter();
  await expect(page.getByText('kakor')).toBeVisible();
  await button(page, 'I have read it').click();
  expect(await said(page)).toEqual([]);
  await button(page, 'Screen').click();
  await button(page, 'Dark now').click();
  await expect(headingOf(page)).toHaveText(/14:1\d/);
  await expect(wellOf(page)).toHaveCount(0);
  await page.mouse.click(200, 200);
  await expect(headingOf(page)).toHaveText('Good afternoon, Karin');
  expect(gateway.presses).toEqual([]);
});

test('it is dark at night until touched; help works in the dark, and an alarm lights it', async ({
  page,
  gateway,
}) => {
  gateway.now = Date.parse('2026-11-21T22:30:00Z');
  gateway.letter();
  await page.goto('/');
  const kiosk = page.locator('.kiosk');
  await expect(kiosk).toHaveAttribute('data-face', 'dark');
  await page.mouse.click(400, 300);
  await expect(kiosk).toHaveAttribute('data-face', 'ask');
  await page.reload();
  await expect(kiosk).toHaveAttribute('data-face', 'dark');
  gateway.annaComes(12);
  await expect(headingOf(page)).toHaveText('Anna kommer om 12 minuter');
  gateway.press('none');
  await expect(kiosk).toHaveAttribute('data-face', 'dark');
  await hold(page, helpOf(page), 1_800);
  await expect(headingOf(page)).toHaveText('Larmet skickas');
});

test('untouched for a minute, the first screen comes back', async ({ page, gateway }) => {
  await page.clock.install({ time: saturday });
  await page.goto('/');
  await expect(headingOf(page)).toHaveText(calm);
  await button(page, 'Mina uppgifter').click();
  await expect(headingOf(page)).toHaveText('Mina uppgifter');
  await page.clock.runFor(30_000);
  await expect(headingOf(page)).toHaveText('Mina uppgifter');
  await page.clock.runFor(31_000);
  await expect(wellOf(page)).toBeVisible();
  expect(gateway.presses).toEqual([]);
});

test('everything is reached by keyboard alone', async ({ page, gateway }) => {
  await page.goto('/');
  await expect(headingOf(page)).toHaveText(calm);
  const focused = () =>
    page.evaluate(() => document.querySelector('button:focus')?.textContent ?? '');
  const reach = async (text: string) => {
    for (let i = 0; i < 30 && !(await focused()).includes(text); i++) {
      await page.keyboard.press('Tab');
    }
    expect(await focused()).toContain(text);
  };
  await reach('Jag mår bra');
  await page.keyboard.press('Enter');
  await expect.poll(() => gateway.presses.length).toBe(1);
  await reach('Mina uppgifter');
  await page.keyboard.press('Enter');
  await reach('Maria');
  await page.keyboard.press(' ');
  await reach('Mina larm');
  await page.keyboard.press('Enter');
  await reach('Ja, Maria får veta');
  await page.keyboard.press('Enter');
  await expect.poll(() => gateway.consents.length).toBe(1);
  await reach('Tillbaka');
  await page.keyboard.press('Enter');
  await expect(headingOf(page)).toHaveText('Mina uppgifter');
});

interface State {
  name: string;
  /** What the home is like, and what the resident does then. */
  home?: (gateway: Gateway) => void;
  act?: (page: Page, w: typeof words.sv) => Promise<void>;
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
  },
};

const long =
  'Hej mamma! Vi tänkte komma på lördag vid två med kakor och barnen. Lisa har lärt sig cykla och vill visa dig. Ring om du behöver något från affären, så tar vi med det. Glöm inte att ta med dig paraplyet om du går ut, det ska regna på eftermiddagen.';
const at = (time: string) => (g: Gateway) => (g.now = Date.parse(`2026-11-21T${time}Z`));

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
  { name: 'settings', act: (page, w) => button(page, w.settings).click(), shows: /22–06/ },
  { name: 'dark', home: at('22:40:00'), shows: /23:4/ },
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
// LYKTA_LOOKS=all (make screens).
const always = ['wide-light', 'english-dark', 'small-200'];
const chosen =
  process.env['LYKTA_LOOKS'] === 'all' ? looks : looks.filter((l) => always.includes(l.name));

for (const look of chosen) {
  const { name, width, height, scheme = 'light', language = 'sv', text, size, smallest } = look;
  test.describe(name, () => {
    test.use({
      viewport: { width, height },
      colorScheme: scheme,
      contextOptions: { reducedMotion: 'reduce' },
    });

    test('every state fits, is accessible, and is photographed', async ({ page, gateway }) => {
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
          await state.act?.(page, words[language]);
          if (state.cut) await gateway.stop();
          await expect(page.getByText(state.shows).first()).toBeVisible({ timeout: 15_000 });
          await page.waitForFunction(() => [...document.images].every((i) => i.complete));
          await page.screenshot({ path: `shots/kiosk-${state.name}-${name}.png` });
          await expectReadable(page, smallest);
          if (look.axe) await expectAccessible(page);
        });
      }
    });
  });
}
