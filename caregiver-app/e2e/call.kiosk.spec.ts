// Calls on the resident's screen: the ring, the call, and what comes after it.
import type { Browser, Page } from '@playwright/test';
import { button, expect, headingOf, helpOf, pressUntil, test as base } from './kiosk';
import { expectAccessible, expectNoSidewaysScroll } from './lykta';
import type { Gateway } from './mock/kiosk.mjs';
import { answering, withMedia } from './studio';

const test = base.extend(withMedia);

const answerOf = (page: Page) => button(page, /^(Svara|Answer)$/);
const hangUpOf = (page: Page) => button(page, /^(Lägg på|Hang up)$/);
const calm = 'God eftermiddag, Karin';

/** Answers as a person does: again, until the screen has taken it. */
const answer = (page: Page) => pressUntil(answerOf(page), hangUpOf(page));

/** Holds the button for help until it has called. */
async function callForHelp(page: Page, gateway: Gateway) {
  const box = (await helpOf(page).boundingBox())!;
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  await expect.poll(() => gateway.presses.map((p) => p.kind)).toEqual(['sos']);
  await page.mouse.up();
}

/** Presses a button in the very moment in which it appears. */
const pressAtOnce = (page: Page, name: string) =>
  page.evaluate(
    (name) =>
      new Promise<void>((done) => {
        const look = () => {
          const found = [...document.querySelectorAll('button')].find((b) => b.innerText === name);
          if (!found) return;
          watch.disconnect();
          found.click();
          done();
        };
        const watch = new MutationObserver(look);
        watch.observe(document, { childList: true, subtree: true, characterData: true });
        look();
      }),
    name,
  );

// A busy machine takes its time to begin a call: what is asked is that it begins.
const begins = { timeout: 25_000 };

/** Opens the screen, which hears at once from then on what the gateway tells of calls. */
async function open(page: Page, gateway: Gateway) {
  await page.goto('/');
  await expect(headingOf(page)).toHaveText(calm);
  await listens(gateway);
}
const listens = (gateway: Gateway) =>
  expect.poll(() => gateway.pages.length, begins).toBeGreaterThan(0);

/** Whoever is far away: a page that answers offers as the service does, with a moving picture and a tone. */
class Far {
  static async of(
    browser: Browser,
    gateway: Gateway,
    here: { picture: boolean } = { picture: true },
  ) {
    const page = await browser.newPage();
    await page.goto('about:blank');
    const far = new Far(page, gateway, here.picture);
    gateway.hears = (message) => void far.hear(message).catch(() => {});
    return far;
  }
  joins = 0;
  silent = false;
  constructor(
    readonly page: Page,
    readonly gateway: Gateway,
    readonly picture: boolean,
  ) {}

  call() {
    const { call, state } = this.gateway.status.call ?? {};
    const by = { id: 'person:anna', name: 'Anna', role: 'staff' };
    const own = { id: call, home: 'karin', home_name: 'Karin', visit: '', alert: '', by };
    return { ...own, state: state ?? 'ended', people: [], here: ['home', 'person:anna'] };
  }

  async hear(message: { type: string; sdp?: string; offer?: number }) {
    if (this.silent) return;
    if (message.type === 'ping') {
      this.gateway.signal({ type: 'welcome', me: 'home', call: this.call(), ice: [], slots: 3 });
    }
    if (message.type !== 'join' && message.type !== 'restart') return;
    this.joins++;
    const sdp = await this.page.evaluate(answering, [message.sdp!, message.type] as const);
    // Which offer it answers: on a busy machine the page has made another meanwhile.
    this.gateway.signal({ type: 'answer', sdp, offer: message.offer });
    this.people();
  }

  people(fields: object = {}, ...others: object[]) {
    const seat = { id: 'person:anna', name: 'Anna', role: 'staff', mic: true, camera: true };
    const people = [
      { ...seat, camera: this.picture, audio: '2', video: '3', ...fields },
      ...others,
    ];
    this.gateway.signal({ type: 'people', people });
  }

  /** How many pictures of the resident have come. */
  frames() {
    return this.page.evaluate(async () => {
      const pc = (window as unknown as { pc?: RTCPeerConnection }).pc;
      let frames = 0;
      (await pc?.getStats())?.forEach((s: { type: string; framesDecoded?: number }) => {
        if (s.type === 'inbound-rtp') frames += s.framesDecoded ?? 0;
      });
      return frames;
    });
  }
  /** No sound goes out any more, as where a way has closed without a word. */
  async hush() {
    await this.page.evaluate(() =>
      (window as unknown as { pc: RTCPeerConnection }).pc
        .getSenders()
        .forEach((s) => void (s.track?.kind === 'audio' && s.replaceTrack(null))),
    );
  }
  /** The network between is gone. */
  async vanish() {
    await this.page.evaluate(() => (window as unknown as { pc: RTCPeerConnection }).pc.close());
  }
}

/** How many pictures the resident's screen has shown of who is far away. */
const shown = (page: Page) =>
  page
    .locator('.call-person video')
    .first()
    .evaluate((v: HTMLVideoElement) => v.getVideoPlaybackQuality().totalVideoFrames);

const talks = (page: Page) => expect(headingOf(page)).toHaveText('Du pratar med Anna', begins);
const sees = (page: Page) => expect.poll(() => shown(page), begins).toBeGreaterThan(5);

/** Anna and the resident talk with each other. */
async function talking(page: Page, gateway: Gateway, browser: Browser): Promise<Far> {
  const far = await Far.of(browser, gateway);
  await open(page, gateway);
  gateway.call({ state: 'answered' });
  await talks(page);
  return far;
}
/** Somebody rings at an open screen. */
async function rung(page: Page, gateway: Gateway) {
  await open(page, gateway);
  gateway.call({});
  await answerOf(page).waitFor();
}

test.describe.configure({ timeout: 90_000 });

test('the resident hears and sees who calls, answers with one touch, talks and hangs up', async ({
  page,
  gateway,
  browser,
}) => {
  const far = await Far.of(browser, gateway);
  await open(page, gateway);
  gateway.call({});
  await expect(headingOf(page)).toHaveText('Anna ringer', { timeout: 800 }); // not at the next look
  await expect(page.getByText('från hemtjänsten')).toBeVisible();
  await expect(helpOf(page)).toBeVisible();
  await answer(page);
  await talks(page);
  expect(gateway.words).toEqual([
    expect.objectContaining({ call: 'c1', word: 'answer', how: 'touch' }),
  ]);
  const before = await shown(page);
  await expect.poll(() => shown(page), begins).toBeGreaterThan(before + 10);
  await expect.poll(() => far.frames(), begins).toBeGreaterThan(10);
  await expect(page.locator('.call-own video')).toBeVisible();

  await pressUntil(hangUpOf(page), page.getByText('Samtalet är slut'));
  expect(gateway.words.at(-1)).toMatchObject({ call: 'c1', word: 'hang_up' });
  await expect(headingOf(page)).toHaveText(calm, { timeout: 12_000 });
  // Camera and microphone are let go of.
  expect(await page.locator('video').count()).toBe(0);
});

test('a press in the moment in which it begins to ring answers nothing, nor does one beside', async ({
  page,
  gateway,
}) => {
  await open(page, gateway);
  const pressed = pressAtOnce(page, 'Svara');
  gateway.call({});
  await pressed;
  await page.mouse.click(20, 300);
  await expect(headingOf(page)).toHaveText('Anna ringer');
  await expect(answerOf(page)).toBeVisible();
  expect(gateway.words).toEqual([]);
});

test('who trembles and presses twice has answered, and not hung up', async ({ page, gateway }) => {
  await open(page, gateway);
  gateway.call({});
  const twice = pressAtOnce(page, 'Lägg på');
  await answer(page);
  await twice;
  await expect(hangUpOf(page)).toBeVisible();
  await expect.poll(() => gateway.words.map((w) => w.word)).toEqual(['answer']);
  await pressUntil(hangUpOf(page), page.getByText('Samtalet är slut'));
});

test('not now: the ring is gone at once, whatever the gateway says', async ({ page, gateway }) => {
  await rung(page, gateway);
  await pressUntil(button(page, 'Inte nu'), page.getByText(calm));
  await expect.poll(() => gateway.words.map((w) => w.word)).toEqual(['decline']);
});

test('ring me later is said to have been taken', async ({ page, gateway }) => {
  await open(page, gateway);
  gateway.call({});
  await pressUntil(button(page, 'Ring mig senare'), page.getByText('Då ringer Anna senare'));
  await expect.poll(() => gateway.words.map((w) => w.word)).toEqual(['later']);
  await button(page, 'Tillbaka').click();
  await expect(headingOf(page)).toHaveText(calm);
});

test('a ring lights the dark screen, and the night comes back', async ({ page, gateway }) => {
  gateway.now = Date.parse('2026-11-21T22:40:00Z');
  await page.goto('/');
  await expect(page.locator('[data-face=dark]')).toBeVisible();
  gateway.call({});
  await expect(headingOf(page)).toHaveText('Anna ringer');
  gateway.call(null);
  await expect(page.locator('[data-face=dark]')).toBeVisible();
});

test('an answer that does not get through says so, and gets through later', async ({
  page,
  gateway,
  browser,
}) => {
  await Far.of(browser, gateway);
  await open(page, gateway);
  gateway.call({});
  gateway.cut = true;
  await answer(page);
  await expect(page.getByText('så fort förbindelsen är tillbaka')).toBeVisible();
  gateway.cut = false;
  await talks(page);
});

test('who answers too late is told that the call is over', async ({ page, gateway }) => {
  await rung(page, gateway);
  // The gateway knows that it is over; the page has not heard of it yet.
  await page.route('**/call', (r) => r.fulfill({ status: 409, body: 'LYK-0434 it is over' }));
  await pressUntil(answerOf(page), page.getByText('Samtalet är slut'));
  await expect(page.getByText('Anna har lagt på.')).toBeVisible();
});

for (const [why, says] of [
  ['withdrawn', 'Samtalet bröts för att Anna inte längre får ringa dig med bild.'],
  ['off', 'Samtalet bröts för att samtal med bild är avstängda just nu.'],
] as const) {
  test(`a call that the service ends is said why: ${why}`, async ({ page, gateway, browser }) => {
    await talking(page, gateway, browser);
    gateway.over(why);
    await expect(headingOf(page)).toHaveText('Samtalet är slut');
    await expect(page.getByText(says)).toBeVisible();
    await expect(headingOf(page)).toHaveText(calm, { timeout: 12_000 });
  });
}

test('it answers by itself as the gateway says, with a countdown and a way out', async ({
  page,
  gateway,
}) => {
  gateway.annaComes(12);
  await page.goto('/');
  await expect(headingOf(page)).toHaveText('Anna kommer om 12 minuter');
  gateway.countdown(20);
  await expect(headingOf(page)).toHaveText('Anna ringer');
  const says = page.getByText(/Svarar om \d+ sekunder. Tryck på Nej om du inte vill./);
  const left = async () => Number(/\d+/.exec((await says.textContent()) ?? '')?.[0]);
  const first = await left();
  expect(first).toBeLessThanOrEqual(20);
  await expect.poll(left).toBeLessThan(first);
  // How the alarm goes stays in sight.
  await expect(page.getByText('Anna kommer om 12 minuter.')).toBeVisible();
  await pressUntil(button(page, 'Nej'), page.locator('[data-face=alarm]'));
  await expect(headingOf(page)).toHaveText('Anna kommer om 12 minuter');
  expect(gateway.words.map((w) => w.word)).toEqual(['decline']);
});

test('answered by a button of the home, the call is on the screen', async ({
  page,
  gateway,
  browser,
}) => {
  await Far.of(browser, gateway);
  await rung(page, gateway);
  gateway.call({ state: 'answered', how: 'button' });
  await talks(page);
});

test('help is called for in the middle of a call, and the call goes on', async ({
  page,
  gateway,
  browser,
}) => {
  await talking(page, gateway, browser);
  await callForHelp(page, gateway);
  await expect(page.getByText('Larmet skickas.')).toBeVisible();
  await talks(page);
  const before = await shown(page);
  await expect.poll(() => shown(page), begins).toBeGreaterThan(before);
});

test('a bad line is said in words, and that the picture is paused', async ({
  page,
  gateway,
  browser,
}) => {
  await talking(page, gateway, browser);
  gateway.signal({ type: 'line', video_paused: true, quality: 'bad', loss: 0.2, kbps: 80 });
  await expect(page.getByText('Dålig förbindelse, bilden pausad. Ljudet fungerar.')).toBeVisible();
  gateway.signal({ type: 'line', video_paused: false, quality: 'good', loss: 0, kbps: 900 });
  await expect(page.getByText('Dålig förbindelse')).toHaveCount(0);
});

test('a call in which nothing is heard any more is brought back', async ({
  page,
  gateway,
  browser,
}) => {
  const far = await talking(page, gateway, browser);
  await sees(page);
  await far.hush(); // all connections stand, and Anna's microphone is on
  far.silent = true;
  await expect(page.getByText('Förbindelsen bröts. Vi försöker igen')).toBeVisible(begins);
  far.silent = false;
  await expect(page.getByText('Förbindelsen bröts')).toHaveCount(0, begins);
  expect(gateway.signals.map((m: { type: string }) => m.type)).toContain('restart');
});

test('a picture that nobody takes is not made, and is there at once when somebody does', async ({
  page,
  gateway,
  browser,
}) => {
  const far = await Far.of(browser, gateway);
  await open(page, gateway);
  gateway.call({ state: 'answered' });
  await expect.poll(() => far.frames(), begins).toBeGreaterThan(10);
  const line = { type: 'line', quality: 'good', loss: 0, kbps: 900, video_paused: false };
  gateway.signal({ ...line, watched: false });
  let before = -1;
  const stands = async () => before === (before = await far.frames());
  await expect.poll(stands, { intervals: [500] }).toBe(true);
  await expect(page.locator('.call-own video')).toBeVisible();
  await expect(page.getByText('Dålig förbindelse')).toHaveCount(0);
  gateway.signal({ ...line, watched: true });
  await expect.poll(() => far.frames(), begins).toBeGreaterThan(before + 5);
  // A bad line of one's own: the others are told why they see nothing.
  gateway.signal({ ...line, video_paused: true, quality: 'bad', watched: true });
  const told = () => gateway.signals.filter((m: { type: string }) => m.type === 'state').at(-1);
  await expect.poll(told).toMatchObject({ camera: true, paused: true });
  await expect.poll(stands, { intervals: [500] }).toBe(true);
});

test('without a camera it is said, and the call goes on with sound', async ({
  page,
  gateway,
  browser,
}) => {
  await page.addInitScript(() => {
    const own = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = (wanted) =>
      wanted?.video ? Promise.reject(new DOMException('no camera', 'NotFoundError')) : own(wanted);
  });
  await talking(page, gateway, browser);
  await expect(page.getByText('Här finns ingen kamera som fungerar.')).toBeVisible();
  await expect(page.locator('.call-own')).toHaveCount(0);
  await sees(page);
});

test('a page that is loaded again in the middle of a call is back in it', async ({
  page,
  gateway,
  browser,
}) => {
  await talking(page, gateway, browser);
  await page.reload();
  await talks(page);
  await sees(page);
});

test('a call that cannot be shown gives way to the first screen, with help on it', async ({
  page,
  gateway,
  browser,
  complaints,
}) => {
  await page.addInitScript(() =>
    Object.defineProperty(HTMLMediaElement.prototype, 'srcObject', {
      set() {
        throw new Error('no picture here');
      },
    }),
  );
  await Far.of(browser, gateway);
  await rung(page, gateway);
  await pressUntil(answerOf(page), page.locator('[data-face=home]'));
  await expect(headingOf(page)).toHaveText(calm);
  // It is tried once more, and then whoever calls is not left waiting.
  await expect.poll(() => gateway.words.at(-1)?.word).toBe('hang_up');
  await expect(headingOf(page)).toHaveText(calm);
  expect(complaints.splice(0)).toEqual(['Error: no picture here']); // said once
  // The gateway's log says so too: which fault, and where in the program.
  expect(gateway.troubles).toMatchObject([{ what: 'call', name: 'Error' }]);
  expect(gateway.troubles[0].at).toMatch(/^[\w.-]+\.js:\d+:\d+$/);
  // The screen goes on: help is called for, and the next call rings.
  gateway.call(null);
  await callForHelp(page, gateway);
  await expect(headingOf(page)).toHaveText('Larmet skickas');
  gateway.call({ call: 'c2' });
  await expect(headingOf(page)).toHaveText('Anna ringer');
});

test('who rang and was not answered is shown, and is asked to call', async ({ page, gateway }) => {
  gateway.missed('Anna', 5);
  await page.goto('/');
  await expect(headingOf(page)).toHaveText('Anna ringde klockan 14:05');
  gateway.full = true;
  await button(page, 'Be Anna ringa upp').click();
  await expect(page.getByText(/Inte sparat än. Vi försöker igen. LYK-0423/)).toBeVisible();
  gateway.full = false;
  await expect(headingOf(page)).toHaveText('Vi ber Anna ringa upp dig', { timeout: 12_000 });
  expect(gateway.presses).toEqual([
    expect.objectContaining({ kind: 'call_back', text: 'm5', value: 1 }),
  ]);
  await expect(headingOf(page)).toHaveText(calm, { timeout: 12_000 });
});

test('a missed call that needs nothing is put away, also over a reload', async ({
  page,
  gateway,
}) => {
  gateway.missed('Anna', 5);
  await page.goto('/');
  await button(page, 'Det behövs inte').click();
  await expect(headingOf(page)).toHaveText(calm);
  await page.reload();
  await expect(headingOf(page)).toHaveText(calm);
  expect(gateway.presses).toEqual([]);
});

test('of two pages the newer is the screen, and the older leaves the call alone', async ({
  page,
  gateway,
  browser,
  context,
}) => {
  const far = await talking(page, gateway, browser);
  const other = await context.newPage();
  await other.goto(page.url());
  await talks(other);
  await expect(page.locator('video')).toHaveCount(0);
  const { joins } = far;
  await sees(other);
  expect(far.joins).toBe(joins);
});

for (const [name, width, height, scheme, size, language] of [
  ['wide-light', 1280, 800, 'light', 1, 'sv'],
  ['wide-dark', 1280, 800, 'dark', 2, 'sv'],
  ['small-light', 800, 480, 'light', 1, 'en'],
  ['small-largest', 800, 480, 'dark', 3, 'sv'],
] as const) {
  test(`the call itself can be seen and read: ${name}`, async ({ page, gateway, browser }) => {
    test.setTimeout(120_000); // a browser that shows three moving pictures, and axe beside it
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
    await page.addInitScript(
      (text) => localStorage.setItem('lykta.kiosk.settings', JSON.stringify({ text })),
      size,
    );
    gateway.status.day.language = language;
    const far = await Far.of(browser, gateway);
    await page.goto('/');
    await expect(page.locator('html')).toHaveAttribute('lang', language);
    await listens(gateway);
    gateway.call({ state: 'answered' });
    await expect(page.locator('.call-person video')).toBeVisible(begins);
    await sees(page);
    const check = async (what: string) => {
      if (process.env['LYKTA_LOOKS'] === 'all')
        await page.screenshot({ path: `shots/kiosk-call-${what}-${name}.png` });
      // Moving pictures would take the time that the looking needs.
      await page.evaluate(() => document.querySelectorAll('video').forEach((v) => v.pause()));
      await expectNoSidewaysScroll(page);
      await expectAccessible(page);
      const wrong = await page.evaluate(() =>
        [...document.querySelectorAll<HTMLElement>('button, h1, p, video')].flatMap((e) => {
          const { width, height, bottom, right } = e.getBoundingClientRect();
          const small = e instanceof HTMLButtonElement && (width < 96 || height < 96);
          const cut = bottom > innerHeight + 1 || right > innerWidth + 1 || height < 1;
          return (small || cut) && e.textContent !== '' ? [`${e.textContent}: ${height}`] : [];
        }),
      );
      expect(wrong).toEqual([]);
      const box = (await page.locator('.call-far').boundingBox())!;
      expect(box.height).toBeGreaterThan(height / 4);
    };
    const line = { type: 'line', quality: 'good', loss: 0, kbps: 900, video_paused: false };
    gateway.signal({ ...line, watched: false }); // the own one is not made meanwhile
    await check('talk');
    gateway.signal({ type: 'line', video_paused: true, quality: 'bad', loss: 0.2, kbps: 80 });
    gateway.press('received');
    await expect(page.getByText(/bilden pausad|picture paused/)).toBeVisible();
    await check('talk-bad');
    const omar = { id: 'guest:g1', name: 'Omar', role: 'interpreter', audio: '4', video: '5' };
    far.people({}, { ...omar, mic: true, camera: false });
    await expect(page.getByText(/Omar, (tolk|interpreter)/)).toBeVisible();
    await check('talk-three');
  });
}
