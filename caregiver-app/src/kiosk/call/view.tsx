import { useLayoutEffect, useRef } from 'preact/hooks';
import { Drawing } from '../drawings';
import { HelpButton } from '../help';
import { clock } from '../local';
import type { Props } from '../model';
import type { Call, Missed as Unanswered } from '../status';
import { t, tMaybe } from '../texts';
import type { Person, Shown, Talk as Talking } from './model';
import { ct, type CallKey } from './texts';

type Own = Props & { shown: Shown };

const nameOf = ({ by }: { by: string }) => by || t('kiosk.someone');

/** A call on the whole screen; help stays within reach, and an alarm stays in sight. */
export function KioskCall(props: Own) {
  const { phase } = props.shown;
  const { view, help } = props.model;
  const { saying } = view;
  const alarm = view.alarm && saying;
  return (
    <>
      {alarm && (
        <p class="call-alarm" role="status" data-tone={saying.tone}>
          <strong>{saying.headline}.</strong>{' '}
          {(saying.tone === 'trouble' || phase.is === 'talk') && saying.detail}
        </p>
      )}
      {phase.is === 'ring' ? (
        <Ring {...props} call={phase.call} left={phase.left} />
      ) : phase.is === 'talk' ? (
        <Talk {...props} call={phase.call} talk={props.shown.talk} />
      ) : phase.is === 'missed' ? (
        <Missed {...props} missed={phase.missed} />
      ) : (
        <Said {...props} />
      )}
      {phase.is !== 'talk' && <HelpButton help={help} again={againOf(props)} />}
    </>
  );
}

const againOf = ({ model: { view } }: Props) =>
  view.alarm && (view.saying?.tone === 'waiting' || view.saying?.tone === 'taken');

/** Somebody calls: who, and three answers. A touch beside them does nothing. */
function Ring({ shown, call, left }: Own & { call: Call; left: number | undefined }) {
  const { acts } = shown;
  const name = nameOf(call);
  const role = tMaybe(`kiosk.call.role.${call.role}`);
  return (
    <main class="ask centred call-ring">
      <div class="call-who">
        <Portrait call={call} />
        <div>
          <h1>{ct('kiosk.call.rings', { name })}</h1>
          <p>{call.alert ? ct('kiosk.call.alert') : role}</p>
        </div>
      </div>
      {left !== undefined && (
        <p class="large call-left" role="timer">
          {left > 0
            ? ct(`kiosk.call.answers_in.${left === 1 ? 'one' : 'other'}`, { n: left })
            : ct('kiosk.call.answers_soon')}
        </p>
      )}
      <div class="choices">
        {left === undefined ? (
          <>
            <button type="button" class="yes call-most" onClick={acts.answer}>
              <Phone />
              {ct('kiosk.call.answer')}
            </button>
            <button type="button" class="plain" onClick={acts.decline}>
              {ct('kiosk.call.not_now')}
            </button>
            <button type="button" class="plain" onClick={acts.later}>
              {ct('kiosk.call.later')}
            </button>
          </>
        ) : (
          <>
            <button type="button" class="plain call-most call-no" onClick={acts.decline}>
              <Drawing name="no" />
              {ct('kiosk.call.no')}
            </button>
            <button type="button" class="yes" onClick={acts.answer}>
              <Phone />
              {ct('kiosk.call.answer')}
            </button>
          </>
        )}
      </div>
    </main>
  );
}

/** Who calls, as they look. */
function Portrait({ call: { picture } }: { call: Call }) {
  return (
    <span class="call-portrait">
      {picture ? <img src={picture} alt="" /> : <Drawing name="person" />}
    </span>
  );
}

/** The call itself: the others large, oneself small, and how it goes in words. */
function Talk({ model, shown, call, talk }: Own & { call: Call; talk: Talking | undefined }) {
  const people = talk?.people ?? [];
  const name = people.length > 0 ? listOf(people.map((p) => p.name)) : nameOf(call);
  return (
    <>
      <main class="page call-talk">
        <div class="call-far" data-n={Math.max(1, people.length)}>
          {people.length > 0 ? (
            people.map((p) => <Far key={p.id} person={p} alone={people.length === 1} />)
          ) : (
            <div class="call-person">
              <Portrait call={call} />
            </div>
          )}
          <OwnPicture talk={talk} />
        </div>
        <div class="call-words">
          <h1>{ct(talk?.state === 'on' ? 'kiosk.call.with' : 'kiosk.call.to', { name })}</h1>
          <p role="status">{wordsOf(talk, shown)}</p>
        </div>
      </main>
      <div class="call-deeds">
        <button type="button" class="plain call-hang-up" onClick={shown.acts.hangUp}>
          <Phone down />
          {ct('kiosk.call.hang_up')}
        </button>
        <HelpButton help={model.help} again={againOf({ model } as Props)} />
      </div>
    </>
  );
}

const listOf = (names: string[]) =>
  names.length < 2
    ? (names[0] ?? '')
    : ct('kiosk.call.and', { first: names.slice(0, -1).join(', '), last: names.at(-1)! });

/** What is to be known of how the call goes; the worst first. */
function wordsOf(talk: Talking | undefined, { deed }: Shown): string {
  if (deed?.state === 'trouble') return ct('kiosk.call.waiting');
  if (!talk || talk.state === 'joining') return ct('kiosk.call.answering');
  if (talk.state === 'lost') return ct('kiosk.call.lost');
  const missing: Record<Talking['missing'], CallKey | ''> = {
    ...{ '': '', camera: 'kiosk.call.no_camera' },
    ...{ microphone: 'kiosk.call.no_microphone', both: 'kiosk.call.neither' },
  };
  const key = missing[talk.missing];
  const line = talk.line === 'good' ? '' : ct(`kiosk.call.${talk.line}`);
  return [key && ct(key), line].filter(Boolean).join(' ');
}

/** One of the others: their picture and their sound, or in words that there is none. */
function Far({ person, alone }: { person: Person; alone: boolean }) {
  const { name, role, picture, sound, mic } = person;
  const said = tMaybe(`kiosk.call.role.${role}`);
  return (
    <div class="call-person">
      {picture ? (
        <Stream of={picture} kind="video" label={name} />
      ) : (
        <p class="call-none">
          <Drawing name="person" />
          <span>{ct('kiosk.call.no_picture', { name })}</span>
        </p>
      )}
      {sound && <Stream of={sound} kind="audio" label={name} />}
      {(!alone || !mic) && (
        <p class="call-name">
          {mic
            ? said
              ? ct('kiosk.call.person', { name, role: said })
              : name
            : ct('kiosk.call.sound_off', { name })}
        </p>
      )}
    </div>
  );
}

function OwnPicture({ talk }: { talk: Talking | undefined }) {
  if (!talk?.own || talk.missing === 'camera' || talk.missing === 'both') return null;
  return (
    <div class="call-own">
      <Stream of={talk.own} kind="video" label={ct('kiosk.call.own')} muted />
    </div>
  );
}

/** Plays a stream. What the browser keeps from sounding is tried again at the next touch. */
function Stream(props: {
  of: MediaStream;
  kind: 'video' | 'audio';
  label: string;
  muted?: boolean;
}) {
  const { of, kind, label, muted } = props;
  const element = useRef<HTMLVideoElement & HTMLAudioElement>(null);
  useLayoutEffect(() => {
    const own = element.current;
    if (!own) return;
    if (own.srcObject !== of) own.srcObject = of;
    const play = () => void own.play().catch(() => {}); // until somebody has touched the screen
    play();
    addEventListener('pointerup', play);
    return () => {
      removeEventListener('pointerup', play);
      own.srcObject = null;
    };
  }, [of]);
  return kind === 'audio' ? (
    <audio ref={element} autoplay />
  ) : (
    // Sound goes by elements of its own: a picture is never late for a voice.
    <video ref={element} autoplay playsInline muted={muted ?? true} aria-label={label} />
  );
}

/** Who called while nobody answered. */
function Missed({ model, shown, missed }: Own & { missed: Unanswered }) {
  const name = nameOf(missed);
  const { acts, deed } = shown;
  const saving = deed?.state === 'saving' || deed?.state === 'trouble';
  return (
    <main class="ask centred">
      <Phone />
      <div role="status">
        <h1>
          {ct('kiosk.call.missed', { name, clock: clock(missed.at / 1_000, model.status?.zone) })}
        </h1>
        {deed && deed.state !== 'saving' && deed.state !== 'stored' && (
          <p class="quiet">
            {t(deed.state === 'failed' ? 'kiosk.failed' : 'kiosk.not_saved_yet', { id: deed.id })}
          </p>
        )}
      </div>
      <div class="choices">
        <button type="button" class="yes call-most" aria-disabled={saving} onClick={acts.callBack}>
          {saving ? t('kiosk.saving') : ct('kiosk.call.call_back', { name })}
        </button>
        <button type="button" class="plain" onClick={acts.noNeed}>
          {ct('kiosk.call.no_need')}
        </button>
      </div>
    </main>
  );
}

/** How a call came to be over. */
function howOver(phase: Shown['phase']): CallKey {
  if (phase.is !== 'over') return 'kiosk.call.over_before';
  if (phase.why) return `kiosk.call.over_${phase.why}`;
  return phase.talked ? 'kiosk.call.over_detail' : 'kiosk.call.over_before';
}

/** What is said when a call is over, or a wish was taken. */
function Said({ model, shown: { phase, acts } }: Own) {
  const name = 'by' in phase ? nameOf(phase) : '';
  const online = model.status?.online !== false;
  const [headline, detail]: [CallKey, CallKey] =
    phase.is === 'later'
      ? ['kiosk.call.later_said', 'kiosk.call.later_detail']
      : phase.is === 'asked'
        ? ['kiosk.call.asked', online ? 'kiosk.call.asked_detail' : 'kiosk.call.asked_offline']
        : ['kiosk.call.over', howOver(phase)];
  return (
    <main class="ask centred">
      <div role="status">
        <h1>{ct(headline, { name })}</h1>
        <p>{ct(detail, { name })}</p>
      </div>
      <div class="choices">
        <button type="button" class="plain" onClick={acts.close}>
          {ct('kiosk.call.close')}
        </button>
      </div>
    </main>
  );
}

const Phone = ({ down }: { down?: boolean }) => (
  <svg class="drawing" viewBox="0 0 24 24" aria-hidden="true">
    <path
      d={
        down
          ? 'M3 14.500c0-3.500 4-6 9-6s9 2.500 9 6v1.300c0 .7-.6 1.200-1.300 1.100l-3.200-.5a1.200 1.200 0 0 1-1-1.200v-1.700c-2.300-.8-4.700-.8-7 0v1.700c0 .6-.4 1.100-1 1.200l-3.200.5c-.7.1-1.300-.4-1.300-1.100z'
          : 'M6.500 3.500h2.300c.6 0 1 .4 1.200 1l.8 3.200c.1.500-.1 1-.5 1.300L8.700 10.300c1.100 2.200 2.800 3.900 5 5l1.300-1.600c.3-.4.8-.6 1.300-.5l3.200.8c.6.2 1 .6 1 1.200v2.300c0 1.600-1.200 2.500-2.500 2.500C10.700 20 4 13.300 4 6c0-1.300.9-2.500 2.500-2.500z'
      }
    />
  </svg>
);
