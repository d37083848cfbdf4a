import { describe, expect, it, vi } from 'vitest';
import { Devices, whyNot } from './devices';

const refusal = (name: string) => Object.assign(new Error(name), { name });

function track(kind: string, settings: object = {}) {
  const made = { kind, stop: vi.fn(), getSettings: () => settings, onended: null as unknown };
  return made as unknown as MediaStreamTrack & { stop: ReturnType<typeof vi.fn> };
}

function media(get: (wanted: MediaStreamConstraints) => MediaStreamTrack[], cameras = 1) {
  const asked: MediaStreamConstraints[] = [];
  const listeners: (() => void)[] = [];
  const devices = {
    getUserMedia: (wanted: MediaStreamConstraints) => {
      asked.push(wanted);
      try {
        const tracks = get(wanted);
        return Promise.resolve({ getTracks: () => tracks });
      } catch (error) {
        return Promise.reject(error as Error);
      }
    },
    enumerateDevices: () =>
      Promise.resolve(
        Array.from({ length: cameras }, (_, i) => ({ kind: 'videoinput', deviceId: `cam${i}` })),
      ),
    addEventListener: (_: string, f: () => void) => listeners.push(f),
    removeEventListener: () => {},
  };
  const plugged = () => listeners.forEach((f) => f());
  return { devices: devices as unknown as MediaDevices, asked, plugged };
}

describe('microphone and camera', () => {
  it('are asked for in one question', async () => {
    const m = media(() => [track('audio'), track('video')]);
    const d = new Devices(m.devices);
    await d.ask({ mic: true, camera: true });
    expect(m.asked).toHaveLength(1);
    expect([d.mic.value, d.camera.value]).toEqual(['got', 'got']);
  });

  it('are there one without the other', async () => {
    const m = media(({ video }) => {
      if (video) throw refusal('NotFoundError');
      return [track('audio')];
    });
    const d = new Devices(m.devices);
    await d.ask({ mic: true, camera: true });
    expect([d.mic.value, d.camera.value]).toEqual(['got', 'none']);
  });

  it('leave the camera alone until it is wanted', async () => {
    const m = media(({ video }) => [track(video ? 'video' : 'audio')]);
    const d = new Devices(m.devices);
    await d.ask({ mic: true, camera: false });
    expect(m.asked).toEqual([{ audio: expect.anything() as unknown }]);
    expect(d.camera.value).toBe('unasked');
  });

  it('say why they are not there', () => {
    const names = ['NotAllowedError', 'NotFoundError', 'NotReadableError', 'SomethingNew'];
    expect(names.map((n) => whyNot(refusal(n)))).toEqual(['denied', 'none', 'busy', 'unable']);
  });

  it('are taken when they are plugged in', async () => {
    let there = false;
    const m = media(() => {
      if (!there) throw refusal('NotFoundError');
      return [track('video')];
    });
    const d = new Devices(m.devices);
    await d.ask({ mic: false, camera: true });
    expect(d.camera.value).toBe('none');
    there = true;
    m.plugged();
    await vi.waitFor(() => expect(d.camera.value).toBe('got'));
  });

  it('turn to the camera at the other side, and back when that does not open', async () => {
    const m = media(({ video }) => {
      const { facingMode } = video as { facingMode: string | { exact: string } };
      if (typeof facingMode !== 'string') throw refusal('NotReadableError');
      return [track('video', { facingMode })];
    });
    const d = new Devices(m.devices);
    await d.ask({ mic: false, camera: true });
    const front = d.picture.value as unknown as { stop: ReturnType<typeof vi.fn> };
    await d.switchCamera();
    expect(front.stop).toHaveBeenCalled();
    expect(m.asked[1]).toMatchObject({ video: { facingMode: { exact: 'environment' } } });
    expect(d.camera.value).toBe('got');
  });

  it('are let go of, also what comes after that', async () => {
    const late = track('audio');
    const m = media(() => [late]);
    const d = new Devices(m.devices);
    const asking = d.ask({ mic: true, camera: false });
    d.close();
    await asking;
    expect((late as unknown as { stop: ReturnType<typeof vi.fn> }).stop).toHaveBeenCalled();
    expect(d.sound.value).toBeUndefined();
  });
});
