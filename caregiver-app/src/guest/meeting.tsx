import { useEffect, useRef } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import type { Got } from '../call/devices';
import type { Person, Session } from '../call/session';
import '../caregiver/call/call.css';
import { CallSign } from '../caregiver/call/signs';
import { Own, Tile } from '../caregiver/call/stage';
import '../caregiver/call/texts';
import { Lantern } from '../shared/icons';
import { t } from '../shared/i18n';
import './meeting.css';

interface MeetingProps {
  session: Session;
  heading: string;
  /** What is said while nobody is seen. */
  waits: string;
  leave: () => void;
}

/** A call for who is neither at home nor on duty: a relative, or one who came by a link. */
export function Meeting({ session, heading, waits, leave }: MeetingProps) {
  const call = session.call.value;
  const answered = call?.state === 'answered';
  const people = answered ? session.people.value : [];
  const stage = session.stage.value;
  const quality = session.quality.value;
  const on = answered && stage !== 'joining';
  const bad = on && quality !== 'good';
  return (
    <section
      class="call meeting"
      data-state={answered ? stage : 'ringing'}
      data-quality={quality}
      data-people={people.length}
    >
      <header class="call-top meeting-top">
        <div class="call-who">
          <h1 tabIndex={-1}>{heading}</h1>
        </div>
        <p class={bad ? 'call-quality call-quality-bad' : 'call-quality'} role="status">
          {on && t(`call.quality.${quality}`)}
        </p>
      </header>
      <div class="call-stage" data-people={people.length}>
        {people.length > 0 ? (
          <div class="tiles" role="group" aria-label={t('call.others')}>
            {people.map((person) => (
              <Tile key={person.id} person={person} session={session} only={people.length === 1} />
            ))}
          </div>
        ) : (
          <div class="call-waits">
            <Lantern large />
            <p class="call-waits-for" role="status">
              {waits}
            </p>
          </div>
        )}
        <Own session={session} />
      </div>
      <div class="call-notes">
        <Lacking what="mic" is={session.devices.mic.value} />
        {session.wishes.value.camera && <Lacking what="camera" is={session.devices.camera.value} />}
      </div>
      {people.map((person) => (
        <Sound key={person.id} person={person} />
      ))}
      <Deeds session={session} leave={leave} />
    </section>
  );
}

/** What is heard of somebody. What the browser keeps silent is tried again at the next touch. */
function Sound({ person: { sound } }: { person: Person }) {
  const audio = useRef<HTMLAudioElement>(null);
  useEffect(() => {
    const at = audio.current!;
    at.srcObject = sound ?? null;
    const play = () => void at.play().catch(() => {});
    if (sound) play();
    addEventListener('pointerup', play);
    return () => removeEventListener('pointerup', play);
  }, [sound]);
  return <audio ref={audio} autoPlay />;
}

function Deeds({ session, leave }: { session: Session; leave: () => void }) {
  const { mic, camera } = session.wishes.value;
  const heard = mic && session.devices.sound.value !== undefined;
  const seen = camera && session.devices.picture.value !== undefined;
  return (
    <div class="call-controls" role="toolbar" aria-label={t('call.controls')}>
      <button
        type="button"
        class={heard ? 'call-button' : 'call-button call-button-off'}
        aria-pressed={heard}
        onClick={() => session.setMic(!heard)}
      >
        <CallSign name={heard ? 'mic' : 'mic-off'} />
        <span>{t(heard ? 'call.mic_on' : 'call.mic_off')}</span>
      </button>
      <button
        type="button"
        class={seen ? 'call-button' : 'call-button call-button-off'}
        aria-pressed={seen}
        onClick={() => session.setCamera(!seen)}
      >
        <CallSign name={seen ? 'video' : 'video-off'} />
        <span>{t(seen ? 'call.camera_on' : 'call.camera_off')}</span>
      </button>
      {session.devices.cameras.value > 1 && (
        <button
          type="button"
          class="call-button"
          disabled={!seen}
          onClick={() => void session.devices.switchCamera()}
        >
          <CallSign name="turn" />
          <span>{t('call.switch')}</span>
        </button>
      )}
      <button type="button" class="call-button call-button-end" onClick={leave}>
        <CallSign name="down" />
        <span>{t('call.leave')}</span>
      </button>
    </div>
  );
}

const bad = ['denied', 'none', 'busy', 'unable', 'asking'] as const;

/** Why there is no microphone or camera, and what can be done about it. */
export function Lacking({ what, is }: { what: 'mic' | 'camera'; is: Got }) {
  const why = bad.find((b) => b === is);
  if (!why) return null;
  const thing = t(why === 'none' ? `call.device.${what}_plain` : `call.device.${what}`);
  return (
    <p class={why === 'asking' ? 'call-why' : 'call-why call-why-bad'}>
      {t(`call.device.${why}`, { what: thing })}
    </p>
  );
}

/** A page of a call with a heading and what can be done. */
export function Telling({ heading, children }: { heading: string; children: ComponentChildren }) {
  return (
    <section class="call-message">
      <Lantern large />
      <h1 tabIndex={-1}>{heading}</h1>
      {children}
    </section>
  );
}
