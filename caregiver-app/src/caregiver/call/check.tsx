import { useEffect, useState } from 'preact/hooks';
import { Devices } from '../../call/devices';
import { wrong } from '../../call/equipment';
import { checked, rememberCamera } from '../../call/memory';
import { Preview } from '../../call/preview';
import { CallSign } from '../../call/signs';
import { t } from '../../shared/i18n';

interface CheckProps {
  /** Who is to be called; "" is nobody: it is only tried. */
  name: string;
  done: () => void;
  leave?: () => void;
}

/** How one looks and sounds, before the first call or when one wants to know. */
export function Check({ name, done, leave }: CheckProps) {
  const [devices] = useState(() => new Devices());
  useEffect(() => {
    void devices.ask({ mic: true, camera: true });
    return () => devices.close();
  }, []);
  const go = (camera: boolean) => {
    checked();
    rememberCamera(camera);
    devices.close();
    done();
  };
  const seen = devices.picture.value !== undefined;
  return (
    <section class="check" data-mic={devices.mic.value} data-camera={devices.camera.value}>
      <h1 tabIndex={-1}>{t(name ? 'check.title' : 'check.title_try')}</h1>
      <p>{name ? t('check.text', { name }) : t('check.text_try')}</p>
      <Preview devices={devices} />
      {wrong(devices.mic.value) && name && (
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
          <CallSign name={seen ? 'video' : 'video-off'} />
          {name ? t('call.ring_for', { name }) : t('check.done')}
        </button>
        {name && seen && (
          <button type="button" class="button" onClick={() => go(false)}>
            {t('check.no_camera')}
          </button>
        )}
        {leave && (
          <button type="button" class="button button-plain" onClick={leave}>
            {t('after.skip')}
          </button>
        )}
      </div>
    </section>
  );
}
