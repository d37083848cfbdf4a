import { useEffect, useState } from 'preact/hooks';
import { t } from '../shared/i18n';
import type { Devices } from './devices';
import { Meter, Why } from './equipment';
import { CallSign } from './signs';
import { Picture } from './stage';

/** How one looks and sounds, and why not, before one is seen and heard by others. */
export function Preview({ devices }: { devices: Devices }) {
  const [stream, setStream] = useState<MediaStream>();
  const picture = devices.picture.value;
  useEffect(() => setStream(picture && new MediaStream([picture])), [picture]);
  return (
    <>
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
      <div class="check-why" role="status">
        <Why what="camera" is={devices.camera.value} />
        <Why what="mic" is={devices.mic.value} />
      </div>
    </>
  );
}
