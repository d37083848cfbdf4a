import { useEffect, useRef, useState } from 'preact/hooks';
import type { Person, Session } from './session';
import { t, type Key } from '../shared/i18n';
import { CallSign } from './signs';

interface PictureProps {
  stream: MediaStream | undefined;
  /** One's own, as in a mirror. */
  mirrored?: boolean;
  label: string;
}

/** A moving picture. What is heard of it is played elsewhere. */
export function Picture({ stream, mirrored, label }: PictureProps) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const at = video.current!;
    at.srcObject = stream ?? null;
    if (stream) void at.play().catch(() => {}); // a hidden page plays when it is seen
  }, [stream]);
  return (
    <video
      ref={video}
      class={mirrored ? 'mirrored' : ''}
      aria-label={label}
      autoPlay
      muted
      playsInline
    />
  );
}

interface TileProps {
  person: Person;
  session: Session;
  /** Alone on the stage: their name is the page's heading. */
  only: boolean;
}

/** Somebody else in the call: their picture, or why there is none. */
export function Tile({ person, session, only }: TileProps) {
  const [whole, setWhole] = useState(false);
  const sight = session.sights.value.get(person.id);
  const { name, role, paused } = person;
  const seen = person.picture && !paused;
  return (
    <figure
      class={whole ? 'tile tile-whole' : 'tile'}
      data-person={person.id}
      data-frames={sight?.frames ?? 0}
      data-energy={(sight?.energy ?? 0).toFixed(4)}
      data-still={sight?.still ? 'yes' : 'no'}
      data-speaks={sight?.speaks ? 'yes' : 'no'}
    >
      {seen && <Picture stream={person.picture} label={name} />}
      {!seen && (
        <div class="tile-none">
          <span class="tile-letter" aria-hidden="true">
            {name.slice(0, 1)}
          </span>
          {!person.camera && <p>{t('call.their_camera_off', { name })}</p>}
          {person.camera && paused && <p>{t('call.paused_text')}</p>}
        </div>
      )}
      <figcaption class={only ? 'tile-name tile-only' : 'tile-name'}>
        <span class={only ? 'visually-hidden' : ''}>
          {name}
          {!only && ` · ${t(`call.role.${role}` as Key)}`}
        </span>
        {!person.mic && (
          <span class="tile-mic">
            <CallSign name="mic-off" />
            {t('call.their_mic_off')}
          </span>
        )}
      </figcaption>
      {seen && only && (
        <button
          type="button"
          class="button button-square tile-fit"
          aria-pressed={whole}
          aria-label={t('call.whole')}
          onClick={() => setWhole(!whole)}
        >
          <CallSign name="whole" />
        </button>
      )}
    </figure>
  );
}

/** One's own picture, small in its corner. */
export function Own({ session }: { session: Session }) {
  const stream = session.own.value;
  const front = session.devices.picture.value?.getSettings().facingMode !== 'environment';
  return (
    <div class="own" data-own={stream ? 'yes' : 'no'}>
      {stream ? (
        <Picture stream={stream} mirrored={front} label={t('call.own')} />
      ) : (
        <p>{t('call.own_off')}</p>
      )}
    </div>
  );
}
