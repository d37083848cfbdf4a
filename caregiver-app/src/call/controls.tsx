import { t } from '../shared/i18n';
import type { Session } from './session';
import { CallSign } from './signs';

interface ControlsProps {
  session: Session;
  /** To hang up ends the call for all; else one leaves it. */
  ends?: boolean;
  /** Keeps for the next call whether the camera is on. */
  remember?: (camera: boolean) => void;
  /** Somebody can be asked in: the call is answered, or rings still. */
  invite?: (() => void) | undefined;
  hangUp: () => void;
}

/** What one does in a call, within the thumb's reach. */
export function Controls({ session, ends, remember, invite, hangUp }: ControlsProps) {
  const { mic, camera } = session.wishes.value;
  const heard = mic && session.devices.sound.value !== undefined;
  const seen = camera && session.devices.picture.value !== undefined;
  return (
    <div class="call-controls" role="toolbar" aria-label={t('call.controls')}>
      <button
        type="button"
        class={heard ? 'call-button' : 'call-button call-button-off'}
        data-control="mic"
        aria-pressed={heard}
        onClick={() => session.setMic(!heard)}
      >
        <CallSign name={heard ? 'mic' : 'mic-off'} />
        <span>{t(heard ? 'call.mic_on' : 'call.mic_off')}</span>
      </button>
      <button
        type="button"
        class={seen ? 'call-button' : 'call-button call-button-off'}
        data-control="camera"
        aria-pressed={seen}
        onClick={() => {
          remember?.(!seen);
          session.setCamera(!seen);
        }}
      >
        <CallSign name={seen ? 'video' : 'video-off'} />
        <span>{t(seen ? 'call.camera_on' : 'call.camera_off')}</span>
      </button>
      {session.devices.cameras.value > 1 && (
        <button
          type="button"
          class="call-button"
          data-control="switch"
          disabled={!seen}
          onClick={() => void session.devices.switchCamera()}
        >
          <CallSign name="turn" />
          <span>{t('call.switch')}</span>
        </button>
      )}
      {invite && (
        <button type="button" class="call-button" data-control="invite" onClick={invite}>
          <CallSign name="person" />
          <span>{t('call.invite')}</span>
        </button>
      )}
      <button type="button" class="call-button call-button-end" data-control="end" onClick={hangUp}>
        <CallSign name="down" />
        <span>{t(ends ? 'call.hang_up' : 'call.leave')}</span>
      </button>
    </div>
  );
}
