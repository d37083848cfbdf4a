// The far side of a call in the browser tests: a page that answers offers as
// the service does, with a moving picture and a tone, and counts what it gets.
import type {
  Browser,
  LaunchOptions,
  Page,
  PlaywrightWorkerOptions,
  WorkerFixture,
} from '@playwright/test';
import type { Mock } from './lykta';

// What Chromium needs to have a camera, a microphone and calls within one machine.
// Few pictures a second: each is coded and decoded without a graphics card, four
// tests at a time, and on a busy machine 25 of them left a call no time to begin.
const mediaArgs = [
  '--use-fake-device-for-media-stream=fps=10',
  '--use-fake-ui-for-media-stream',
  '--allow-loopback-in-peer-connection',
  '--autoplay-policy=no-user-gesture-required',
  '--disable-features=WebRtcHideLocalIpsWithMdns',
];

/** Gives the browser of a test those; for test.extend. */
export const withMedia: {
  launchOptions: [WorkerFixture<LaunchOptions, PlaywrightWorkerOptions>, { scope: 'worker' }];
} = {
  launchOptions: [
    async ({ launchOptions }, use) => {
      await use({ ...launchOptions, args: [...(launchOptions.args ?? []), ...mediaArgs] });
    },
    { scope: 'worker' },
  ],
};

type Held = Window & { pc?: RTCPeerConnection; sources?: MediaStream };

export class Studio {
  private constructor(readonly page: Page) {}

  /** Answers every offer that the mock's service gets. */
  static async of(browser: Browser, mock: Mock): Promise<Studio> {
    const page = await browser.newPage();
    await page.goto('about:blank');
    mock.calls.answerer = (offer: string, { type }: { type: string }) =>
      page.evaluate(answering, [offer, type] as const);
    return new Studio(page);
  }

  /** How many pictures of the app have come here, and how loud it was (totalAudioEnergy). */
  got(): Promise<{ frames: number; energy: number }> {
    return this.page.evaluate(async () => {
      const sum = { frames: 0, energy: 0 };
      (await (window as Held).pc?.getStats())?.forEach((s: RTCInboundRtpStreamStats) => {
        if (s.type !== 'inbound-rtp') return;
        sum.frames += s.framesDecoded ?? 0;
        sum.energy += s.totalAudioEnergy ?? 0;
      });
      return sum;
    });
  }

  /** What carries the picture stops, as on a line that is cut. */
  async vanish(): Promise<void> {
    await this.page.evaluate(() => (window as Held).pc?.close());
  }

  /** The picture stands still, the connection does not. */
  async freeze(): Promise<void> {
    await this.page.evaluate(() =>
      (window as Held).pc?.getSenders().forEach((s) => {
        if (s.track?.kind === 'video') void s.replaceTrack(null);
      }),
    );
  }
}

/**
 * Runs in the far page, and answers an offer of the type "join" or "restart" with all
 * addresses in it. A browser takes no layers, the service does: they are taken out
 * of what it is offered, and put into what it answers.
 */
export async function answering([offer, type]: readonly [string, string]): Promise<string> {
  const own = window as Held;
  if (type !== 'restart' || !own.pc) {
    own.pc?.close();
    own.pc = new RTCPeerConnection();
    // What nobody listens to is not decoded.
    own.pc.ontrack = ({ track }) => {
      const sink = document.createElement(track.kind) as HTMLMediaElement;
      sink.srcObject = new MediaStream([track]);
      void sink.play().catch(() => {});
    };
  }
  const { pc } = own;
  if (!own.sources) {
    const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 360 });
    const pen = canvas.getContext('2d')!;
    let turn = 0;
    setInterval(() => {
      turn += 7;
      pen.fillStyle = `hsl(${turn % 360} 35% 72%)`;
      pen.fillRect(0, 0, 640, 360);
      pen.fillStyle = '#5b4636';
      pen.beginPath();
      pen.ellipse(320, 150 + 6 * Math.sin(turn / 20), 70, 88, 0, 0, 7);
      pen.ellipse(320, 380, 150, 130, 0, 0, 7);
      pen.fill();
    }, 100);
    const sound = new AudioContext();
    const tone = sound.createOscillator();
    const out = sound.createMediaStreamDestination();
    tone.connect(out);
    tone.start();
    const tracks = [...canvas.captureStream(10).getTracks(), ...out.stream.getTracks()];
    own.sources = new MediaStream(tracks);
  }
  const layers = /^a=(?:rid|simulcast):.*\r\n/gm;
  await pc.setRemoteDescription({ type: 'offer', sdp: offer.replace(layers, '') });
  const lines = pc.getTransceivers();
  for (const track of own.sources.getTracks()) {
    const line = lines[track.kind === 'audio' ? 2 : 3]!;
    line.direction = 'sendonly';
    await line.sender.replaceTrack(track);
  }
  await pc.setLocalDescription(await pc.createAnswer());
  await new Promise<void>((done) => {
    const look = () => pc.iceGatheringState === 'complete' && done();
    pc.onicegatheringstatechange = look;
    look();
  });
  const parts = pc.localDescription!.sdp.split(/^(?=m=)/m);
  const takes = 'a=rid:l recv\r\na=rid:h recv\r\na=simulcast:recv l;h\r\n';
  if (/^a=simulcast:/m.test(offer)) parts[2] += takes;
  return parts.join('');
}
