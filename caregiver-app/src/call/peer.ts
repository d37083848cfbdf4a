// The one connection that carries picture and sound: what of WebRTC the session
// needs, and no more, so that its tests can do without a browser.
import type { Decoded } from './quality';
import type { Link } from './recover';
import type { Sent } from './uplink';

export interface Peer {
  configure(ice: RTCIceServer[]): void;
  /** Makes an offer and takes it as its own; `restart` looks for new ways. */
  offer(restart: boolean): Promise<string>;
  answer(sdp: string): Promise<void>;
  /** What is sent; undefined is nothing. */
  send(kind: 'audio' | 'video', track: MediaStreamTrack | undefined): Promise<void>;
  /** What is made of camera and microphone. */
  make(wanted: Wanted): Promise<void>;
  /** For how long the sound of the others waits before it is played, in milliseconds; 0 is as the browser does it. */
  hold(time: number): void;
  /** What comes in one slot: always the same stream for a mid. */
  stream(mid: string): MediaStream | undefined;
  /** What has come and gone so far. */
  count(): Promise<Counted>;
  close(): void;
}

/** Counted from the beginning of the connection. */
export interface Counted {
  /** What came, by mid. */
  decoded: ReadonlyMap<string, Partial<Decoded>>;
  sent: Sent;
}

export type Connect = (changed: (link: Link) => void) => Peer;

export interface Wanted {
  /** Whether a picture is made at all. */
  picture: boolean;
  /** A small one beside the large: from three people up somebody may need it. */
  small: boolean;
  /** The sound takes as little as speech can do with: the line has room for no more. */
  frugal: boolean;
}

const slots = 3;

/** Changes what a sender makes, where something is to be changed. */
async function adjust(
  sender: RTCRtpSender,
  change: (one: RTCRtpEncodingParameters) => boolean,
): Promise<void> {
  const parameters = sender.getParameters();
  if (parameters.encodings.map(change).includes(true)) await sender.setParameters(parameters);
}

/** In bits a second. */
const large = 1_200_000;
const small = 150_000;
const speech = 24_000; // what the service asks for
const frugalSpeech = 16_000; // sent twice, with all headers, 45,000: what a line of 60,000 carries

/** The codecs of a kind that are offered, the preferred first. */
export function preferred(kind: 'audio' | 'video', all: readonly RTCRtpCodec[]): RTCRtpCodec[] {
  // RED sends each piece of sound twice: what is lost is mended without asking again.
  const order =
    kind === 'audio'
      ? ['audio/red', 'audio/opus']
      : ['video/vp8', 'video/h264', 'video/rtx', 'video/red', 'video/ulpfec'];
  const rank = (c: RTCRtpCodec) => order.indexOf(c.mimeType.toLowerCase());
  return all.filter((c) => rank(c) >= 0).sort((a, b) => rank(a) - rank(b));
}

/**
 * The browser's own connection. Its m-lines are in the order that the service
 * counts on: sound out, picture out, and sound and picture in for each slot.
 * They are all there from the beginning, with or without a camera, so that
 * nothing is negotiated when people come and go.
 */
export class BrowserPeer implements Peer {
  readonly #pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle', rtcpMuxPolicy: 'require' });
  readonly #audio: RTCRtpTransceiver;
  readonly #video: RTCRtpTransceiver;
  readonly #streams = new Map<string, MediaStream>();
  #wanted: Wanted = { picture: true, small: false, frugal: false };
  #setting = false;

  constructor(changed: (link: Link) => void) {
    const pc = this.#pc;
    this.#audio = pc.addTransceiver('audio', {
      direction: 'sendonly',
      sendEncodings: [{ priority: 'high', networkPriority: 'high' } as RTCRtpEncodingParameters],
    });
    this.#video = pc.addTransceiver('video', {
      direction: 'sendonly',
      sendEncodings: [
        { rid: 'l', active: false, scaleResolutionDownBy: 4, maxBitrate: small },
        { rid: 'h', maxBitrate: large },
      ],
    });
    for (let i = 0; i < slots; i++) {
      pc.addTransceiver('audio', { direction: 'recvonly' });
      pc.addTransceiver('video', { direction: 'recvonly' });
    }
    for (const transceiver of pc.getTransceivers()) {
      const { kind } = transceiver.receiver.track;
      const all = RTCRtpReceiver.getCapabilities(kind)?.codecs ?? [];
      const wanted = preferred(kind as 'audio' | 'video', all);
      try {
        transceiver.setCodecPreferences(wanted);
      } catch {
        // A browser that cannot choose goes on with its own order.
      }
    }
    pc.onconnectionstatechange = () => changed(pc.connectionState);
  }

  configure(ice: RTCIceServer[]): void {
    this.#pc.setConfiguration({
      ...{ bundlePolicy: 'max-bundle', rtcpMuxPolicy: 'require' },
      iceServers: ice,
    });
  }

  async offer(restart: boolean): Promise<string> {
    const pc = this.#pc;
    if (pc.signalingState === 'have-local-offer')
      await pc.setLocalDescription({ type: 'rollback' });
    const offer = await pc.createOffer({ iceRestart: restart });
    await pc.setLocalDescription(offer);
    return pc.localDescription?.sdp ?? offer.sdp ?? '';
  }

  async answer(sdp: string): Promise<void> {
    await this.#pc.setRemoteDescription({ type: 'answer', sdp });
    for (const { mid, receiver } of this.#pc.getTransceivers()) {
      // Sound and picture in streams of their own: together each would wait for the other.
      if (mid && !this.#streams.has(mid)) {
        this.#streams.set(mid, new MediaStream([receiver.track]));
      }
    }
  }

  async send(kind: 'audio' | 'video', track: MediaStreamTrack | undefined): Promise<void> {
    const { sender } = kind === 'audio' ? this.#audio : this.#video;
    await sender.replaceTrack(track ?? null);
  }

  async make(wanted: Wanted): Promise<void> {
    this.#wanted = wanted;
    if (this.#setting) return;
    this.#setting = true;
    try {
      // What is wanted meanwhile is set next: two at a time would refuse each other.
      for (let set: Wanted | undefined; set !== this.#wanted;) {
        set = this.#wanted;
        await this.#encode(set);
      }
    } finally {
      this.#setting = false;
    }
  }

  async #encode({ picture, small, frugal }: Wanted): Promise<void> {
    await adjust(this.#video.sender, (one) => {
      const active = picture && (one.rid !== 'l' || small);
      if (one.active === active) return false;
      one.active = active;
      return true;
    });
    await adjust(this.#audio.sender, (one) => {
      const rate = frugal ? frugalSpeech : speech;
      if ((one.maxBitrate ?? speech) === rate) return false;
      one.maxBitrate = rate;
      return true;
    });
  }

  hold(time: number): void {
    for (const { receiver } of this.#pc.getTransceivers()) {
      // Newer than the types know, and not in every browser: then it is as before.
      if (receiver.track.kind === 'audio')
        (receiver as { jitterBufferTarget?: number | null }).jitterBufferTarget = time || null;
    }
  }

  stream(mid: string): MediaStream | undefined {
    return this.#streams.get(mid);
  }

  async count(): Promise<Counted> {
    const decoded = new Map<string, Partial<Decoded>>();
    const sent = { packets: 0, lost: 0 };
    (await this.#pc.getStats()).forEach((s) => {
      if (s.type === 'outbound-rtp') {
        sent.packets += (s as RTCOutboundRtpStreamStats).packetsSent ?? 0;
      } else if (s.type === 'remote-inbound-rtp') {
        sent.lost += (s as { packetsLost?: number }).packetsLost ?? 0;
      }
      const one = s as RTCInboundRtpStreamStats;
      if (s.type !== 'inbound-rtp' || !one.mid) return;
      decoded.set(
        one.mid,
        one.kind === 'video'
          ? { frames: one.framesDecoded ?? 0 }
          : {
              packets: one.packetsReceived ?? 0,
              energy: one.totalAudioEnergy ?? 0,
              samples: one.totalSamplesReceived ?? 0,
              concealed: Math.max(
                0,
                (one.concealedSamples ?? 0) - (one.silentConcealedSamples ?? 0),
              ),
            },
      );
    });
    return { decoded, sent };
  }

  close(): void {
    this.#pc.onconnectionstatechange = null;
    this.#pc.close();
  }
}
