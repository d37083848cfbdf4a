// The one connection that carries picture and sound: what of WebRTC the session
// needs, and no more, so that its tests can do without a browser.
import type { Decoded } from './quality';
import type { Link } from './recover';

export interface Peer {
  configure(ice: RTCIceServer[]): void;
  /** Makes an offer and takes it as its own; `restart` looks for new ways. */
  offer(restart: boolean): Promise<string>;
  answer(sdp: string): Promise<void>;
  /** What is sent; undefined is nothing. */
  send(kind: 'audio' | 'video', track: MediaStreamTrack | undefined): Promise<void>;
  /** Whether a small picture is sent beside the large: from three people up somebody may need it. */
  layers(two: boolean): Promise<void>;
  /** What comes in one slot: always the same stream for a mid. */
  stream(mid: string): MediaStream | undefined;
  /** What has been decoded, by mid. */
  decoded(): Promise<ReadonlyMap<string, Partial<Decoded>>>;
  close(): void;
}

export type Connect = (changed: (link: Link) => void) => Peer;

const slots = 3;

/** In bits a second. */
const large = 1_200_000;
const small = 150_000;

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

  async layers(two: boolean): Promise<void> {
    const { sender } = this.#video;
    const parameters = sender.getParameters();
    const low = parameters.encodings.find((e) => e.rid === 'l');
    if (!low || low.active === two) return;
    low.active = two;
    await sender.setParameters(parameters);
  }

  stream(mid: string): MediaStream | undefined {
    return this.#streams.get(mid);
  }

  async decoded(): Promise<ReadonlyMap<string, Partial<Decoded>>> {
    const found = new Map<string, Partial<Decoded>>();
    (await this.#pc.getStats()).forEach((s) => {
      if (s.type !== 'inbound-rtp') return;
      const one = s as RTCInboundRtpStreamStats;
      if (!one.mid) return;
      found.set(
        one.mid,
        one.kind === 'video'
          ? { frames: one.framesDecoded ?? 0 }
          : {
              energy: one.totalAudioEnergy ?? 0,
              samples: one.totalSamplesReceived ?? 0,
              concealed: Math.max(
                0,
                (one.concealedSamples ?? 0) - (one.silentConcealedSamples ?? 0),
              ),
            },
      );
    });
    return found;
  }

  close(): void {
    this.#pc.onconnectionstatechange = null;
    this.#pc.close();
  }
}
