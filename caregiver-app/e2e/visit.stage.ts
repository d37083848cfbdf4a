// What the tests of calls by video with the real programs share
// (e2e/video_test.go): pages that can be asked what they see and hear.
import { chromium, type Browser, type BrowserContext, type Page } from '@playwright/test';
import { invitation, kioskOf, phone, url } from './stage';

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

/** Keeps the page's connections, so that they can be asked. */
async function watched(context: BrowserContext, relay: boolean): Promise<Page> {
  await context.addInitScript((relayOnly) => {
    const Real = RTCPeerConnection;
    const all: RTCPeerConnection[] = [];
    class Watched extends Real {
      constructor(config?: RTCConfiguration) {
        super(relayOnly ? { ...config, iceTransportPolicy: 'relay' } : config);
        all.push(this);
      }
      override setConfiguration(config?: RTCConfiguration) {
        super.setConfiguration(relayOnly ? { ...config, iceTransportPolicy: 'relay' } : config);
      }
    }
    Object.assign(window, { RTCPeerConnection: Watched, connections: all });
  }, relay);
  return context.newPage();
}

/** A page of somebody who is signed in, on a phone. */
export async function pageOf(browser: Browser, person: string, relay = false): Promise<Page> {
  const context = await browser.newContext({
    ...phone,
    permissions: ['camera', 'microphone'],
    ignoreHTTPSErrors: true,
  });
  const page = await watched(context, relay);
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

/** The resident's screen of a box. */
export async function screenOf(browser: Browser, box: string): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    hasTouch: true,
    locale: 'sv-SE',
    timezoneId: 'Europe/Stockholm',
    permissions: ['camera', 'microphone'],
  });
  const page = await watched(context, false);
  await page.goto(await kioskOf(box));
  return page;
}

/** What a page has been given of the others since it was opened. */
export interface Received {
  /** Pictures that were decoded, of all connections. */
  frames: number;
  /** The energy of the sound, and for how many seconds there was any. */
  energy: number;
  seconds: number;
  /** How the connection goes that is in use: "host", "prflx", "relay" and "udp", "tls". */
  ways: string[];
}

export const received = (page: Page): Promise<Received> =>
  page.evaluate(async () => {
    const out = { frames: 0, energy: 0, seconds: 0, ways: [] as string[] };
    const all = (window as unknown as { connections?: RTCPeerConnection[] }).connections ?? [];
    for (const connection of all.filter((c) => c.connectionState !== 'closed')) {
      const stats = [...(await connection.getStats()).values()];
      for (const s of stats) {
        if (s.type === 'inbound-rtp' && s.kind === 'video') out.frames += s.framesDecoded ?? 0;
        if (s.type === 'inbound-rtp' && s.kind === 'audio') {
          out.energy += s.totalAudioEnergy ?? 0;
          out.seconds += s.totalSamplesDuration ?? 0;
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
