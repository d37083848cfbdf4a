// Microphone and camera: what there is of them, and why not.
import { signal, type ReadonlySignal, type Signal } from '@preact/signals';

/** How it stands with a microphone or a camera. */
export type Got =
  | 'unasked'
  | 'asking'
  | 'got'
  | 'denied' // the person, or the device's settings
  | 'none' // there is no such thing
  | 'busy' // another program has it
  | 'unable'; // this browser, or this address, cannot

/** Why a device was not got, from what the browser threw. */
export function whyNot(error: unknown): Got {
  switch ((error as { name?: string } | undefined)?.name) {
    case 'NotAllowedError':
    case 'SecurityError':
    case 'PermissionDeniedError':
      return 'denied';
    case 'NotFoundError':
    case 'OverconstrainedError':
    case 'DevicesNotFoundError':
      return 'none';
    case 'NotReadableError':
    case 'AbortError':
    case 'TrackStartError':
      return 'busy';
    default:
      return 'unable';
  }
}

const sound: MediaTrackConstraints = {
  echoCancellation: true,
  noiseSuppression: true,
  autoGainControl: true,
};
const picture: MediaTrackConstraints = {
  width: { ideal: 1280 },
  height: { ideal: 720 },
  frameRate: { ideal: 25, max: 30 },
};

/** The microphone and the camera of this device, while they are used. */
export class Devices {
  readonly #mic = signal<Got>('unasked');
  readonly #camera = signal<Got>('unasked');
  readonly #sound = signal<MediaStreamTrack | undefined>();
  readonly #picture = signal<MediaStreamTrack | undefined>();
  readonly #cameras = signal(0);
  #closed = false;
  // Which camera was used last: by its id, or by which way it looks.
  #which: MediaTrackConstraints = { facingMode: 'user' };

  /** How it stands with each. */
  readonly mic: ReadonlySignal<Got> = this.#mic;
  readonly camera: ReadonlySignal<Got> = this.#camera;
  /** What is got from each; undefined is nothing. */
  readonly sound: ReadonlySignal<MediaStreamTrack | undefined> = this.#sound;
  readonly picture: ReadonlySignal<MediaStreamTrack | undefined> = this.#picture;
  /** How many cameras there are, as far as one may know. */
  readonly cameras: ReadonlySignal<number> = this.#cameras;

  constructor(private readonly media: MediaDevices | undefined = navigator.mediaDevices) {
    this.media?.addEventListener?.('devicechange', this.#changed);
  }

  /** Asks for what is wanted and is not there, both in one question. Says afterwards how it went in mic and camera. */
  async ask({ mic, camera }: { mic: boolean; camera: boolean }): Promise<void> {
    const audio = mic && !this.#sound.value && this.#mic.value !== 'asking';
    const video = camera && !this.#picture.value && this.#camera.value !== 'asking';
    if (audio && video) {
      this.#mic.value = this.#camera.value = 'asking';
      try {
        this.#take(await this.#get({ audio: sound, video: this.#wanted() }));
        return;
      } catch {
        // Each by itself then: one may be there without the other.
        this.#mic.value = this.#camera.value = 'unasked';
      }
    }
    if (audio) await this.#one(this.#mic, { audio: sound });
    if (video) await this.#one(this.#camera, { video: this.#wanted() });
  }

  /** Lets go of the camera, so that its lamp is out. */
  dropCamera(): void {
    this.#picture.value?.stop();
    this.#picture.value = undefined;
    if (this.#camera.value === 'got') this.#camera.value = 'unasked';
  }

  /** Takes the next camera: on a phone the one at the other side. */
  async switchCamera(): Promise<void> {
    const now = this.#picture.value;
    if (!now || this.#camera.value !== 'got') return;
    const before = this.#which;
    const { facingMode, deviceId } = now.getSettings();
    if (facingMode) {
      const other = facingMode === 'user' ? 'environment' : 'user';
      this.#which = { facingMode: { exact: other } };
    } else {
      const all = await this.#list();
      const at = all.findIndex((d) => d.deviceId === deviceId);
      const next = all[(at + 1) % all.length];
      if (!next || all.length < 2) return;
      this.#which = { deviceId: { exact: next.deviceId } };
    }
    this.dropCamera(); // some phones open no second camera
    await this.ask({ mic: false, camera: true });
    if (this.#picture.value) return;
    this.#which = before;
    await this.ask({ mic: false, camera: true });
  }

  close(): void {
    this.#closed = true;
    this.media?.removeEventListener?.('devicechange', this.#changed);
    this.#sound.value?.stop();
    this.#sound.value = undefined;
    this.dropCamera();
  }

  #wanted = (): MediaTrackConstraints => ({ ...picture, ...this.#which });

  #get(wanted: MediaStreamConstraints): Promise<MediaStream> {
    if (!this.media?.getUserMedia) return Promise.reject(new Error('no devices here'));
    return this.media.getUserMedia(wanted);
  }

  async #one(state: Signal<Got>, wanted: MediaStreamConstraints): Promise<void> {
    state.value = 'asking';
    try {
      this.#take(await this.#get(wanted));
    } catch (error) {
      if (state.value === 'asking') state.value = whyNot(error);
    }
  }

  #take(stream: MediaStream): void {
    for (const track of stream.getTracks()) {
      if (this.#closed) {
        track.stop();
        continue;
      }
      const audio = track.kind === 'audio';
      const place = audio ? this.#sound : this.#picture;
      const state = audio ? this.#mic : this.#camera;
      place.value?.stop();
      place.value = track;
      state.value = 'got';
      // It was pulled out, or taken away: another may be there.
      track.onended = () => {
        if (place.value !== track) return;
        place.value = undefined;
        state.value = 'unasked';
        void this.ask({ mic: audio, camera: !audio });
      };
    }
    void this.#list();
  }

  async #list(): Promise<MediaDeviceInfo[]> {
    const all = (await this.media?.enumerateDevices?.().catch(() => [])) ?? [];
    const cameras = all.filter((d) => d.kind === 'videoinput');
    this.#cameras.value = cameras.length;
    return cameras;
  }

  // What was plugged in is taken where there was none.
  #changed = (): void => {
    void this.#list();
    const again = { mic: this.#mic.value === 'none', camera: this.#camera.value === 'none' };
    if (again.mic || again.camera) void this.ask(again);
  };
}
