import { useEffect, useRef, useState } from 'preact/hooks';
import { Devices } from '../call/devices';
import { wrong } from '../call/equipment';
import { checked, rememberCamera } from '../call/memory';
import { Preview } from '../call/preview';
import { CallSign } from '../call/signs';
import { t } from '../shared/i18n';

interface CheckProps {
  /** Who is to be called or joined. */
  name: string;
  /** What comes after: to ring, or to join a call that is under way; "" when it is only tried. */
  next: 'ring' | 'join' | '';
  /** Camera and microphone are handed over: to be asked for them twice is once too often. */
  done: (devices: Devices) => void;
  leave: () => void;
}

/** How a relative looks and sounds, before the first call or when they want to know. */
export function Check({ name, next, done, leave }: CheckProps) {
  const [devices] = useState(() => new Devices());
  const kept = useRef(false);
  useEffect(() => {
    void devices.ask({ mic: true, camera: true });
    document.querySelector<HTMLElement>('h1')?.focus({ preventScroll: true });
    return () => {
      if (!kept.current) devices.close();
    };
  }, []);
  const seen = devices.picture.value !== undefined;
  const go = (camera: boolean) => {
    checked();
    rememberCamera(camera);
    if (!camera) devices.dropCamera();
    kept.current = true;
    done(devices);
  };
  const main = !next
    ? t('check.done')
    : next === 'join'
      ? t('call.join')
      : t('call.ring_for', { name });
  return (
    <section class="check" data-mic={devices.mic.value} data-camera={devices.camera.value}>
      <h1 tabIndex={-1}>{t(next === 'ring' ? 'check.title' : 'check.title_try')}</h1>
      <p>{next ? t('check.text', { name }) : t('check.text_try')}</p>
      <Preview devices={devices} />
      {wrong(devices.mic.value) && (
        <p class="quiet" role="status">
          {t('check.fail', { name })}
        </p>
      )}
      <div class="check-actions">
        <button
          type="button"
          class="button button-main"
          onClick={() => go(!wrong(devices.camera.value))}
        >
          {next && <CallSign name={seen ? 'video' : 'video-off'} />}
          {main}
        </button>
        {next && seen && (
          <button type="button" class="button" onClick={() => go(false)}>
            {t(next === 'join' ? 'check.join_no_camera' : 'check.no_camera')}
          </button>
        )}
        {next && (
          <button type="button" class="button button-plain" onClick={leave}>
            {t('after.skip')}
          </button>
        )}
      </div>
    </section>
  );
}
