import type { FunctionComponent } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import '../../call/call.css';
import { Controls } from '../../call/controls';
import { Why, wrong } from '../../call/equipment';
import { rememberCamera } from '../../call/memory';
import { CallSign } from '../../call/signs';
import { Own, Tile } from '../../call/stage';
import '../../call/texts';
import type { Call } from '../../call/wire';
import { endOf, lasted, minutesOf, personIn, qualityWords, waitingFor } from '../../call/words';
import { pagesSpeak, t, tn } from '../../shared/i18n';
import { Icon, Lantern } from '../../shared/icons';
import { go } from '../../shared/router';
import { now, serverNow } from '../../shared/time';
import { After } from './after';
import { AutoAnswer } from './auto';
import './call.css';
import { Check } from './check';
import {
  again,
  begin,
  checkOrBegin,
  enter,
  hangUp,
  leave,
  place,
  type Current,
  type Place,
} from './current';
import { isMine, ring, toMake, wanted } from './live';

const homeOf = (home: string) => `/homes/${encodeURIComponent(home)}`;

/** A call by video: before it, in it, and after it. */
export function CallScreen({ id }: { id: string }) {
  useEffect(() => {
    const wish = wanted.value;
    wanted.value = undefined;
    void enter(id, wish);
  }, [id]);
  // What is over is not shown again when one comes back.
  useEffect(
    () => () => {
      const at = place.value;
      if (at.is !== 'in' && at.is !== 'starting') leave();
      else if (at.is === 'in' && isOver(at.current)) leave();
    },
    [],
  );
  return <CallPlace place={place.value} />;
}

const isOver = ({ session }: Current) =>
  ['over', 'refused', 'elsewhere'].includes(session.stage.value);

/** What the page of calls shows, wherever it stands. */
export function CallPlace({ place: at }: { place: Place }) {
  switch (at.is) {
    case 'in':
      return isOver(at.current) ? <Ended current={at.current} /> : <Visit current={at.current} />;
    case 'starting':
      return (
        <Message heading={at.name ? t('call.title', { name: at.name }) : t('call.starting')} busy>
          {at.name && <p role="status">{t('call.starting')}</p>}
        </Message>
      );
    case 'check':
      return (
        <Check
          name={at.wanted.name}
          done={() => void begin(at.wanted)}
          leave={() => {
            leave();
            go(homeOf(at.wanted.home), true);
          }}
        />
      );
    case 'auto':
      return (
        <AutoAnswer
          name={at.wanted.name}
          call={() => void checkOrBegin(at.wanted)}
          usual={() => void checkOrBegin({ ...at.wanted, automatic: false })}
          leave={() => {
            leave();
            go(homeOf(at.wanted.home), true);
          }}
        />
      );
    case 'try':
      return <Check name="" done={() => history.back()} />;
    case 'past':
      return <Past call={at.call} />;
    case 'lost':
      return (
        <Message heading={t('call.failed')}>
          <p role="alert">{at.text}</p>
          <button type="button" class="button button-main" onClick={() => void again(at.id)}>
            {t('call.retry')}
          </button>
        </Message>
      );
    case 'failed': {
      const { wanted: wish, other, text } = at;
      const { name } = wish;
      return (
        <Message heading={other ? t('call.busy', { name }) : t('call.failed')}>
          <p role="alert">{other ? t('call.join_text', { by: other.by.name, name }) : text}</p>
          {other ? (
            <a class="button button-main" href={`/call/${encodeURIComponent(other.id)}`}>
              <CallSign name="video" />
              {t('call.join')}
            </a>
          ) : (
            <button type="button" class="button button-main" onClick={() => void begin(wish)}>
              {t('call.retry')}
            </button>
          )}
          <a class="button" href={homeOf(wish.home)}>
            {t('call.to_home', { name })}
          </a>
        </Message>
      );
    }
    case 'none':
      return (
        <Message heading={t('call.none')}>
          <p>{t('call.none_text')}</p>
          <a class="button button-main" href="/homes">
            {t('nav.homes')}
          </a>
        </Message>
      );
  }
}

interface MessageProps {
  heading: string;
  busy?: boolean;
  children: preact.ComponentChildren;
}

function Message({ heading, busy, children }: MessageProps) {
  return (
    <section class="call-message" data-state={busy ? 'starting' : 'message'}>
      <Lantern large />
      <h1 tabIndex={-1}>{heading}</h1>
      {children}
    </section>
  );
}

type Inviting = FunctionComponent<{ call: string; close: () => void }>;

// Most calls are without it: it is fetched when somebody is to be asked in.
const inviting = async (): Promise<Inviting | undefined> => {
  const part = await import('./invite').catch(() => undefined);
  await pagesSpeak();
  return part?.InviteToCall;
};

/** The call itself: the far picture large, one's own small, what one does under the thumb. */
function Visit({ current }: { current: Current }) {
  const { session, automatic } = current;
  const [Inviting, setInviting] = useState<Inviting>();
  const call = session.call.value!;
  const people = session.people.value;
  const at = serverNow();
  void now.value; // drawn anew when time has passed
  const answered = call.state === 'answered';
  const name = answered ? personIn(call) : current.name;
  const quality = session.quality.value;
  const stage = session.stage.value;
  const shown = answered ? people : [];
  const waits = waitingFor(call, at, name, automatic);
  const minutes = minutesOf(call);
  const state = answered && stage === 'on' ? (shown.length > 0 ? 'on' : 'alone') : stage;
  // Said once when it changes: what one who does not see it would miss.
  const bad = answered && stage !== 'joining' && quality !== 'good';
  const said = !answered
    ? waits.text
    : bad
      ? qualityWords(quality)
      : shown.length === 0
        ? stage === 'on'
          ? t('call.alone')
          : waits.text
        : '';
  return (
    <section
      class="call"
      data-state={answered ? state : 'ringing'}
      data-stage={stage}
      data-link={session.link.value}
      data-quality={quality}
      data-call={call.id}
    >
      <header class="call-top">
        <a class="button button-plain call-shrink" href={homeOf(call.home)}>
          <Icon name="left" />
          {t('call.shrink')}
        </a>
        <div class="call-who">
          <h1 tabIndex={-1}>{t('call.title', { name })}</h1>
          {answered && minutes > 0 && <p>{tn('call.minutes', minutes)}</p>}
        </div>
        {answered && stage !== 'joining' && (
          <p class={bad ? 'call-quality call-quality-bad' : 'call-quality'}>
            {qualityWords(quality)}
          </p>
        )}
      </header>
      <div class="call-stage" data-people={shown.length}>
        {shown.length > 0 ? (
          <div class="tiles" role="group" aria-label={t('call.others')}>
            {shown.map((person) => (
              <Tile key={person.id} person={person} session={session} only={shown.length === 1} />
            ))}
          </div>
        ) : (
          <div class="call-waits">
            <Lantern large />
            <p class="call-waits-for">
              {answered && stage === 'on' ? t('call.alone') : waits.text}
            </p>
            {waits.more && <p class="quiet">{waits.more}</p>}
          </div>
        )}
        <Own session={session} />
        {/* Kept for what is said, in writing. */}
        <p class="call-captions" aria-label={t('call.captions')} hidden />
      </div>
      <div class="call-notes">
        <p class="visually-hidden" role="status" data-said>
          {said}
        </p>
        {answered && !session.reachable.value && quality !== 'lost' && (
          <p class="call-why">{t('call.unreachable_service')}</p>
        )}
        {wrong(session.devices.mic.value) && <Why what="mic" is={session.devices.mic.value} />}
        {session.wishes.value.camera && wrong(session.devices.camera.value) && (
          <Why what="camera" is={session.devices.camera.value} />
        )}
      </div>
      <Controls
        session={session}
        ends={isMine(call)}
        remember={rememberCamera}
        invite={
          shown.length < 3
            ? () => void inviting().then((part) => setInviting(() => part))
            : undefined
        }
        hangUp={() => void hangUp(current)}
      />
      {Inviting && <Inviting call={call.id} close={() => setInviting(undefined)} />}
    </section>
  );
}

/** How the call ended, and what is done then. */
function Ended({ current }: { current: Current }) {
  const { session, id } = current;
  const call = session.call.value!;
  const name = call.answered ? personIn(call) : current.name;
  const stage = session.stage.value;
  const { text, more } = endOf(call, stage, name);
  const talked = call.state === 'ended' && call.answered !== null && isMine(call);
  useEffect(() => document.querySelector<HTMLElement>('h1')?.focus({ preventScroll: true }), []);
  const done = () => {
    leave();
    go(homeOf(call.home), true);
  };
  if (talked && stage === 'over') {
    return (
      <section class="call-after" data-state="after">
        <h1 tabIndex={-1}>{t('call.over')}</h1>
        <After call={call} done={done} />
      </section>
    );
  }
  const retry = call.state === 'ended' && isMine(call);
  return (
    <section class="call-message" data-state="ended" data-why={call.why}>
      <Lantern large />
      <h1 tabIndex={-1}>{text}</h1>
      {more && <p>{more}</p>}
      {call.state !== 'ended' && stage !== 'refused' && (
        <button type="button" class="button button-main" onClick={() => void again(id)}>
          <CallSign name="video" />
          {t(stage === 'elsewhere' ? 'call.here' : 'call.back_in')}
        </button>
      )}
      {retry && (
        <button
          type="button"
          class="button"
          onClick={() => {
            leave();
            ring(call.home, name, { visit: call.visit, alert: call.alert });
            void enter(toMake, takeWanted());
          }}
        >
          <CallSign name="video" />
          {t('call.again')}
        </button>
      )}
      <button
        type="button"
        class={retry || call.state !== 'ended' ? 'button' : 'button button-main'}
        onClick={done}
      >
        {t('call.to_home', { name })}
      </button>
    </section>
  );
}

function takeWanted() {
  const wish = wanted.value;
  wanted.value = undefined;
  return wish;
}

/** A call that was over already: how it went, or the place to write that. */
function Past({ call }: { call: Call }) {
  const name = personIn(call);
  const { text, more } = endOf(call, 'over', name);
  const back = () => go(homeOf(call.home), true);
  if (call.answered && !call.outcome && isMine(call)) {
    return (
      <section class="call-after" data-state="after">
        <h1 tabIndex={-1}>{t('call.title', { name })}</h1>
        <After call={call} done={back} />
      </section>
    );
  }
  return (
    <section class="call-message" data-state="ended" data-why={call.why}>
      <Lantern large />
      <h1 tabIndex={-1}>{text}</h1>
      {call.answered && <p>{t('after.lasted', { time: lasted(call) })}</p>}
      {more && <p>{more}</p>}
      {call.note && <p>{call.note}</p>}
      <button type="button" class="button button-main" onClick={back}>
        {t('call.to_home', { name })}
      </button>
    </section>
  );
}
