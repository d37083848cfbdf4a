// Calls on the resident's screen: the ring, the call, and what comes after it.
import type { Browser, Page } from '@playwright/test';
import { button, expect, headingOf, helpOf, test as base } from './kiosk';
import { expectAccessible, expectNoSidewaysScroll } from './lykta';
import type { Gateway } from './mock/kiosk.mjs';

const media = [
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  '--allow-loopback-in-peer-connection',
  '--autoplay-policy=no-user-gesture-required',
  '--disable-features=WebRtcHideLocalIpsWithMdns',
];

const test = base.extend({
  launchOptions: [
    async ({ launchOptions }, use) => {
      await use({ ...launchOptions, args: [...(launchOptions.args ?? []), ...media] });
    },
    { scope: 'worker' },
  ],
});

const answerOf = (page: Page) => button(page, /^(Svara|Answer)$/);
const hangUpOf = (page: Page) => button(page, /^(Lägg på|Hang up)$/);
const calm = 'God eftermiddag, Karin';

/** Presses after the moment in which a press is not meant. */
async function press(page: Page, name: string | RegExp) {
  await button(page, name).waitFor();
  await page.waitForTimeout(1_000);
  await button(page, name).click();
}

async function open(page: Page) {
  await page.goto('/');
  await expect(headingOf(page)).toHaveText(calm);
}

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

  async hear(message: { type: string; sdp?: string }) {
    if (this.silent) return;
    if (message.type === 'ping') {
      this.gateway.signal({ type: 'welcome', me: 'home', call: this.call(), ice: [], slots: 3 });
    }
    if (message.type !== 'join' && message.type !== 'restart') return;
    this.joins++;
    const sdp = await this.page.evaluate(answering, [message.sdp!, message.type] as const);
    this.gateway.signal({ type: 'answer', sdp });
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
  /** The network between is gone. */
  async vanish() {
    await this.page.evaluate(() => (window as unknown as { pc: RTCPeerConnection }).pc.close());
  }
}

/** Runs in the far page: an answer with all its addresses in it. */
async function answering([sdp, type]: readonly [string, string]): Promise<string> {
  const own = window as unknown as { pc?: RTCPeerConnection; sources?: MediaStream };
  if (type === 'join') {
    own.pc?.close();
    own.pc = new RTCPeerConnection();
  }
  const pc = own.pc!;
  if (!own.sources) {
    const canvas = document.createElement('canvas');
    Object.assign(canvas, { width: 640, height: 360 });
    const drawing = canvas.getContext('2d')!;
    let n = 0;
    setInterval(() => {
      drawing.fillStyle = `hsl(${(n += 7) % 360} 45% 70%)`;
      drawing.fillRect(0, 0, 640, 360);
      drawing.fillStyle = '#4a3428';
      drawing.beginPath();
      drawing.arc(320, 150, 80, 0, 7);
      drawing.arc(320, 360, 140, 0, 7);
      drawing.fill();
    }, 40);
    const sound = new AudioContext();
    const tone = sound.createOscillator();
    const out = sound.createMediaStreamDestination();
    tone.connect(out);
    tone.start();
    own.sources = new MediaStream([
      ...canvas.captureStream(25).getTracks(),
      ...out.stream.getTracks(),
    ]);
  }
  // A browser does not take layers; the service does. What it is offered has none,
  // and what it answers says that it takes them.
  const layers = /^a=(rid|simulcast):.*\r\n/gm;
  await pc.setRemoteDescription({ type: 'offer', sdp: sdp.replace(layers, '') });
  const all = pc.getTransceivers();
  for (const [i, kind] of [
    [2, 'audio'],
    [3, 'video'],
  ] as const) {
    const track = own.sources.getTracks().find((t) => t.kind === kind);
    all[i]!.direction = 'sendonly';
    await all[i]!.sender.replaceTrack(track ?? null);
  }
  await pc.setLocalDescription(await pc.createAnswer());
  await new Promise<void>((done) => {
    const ready = () => pc.iceGatheringState === 'complete' && done();
    pc.onicegatheringstatechange = ready;
    ready();
  });
  const [head, audio, video, ...rest] = pc.localDescription!.sdp.split(/^(?=m=)/m);
  const takes = 'a=rid:l recv\r\na=rid:h recv\r\na=simulcast:recv l;h\r\n';
  return [head, audio, video + (layers.test(sdp) ? takes : ''), ...rest].join('');
}

/** How many pictures the resident's screen has shown of who is far away. */
const shown = (page: Page) =>
  page
    .locator('.call-person video')
    .first()
    .evaluate((v: HTMLVideoElement) => v.getVideoPlaybackQuality().totalVideoFrames);

test('the resident hears and sees who calls, answers with one touch, talks and hangs up', async ({
  page,
  gateway,
  browser,
}) => {
  const far = await Far.of(browser, gateway);
  await open(page);
  gateway.call({});
  await expect(headingOf(page)).toHaveText('Anna ringer', { timeout: 800 }); // not at the next look
  await expect(page.getByText('från hemtjänsten')).toBeVisible();
  await expect(helpOf(page)).toBeVisible();
  await press(page, 'Svara');
  await expect(headingOf(page)).toHaveText('Du pratar med Anna');
  expect(gateway.words).toEqual([
    expect.objectContaining({ call: 'c1', word: 'answer', how: 'touch' }),
  ]);
  const before = await shown(page);
  await expect.poll(() => shown(page)).toBeGreaterThan(before + 10);
  await expect.poll(() => far.frames()).toBeGreaterThan(10);
  await expect(page.locator('.call-own video')).toBeVisible();

  await page.waitForTimeout(1_200);
  await hangUpOf(page).click();
  await expect(headingOf(page)).toHaveText('Samtalet är slut');
  expect(gateway.words.at(-1)).toMatchObject({ call: 'c1', word: 'hang_up' });
  await expect(headingOf(page)).toHaveText(calm, { timeout: 12_000 });
  // Camera and microphone are let go of.
  expect(await page.locator('video').count()).toBe(0);
});

test('a press in the moment in which it begins to ring answers nothing, nor does one beside', async ({
  page,
  gateway,
}) => {
  await open(page);
  gateway.call({});
  await expect(answerOf(page)).toBeVisible();
  await answerOf(page).click();
  await page.mouse.click(20, 300);
  await expect(headingOf(page)).toHaveText('Anna ringer');
  expect(gateway.words).toEqual([]);
});

test('who trembles and presses twice has answered, and not hung up', async ({ page, gateway }) => {
  await open(page);
  gateway.call({});
  await press(page, 'Svara');
  await hangUpOf(page).click();
  await page.waitForTimeout(300);
  expect(gateway.words.map((w) => w.word)).toEqual(['answer']);
  await expect(hangUpOf(page)).toBeVisible();
});

test('not now: the ring is gone at once, whatever the gateway says', async ({ page, gateway }) => {
  await open(page);
  gateway.call({});
  await expect(answerOf(page)).toBeVisible();
  await press(page, 'Inte nu');
  await expect(headingOf(page)).toHaveText(calm);
  await expect.poll(() => gateway.words.map((w) => w.word)).toEqual(['decline']);
});

test('ring me later is said to have been taken', async ({ page, gateway }) => {
  await open(page);
  gateway.call({});
  await press(page, 'Ring mig senare');
  await expect(headingOf(page)).toHaveText('Då ringer Anna senare');
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
  await open(page);
  gateway.call({});
  gateway.cut = true;
  await press(page, 'Svara');
  await expect(page.getByText('så fort förbindelsen är tillbaka')).toBeVisible();
  gateway.cut = false;
  await expect(headingOf(page)).toHaveText('Du pratar med Anna', { timeout: 15_000 });
});

test('who answers too late is told that the call is over', async ({ page, gateway }) => {
  await open(page);
  gateway.call({});
  await expect(answerOf(page)).toBeVisible();
  await page.waitForTimeout(1_000);
  // The gateway knows that it is over; the page has not heard of it yet.
  await page.route('**/call', (r) => r.fulfill({ status: 409, body: 'LYK-0434 it is over' }));
  await answerOf(page).click();
  await expect(headingOf(page)).toHaveText('Samtalet är slut');
  await expect(page.getByText('Anna har lagt på.')).toBeVisible();
});

test('it answers by itself as the gateway says, with a countdown and a way out', async ({
  page,
  gateway,
}) => {
  gateway.annaComes(12);
  await page.goto('/');
  await expect(headingOf(page)).toHaveText('Anna kommer om 12 minuter');
  gateway.countdown(20);
  await expect(headingOf(page)).toHaveText('Anna ringer');
  await expect(
    page.getByText(/Svarar om (19|20) sekunder. Tryck på Nej om du inte vill./),
  ).toBeVisible();
  await expect(page.getByText(/Svarar om 1[0-8] sekunder/)).toBeVisible();
  // How the alarm goes stays in sight.
  await expect(page.getByText('Anna kommer om 12 minuter.')).toBeVisible();
  await button(page, 'Nej').click();
  await expect(headingOf(page)).toHaveText('Anna kommer om 12 minuter');
  expect(gateway.words.map((w) => w.word)).toEqual(['decline']);
});

test('answered by a button of the home, the call is on the screen', async ({
  page,
  gateway,
  browser,
}) => {
  await Far.of(browser, gateway);
  await open(page);
  gateway.call({});
  await expect(answerOf(page)).toBeVisible();
  gateway.call({ state: 'answered', how: 'button' });
  await expect(headingOf(page)).toHaveText('Du pratar med Anna');
});

test('help is called for in the middle of a call, and the call goes on', async ({
  page,
  gateway,
  browser,
}) => {
  await Far.of(browser, gateway);
  await open(page);
  gateway.call({ state: 'answered' });
  await expect(headingOf(page)).toHaveText('Du pratar med Anna');
  const box = (await helpOf(page).boundingBox())!;
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  await page.waitForTimeout(1_600);
  await page.mouse.up();
  await expect(page.getByText('Larmet skickas.')).toBeVisible();
  expect(gateway.presses.map((p) => p.kind)).toEqual(['sos']);
  await expect(headingOf(page)).toHaveText('Du pratar med Anna');
  const before = await shown(page);
  await expect.poll(() => shown(page)).toBeGreaterThan(before);
});

test('a bad line is said in words, and that the picture is paused', async ({
  page,
  gateway,
  browser,
}) => {
  await Far.of(browser, gateway);
  await open(page);
  gateway.call({ state: 'answered' });
  await expect(headingOf(page)).toHaveText('Du pratar med Anna');
  gateway.signal({ type: 'line', video_paused: true, quality: 'bad', loss: 0.2, kbps: 80 });
  await expect(page.getByText('Dålig förbindelse, bilden pausad. Ljudet fungerar.')).toBeVisible();
  gateway.signal({ type: 'line', video_paused: false, quality: 'good', loss: 0, kbps: 900 });
  await expect(page.getByText('Dålig förbindelse')).toHaveCount(0);
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
  await Far.of(browser, gateway);
  await open(page);
  gateway.call({ state: 'answered' });
  await expect(headingOf(page)).toHaveText('Du pratar med Anna');
  await expect(page.getByText('Här finns ingen kamera som fungerar.')).toBeVisible();
  await expect(page.locator('.call-own')).toHaveCount(0);
  await expect.poll(() => shown(page)).toBeGreaterThan(5);
});

test('a page that is loaded again in the middle of a call is back in it', async ({
  page,
  gateway,
  browser,
}) => {
  await Far.of(browser, gateway);
  await open(page);
  gateway.call({ state: 'answered' });
  await expect(headingOf(page)).toHaveText('Du pratar med Anna');
  await page.reload();
  await expect(headingOf(page)).toHaveText('Du pratar med Anna');
  await expect.poll(() => shown(page)).toBeGreaterThan(5);
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
  const far = await Far.of(browser, gateway);
  await open(page);
  gateway.call({ state: 'answered' });
  await expect(headingOf(page)).toHaveText('Du pratar med Anna');
  const other = await context.newPage();
  await other.goto(page.url());
  await expect(headingOf(other)).toHaveText('Du pratar med Anna');
  await expect(page.locator('video')).toHaveCount(0);
  const { joins } = far;
  await expect.poll(() => shown(other)).toBeGreaterThan(5);
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
    gateway.call({ state: 'answered' });
    await expect(page.locator('.call-person video')).toBeVisible();
    await expect.poll(() => shown(page)).toBeGreaterThan(5);
    const check = async (what: string) => {
      if (process.env['LYKTA_LOOKS'] === 'all')
        await page.screenshot({ path: `shots/kiosk-call-${what}-${name}.png` });
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
