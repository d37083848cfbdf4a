import { useEffect, useRef, useState } from 'preact/hooks';
import { Devices, type Got } from '../../call/devices';
import { t } from '../../shared/i18n';
import { checked, rememberCamera } from './current';
import { levelOf } from './level';
import { Picture } from './stage';
import { CallSign } from './signs';

interface CheckProps {
  /** Who is to be called; "" is nobody: it is only tried. */
  name: string;
  done: () => void;
  leave?: () => void;
}

/** How one looks and sounds, before the first call or when one wants to know. */
export function Check({ name, done, leave }: CheckProps) {
  const [devices] = useState(() => new Devices());
  const [stream, setStream] = useState<MediaStream>();
  const picture = devices.picture.value;
  useEffect(() => {
    void devices.ask({ mic: true, camera: true });
    return () => devices.close();
  }, []);
  useEffect(() => setStream(picture && new MediaStream([picture])), [picture]);
  const go = (camera: boolean) => {
    checked();
    rememberCamera(camera);
    devices.close();
    done();
  };
  const seen = picture !== undefined;
  return (
    <section class="check" data-mic={devices.mic.value} data-camera={devices.camera.value}>
      <h1 tabIndex={-1}>{t(name ? 'check.title' : 'check.title_try')}</h1>
      <p>{name ? t('check.text', { name }) : t('check.text_try')}</p>
      <div class="check-picture">
        {stream ? (
          <Picture stream={stream} mirrored label={t('check.picture')} />
        ) : (
          <p>
            <CallSign name="video-off" />
            {t('check.no_picture')}
          </p>
        )}
      </div>
      <Meter track={devices.sound.value} />
      <div role="status">
        <Why what="camera" is={devices.camera.value} />
        <Why what="mic" is={devices.mic.value} />
        {wrong(devices.mic.value) && name && <p class="quiet">{t('check.fail', { name })}</p>}
      </div>
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

export const wrong = (is: Got) => ['denied', 'none', 'busy', 'unable'].includes(is);

/** Why there is no microphone or camera, and what can be done about it. */
export function Why({ what, is }: { what: 'mic' | 'camera'; is: Got }) {
  if (is !== 'asking' && !wrong(is)) return null;
  const thing = t(is === 'none' ? `call.device.${what}_plain` : `call.device.${what}`);
  return (
    <p class={is === 'asking' ? 'call-why' : 'call-why call-why-bad'}>
      {t(`call.device.${is as 'asking' | 'denied' | 'none' | 'busy' | 'unable'}`, { what: thing })}
    </p>
  );
}

/** How loud the microphone is. It says once that it has heard something. */
export function Meter({ track }: { track: MediaStreamTrack | undefined }) {
  const bar = useRef<HTMLMeterElement>(null);
  const [heard, setHeard] = useState(false);
  useEffect(() => {
    if (!track) return undefined;
    const [level, stop] = levelOf(track);
    const off = level.subscribe((now) => {
      if (bar.current) bar.current.value = now;
      if (now > 0.4) setHeard(true);
    });
    return () => {
      off();
      stop();
    };
  }, [track]);
  return (
    <div class="check-level" data-heard={heard ? 'yes' : 'no'}>
      <label>
        <span>{t('check.level')}</span>
        <meter ref={bar} min={0} max={1} low={0.2} value={0} />
      </label>
      <p role="status">{track && t(heard ? 'check.heard' : 'check.silent')}</p>
    </div>
  );
}
