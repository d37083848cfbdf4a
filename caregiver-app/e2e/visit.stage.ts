// What the tests of calls by video with the real programs share
// (e2e/video_test.go): pages that can be asked what they see and hear, and the
// steps that every call begins with.
import { chromium, test, expect } from '@playwright/test';
import type { Browser, BrowserContext, Page } from '@playwright/test';
import { deed, invitation, openKiosk, phone, url } from './stage';

/** Chromium with a camera and a microphone that are made up: a moving picture, and beeps. */
export const open = (): Promise<Browser> =>
  chromium.launch({
    executablePath: process.env['LYKTA_CHROMIUM'] ?? '/usr/bin/chromium',
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
      '--allow-loopback-in-peer-connection',
      '--autoplay-policy=no-user-gesture-required',
      '--ignore-certificate-errors',
    ],
  });

/** The ends of a call whose way of sound and picture can be made worse. */
export type Place = 'home' | 'carer';

/**
 * How that way is: well, so many kbit/s both ways, cut, or losing a share with 100 ms
 * there and back. Returns the port that leads to it.
 */
export const line = async (
  place: Place,
  is: 'good' | 'cut' | number | `lossy-${number}`,
): Promise<number> => (await deed<{ port: number }>(`/line/${place}/${is}`)).port;

interface Way {
  /** Only through TURN, as where UDP is blocked. */
  relay?: boolean;
  /** By the line of that place. */
  by?: Place;
}

/** Keeps the page's connections, so that they can be asked, and what it has sounded. */
async function watched(context: BrowserContext, { relay, by }: Way): Promise<Page> {
  const port = by ? await line(by, 'good') : 0;
  await context.addInitScript(
    ({ relay, port }) => {
      const Real = RTCPeerConnection;
      const all: RTCPeerConnection[] = [];
      const wished = (config?: RTCConfiguration): RTCConfiguration =>
        relay ? { ...config, iceTransportPolicy: 'relay' } : { ...config };
      class Watched extends Real {
        constructor(config?: RTCConfiguration) {
          super(wished(config));
          all.push(this);
        }
        override setConfiguration(config?: RTCConfiguration) {
          super.setConfiguration(wished(config));
        }
        override setRemoteDescription(description: RTCSessionDescriptionInit) {
          const { type, sdp = '' } = description;
          const way = /^(a=candidate:\S+ 1 udp \d+ \S+) \d+/gim;
          return super.setRemoteDescription({
            type,
            sdp: port ? sdp.replace(way, `$1 ${port}`) : sdp,
          });
        }
      }
      const hertz: number[] = [];
      const start = OscillatorNode.prototype.start;
      OscillatorNode.prototype.start = function (this: OscillatorNode, at?: number) {
        hertz.push(Math.round(this.frequency.value));
        start.call(this, at);
      };
      Object.assign(window, { RTCPeerConnection: Watched, connections: all, hertz });
    },
    { relay: relay === true, port },
  );
  return context.newPage();
}

/** The notes that a page has sounded since it was opened, in hertz. */
export const sounded = (page: Page): Promise<number[]> =>
  page.evaluate(() => (window as unknown as { hertz: number[] }).hertz);

/** A page of somebody who is signed in, on a phone. */
export async function pageOf(browser: Browser, person: string, way: Way = {}): Promise<Page> {
  const context = await browser.newContext({
    ...phone,
    permissions: ['camera', 'microphone'],
    ignoreHTTPSErrors: true,
  });
  const page = await watched(context, way);
  const [, code] = (await invitation(person)).split('#');
  await page.goto(`${url}/favicon.svg`);
  const status = await page.evaluate(
    async (code) =>
      (
        await fetch('/api/v1/invitation/accept', {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify({ code }),
        })
      ).status,
    code,
  );
  if (status !== 204) throw new Error(`${person} is not let in: ${status}`);
  return page;
}

/** A page of somebody who has only a link. */
export async function stranger(browser: Browser): Promise<Page> {
  const permissions = ['camera', 'microphone'];
  return watched(await browser.newContext({ ...phone, permissions, ignoreHTTPSErrors: true }), {});
}

/** The resident's screen of a box. */
export async function screenOf(browser: Browser, box: string, way: Way = {}): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    hasTouch: true,
    locale: 'sv-SE',
    timezoneId: 'Europe/Stockholm',
    permissions: ['camera', 'microphone'],
    ignoreHTTPSErrors: true,
  });
  const page = await watched(context, way);
  await openKiosk(page, box);
  return page;
}

/** What a page has been given of the others since it was opened. */
export interface Received {
  /** Pictures that were decoded, of all connections. */
  frames: number;
  /** The energy of the sound, and for how many seconds there was any. */
  energy: number;
  seconds: number;
  /** Samples of sound that were played, and those of them that had to be invented. */
  samples: number;
  concealed: number;
  /** For how long sound waited before it was played, of all samples together, in seconds; and how many. */
  waited: number;
  played: number;
  /** How the connection goes that is in use: "host", "prflx", "relay" and "udp", "tls". */
  ways: string[];
}

export const received = (page: Page): Promise<Received> =>
  page.evaluate(async () => {
    const out = {
      frames: 0,
      energy: 0,
      seconds: 0,
      samples: 0,
      concealed: 0,
      waited: 0,
      played: 0,
      ways: [] as string[],
    };
    const all = (window as unknown as { connections?: RTCPeerConnection[] }).connections ?? [];
    for (const connection of all.filter((c) => c.connectionState !== 'closed')) {
      const stats = [...(await connection.getStats()).values()];
      for (const s of stats) {
        if (s.type === 'inbound-rtp' && s.kind === 'video') out.frames += s.framesDecoded ?? 0;
        if (s.type === 'inbound-rtp' && s.kind === 'audio') {
          out.energy += s.totalAudioEnergy ?? 0;
          out.seconds += s.totalSamplesDuration ?? 0;
          out.samples += s.totalSamplesReceived ?? 0;
          out.concealed += s.concealedSamples ?? 0;
          out.waited += s.jitterBufferDelay ?? 0;
          out.played += s.jitterBufferEmittedCount ?? 0;
        }
        if (s.type === 'candidate-pair' && s.nominated && s.state === 'succeeded') {
          const own = stats.find((o) => o.id === s.localCandidateId);
          out.ways.push(`${own?.candidateType} ${own?.relayProtocol ?? own?.protocol}`);
        }
      }
    }
    return out;
  });

/** What the largest picture of somebody else on the page shows now, as a few numbers; none is []. */
export const picture = (page: Page): Promise<number[]> =>
  page.evaluate(() => {
    const connections =
      (window as unknown as { connections?: RTCPeerConnection[] }).connections ?? [];
    const theirs = new Set(connections.flatMap((c) => c.getReceivers().map((r) => r.track.id)));
    const all = [...document.querySelectorAll('video')].filter(
      (v) =>
        v.videoWidth > 0 &&
        v.srcObject instanceof MediaStream &&
        v.srcObject.getVideoTracks().some((t) => theirs.has(t.id)),
    );
    const size = (v: HTMLVideoElement) => v.clientWidth * v.clientHeight;
    const video = all.sort((a, b) => size(b) - size(a))[0];
    if (!video) return [];
    const canvas = document.createElement('canvas');
    canvas.width = 32;
    canvas.height = 24;
    const drawn = canvas.getContext('2d')!;
    drawn.drawImage(video, 0, 0, 32, 24);
    return [...drawn.getImageData(0, 0, 32, 24).data].filter((_, i) => i % 4 !== 3);
  });

/** What the connections say of themselves, for who has to find out why it does not work. */
const details = (page: Page): Promise<string> =>
  page.evaluate(async () => {
    const wanted =
      /^(kind|mid|rid|packets(Sent|Received|Lost)|bytes(Sent|Received)|frames(Received|Decoded|Dropped|Encoded|Sent|PerSecond)|keyFrames(Decoded|Encoded)|(pli|nack|fir)Count|freezeCount|qualityLimitationReason|active|decoderImplementation)$/;
    const out: unknown[] = [];
    const all = (window as unknown as { connections?: RTCPeerConnection[] }).connections ?? [];
    for (const connection of all) {
      out.push(connection.connectionState);
      for (const s of (await connection.getStats()).values()) {
        if (!/^(in|out)bound-rtp$/.test(s.type)) continue;
        const entries = Object.entries(s).filter(([key]) => wanted.test(key));
        out.push(`${s.type} ${entries.map(([key, value]) => `${key}=${value}`).join(' ')}`);
      }
    }
    return out.join('\n');
  });

/** Waits until the page has decoded more pictures and heard more, and its picture has changed. */
export async function expectTalk(page: Page, who: string, within = 45_000): Promise<Received> {
  const before = await received(page);
  const first = await picture(page);
  const deadline = Date.now() + within;
  let now = before;
  let changed = false;
  while (Date.now() < deadline) {
    await page.waitForTimeout(100);
    now = await received(page);
    const shown = await picture(page);
    changed ||= shown.length > 0 && shown.some((v, i) => Math.abs(v - (first[i] ?? 0)) > 8);
    // A connection that was made anew counts from nothing.
    const frames = now.frames - (now.frames < before.frames ? 0 : before.frames);
    const energy = now.energy - (now.energy < before.energy ? 0 : before.energy);
    if (frames >= 10 && energy > 0 && changed) return now;
  }
  throw new Error(
    `${who} does not see and hear: ${JSON.stringify({ before, now, changed, picture: first.length })}\n${await details(page)}`,
  );
}

/** The browser of all tests of a file; what a failed one saw is kept. */
export function withBrowser(): () => Browser {
  let browser: Browser;
  test.skip(!process.env['LYKTA_VISITS'], 'LYKTA_VISITS names no stage of calls');
  test.describe.configure({ timeout: 300_000 });
  test.beforeAll(async () => {
    browser = await open();
  });
  test.afterAll(() => browser?.close());
  test.afterEach(async ({}, info) => {
    for (const [i, context] of browser.contexts().entries()) {
      const [page] = context.pages();
      if (info.status !== info.expectedStatus) {
        await page?.screenshot({ path: info.outputPath(`failed-${i}.png`) });
      }
      await context.close();
    }
  });
  return () => browser;
}

export const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name });

/** Goes through the check of camera and microphone where it comes before `next`. */
export async function throughCheck(page: Page, next: ReturnType<typeof button>) {
  const check = page.getByRole('heading', {
    name: /^(Innan du ringer|Prova kamera och mikrofon)$/,
  });
  await expect(check.or(next).first()).toBeVisible({ timeout: 60_000 });
  if (!(await check.isVisible())) return;
  await expect(page.locator('.check-picture video')).toBeVisible();
  await page.locator('.button-main').click();
}

/** The carer taps, and goes through the check of camera and microphone if it comes. */
export async function ring(page: Page) {
  await page.goto(`${url}/homes/home`);
  await button(page, /^Ring (Karin )?.*med bild/)
    .first()
    .click();
  await throughCheck(page, page.getByText(/^(Söker skärmen|Ringer) hos/).first());
}

/** Touches a button of the screen: what has just appeared is not to be pressed yet. */
export async function touch(kiosk: Page, name: string) {
  await expect(async () => {
    if (await button(kiosk, name).isVisible()) await button(kiosk, name).tap({ timeout: 1_000 });
    await expect(button(kiosk, name)).toBeHidden({ timeout: 1_000 });
  }).toPass({ timeout: 30_000 });
}

export async function hangUp(carer: Page, kiosk: Page) {
  await button(carer, 'Lägg på').click();
  await expect(kiosk.getByText('Samtalet är slut').first()).toBeVisible({ timeout: 10_000 });
}

/** Anna rings, Karin answers by a touch, and they see and hear each other. */
export async function talking(
  browser: Browser,
  ways: { carer?: Way; kiosk?: Way } = {},
): Promise<{ carer: Page; kiosk: Page }> {
  const carer = await pageOf(browser, 'anna', ways.carer);
  const kiosk = await screenOf(browser, 'gw', ways.kiosk);
  await ring(carer);
  await expect(button(kiosk, 'Svara')).toBeVisible({ timeout: 30_000 });
  await touch(kiosk, 'Svara');
  await expectTalk(carer, 'the carer');
  await expectTalk(kiosk, 'the resident');
  return { carer, kiosk };
}

const api = <T>(
  page: Page,
  path: string,
  init: RequestInit = {},
): Promise<{ status: number; body: T }> =>
  page.evaluate(
    async ({ path, init }) => {
      const answer = await fetch(path, init);
      return { status: answer.status, body: await answer.json().catch(() => null) };
    },
    { path, init },
  );

/** Asks the service, or the gateway on its screen, as the page's person. */
export const get = async <T>(page: Page, path: string) => (await api<T>(page, path)).body;
export const put = async (page: Page, path: string, body: unknown, method = 'PUT', more = {}) => {
  const headers = { 'Content-Type': 'application/json', ...more };
  return (await api(page, path, { method, headers, body: JSON.stringify(body) })).status;
};

/** The resident decides on the screen who may do what. */
export async function decide(kiosk: Page, party: string, field: string, allowed: boolean) {
  const decision = { party, field, allowed, key: `${party}-${field}-${allowed}-${Date.now()}` };
  const made = () => put(kiosk, '/consent', decision, 'POST');
  await expect.poll(made, { timeout: 30_000 }).toBe(204); // the screen's day has come
}
