import { useEffect, useRef } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import { Lantern } from '../shared/icons';
import { t } from '../shared/i18n';
import './call.css';
import { Controls } from './controls';
import { Why } from './equipment';
import './meeting.css';
import type { Person, Session } from './session';
import { Own, Tile } from './stage';
import './texts';

interface MeetingProps {
  session: Session;
  heading: string;
  /** What is said while nobody is seen. */
  waits: string;
  leave: () => void;
  /** Keeps for the next call whether the camera is on. */
  remember?: (camera: boolean) => void;
}

/** A call for who is neither at home nor on duty: a relative, or one who came by a link. */
export function Meeting({ session, heading, waits, leave, remember }: MeetingProps) {
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
        <Why what="mic" is={session.devices.mic.value} />
        {session.wishes.value.camera && <Why what="camera" is={session.devices.camera.value} />}
      </div>
      {people.map((person) => (
        <Sound key={person.id} person={person} />
      ))}
      <Controls session={session} {...(remember ? { remember } : {})} hangUp={leave} />
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
