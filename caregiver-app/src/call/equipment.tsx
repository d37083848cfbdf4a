import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../shared/i18n';
import type { Got } from './devices';
import { levelOf } from './level';

const lacking = ['denied', 'none', 'busy', 'unable'] as const;

/** It is not there, or may not be used. */
export const wrong = (is: Got): boolean => lacking.some((l) => l === is);

/** Why there is no microphone or camera, and what can be done about it. */
export function Why({ what, is }: { what: 'mic' | 'camera'; is: Got }) {
  const why = is === 'asking' ? is : lacking.find((l) => l === is);
  if (!why) return null;
  const thing = t(why === 'none' ? `call.device.${what}_plain` : `call.device.${what}`);
  return (
    <p class={why === 'asking' ? 'call-why' : 'call-why call-why-bad'}>
      {t(`call.device.${why}`, { what: thing })}
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
