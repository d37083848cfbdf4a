import { useSignal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { api, json, post, Problem } from '../api/http';
import { Devices } from '../call/devices';
import { SocketLine, type Shut } from '../call/line';
import { Session } from '../call/session';
import { keepAwake } from '../call/awake';
import { Meeting, Telling } from '../call/meeting';
import { Preview } from '../call/preview';
import { CallSign } from '../call/signs';
import { t } from '../shared/i18n';
import { LanguageSwitch } from '../shared/languageswitch';
import './guest.css';
import { gt } from './texts';

/** What a link is to. */
interface Invited {
  name: string;
  role: string;
  home_name: string;
  /** Who invites, by their first name. */
  by: string;
  /** Where their home care is; empty when it has no areas. */
  area: string;
  call: { state: string };
}

type Step =
  | { at: 'looking' | 'none' | 'gone' | 'failed' }
  | { at: 'asked'; to: Invited }
  | { at: 'in'; to: Invited; session: Session };

const look = (code: string) => json<Invited>(`${api}/guest/look`, post({ code }));
const isGone = (error: unknown) =>
  error instanceof Problem && error.status < 500 && error.status !== 429;

/** Whoever was sent a link to a call: who is called, how one looks, and in. Nobody signs in. */
export function Guest({ code }: { code: string }) {
  const step = useSignal<Step>({ at: code ? 'looking' : 'none' });
  const open = async () => {
    step.value = { at: 'looking' };
    try {
      step.value = { at: 'asked', to: await look(code) };
    } catch (error) {
      step.value = { at: isGone(error) ? 'gone' : 'failed' };
    }
  };
  useEffect(() => {
    if (code) void open();
  }, []);

  const enter = (to: Invited, devices: Devices, camera: boolean) => {
    const url = `${location.origin.replace(/^http/, 'ws')}${api}/guest/socket`;
    const gone = async (): Promise<Shut | undefined> =>
      look(code).then(
        () => undefined,
        (error: unknown) => (isGone(error) ? 'refused' : undefined),
      );
    const line = new SocketLine({ url, hello: { type: 'hello', code }, look: gone });
    const session = new Session({ line, devices });
    session.start({ mic: true, camera });
    step.value = { at: 'in', to, session };
  };

  const is = step.value;
  switch (is.at) {
    case 'looking':
      return <Telling heading={gt('guest.looking')}>{null}</Telling>;
    case 'none':
      return (
        <Telling heading={gt('guest.no_link')}>
          <p>{gt('guest.no_link_text')}</p>
          <LanguageSwitch />
        </Telling>
      );
    case 'gone':
      return <Gone />;
    case 'failed':
      return (
        <Telling heading={gt('guest.failed')}>
          <p role="alert">{gt('guest.failed_text')}</p>
          <button type="button" class="button button-main" onClick={() => void open()}>
            {gt('guest.retry')}
          </button>
        </Telling>
      );
    case 'asked':
      return <DeviceCheck to={is.to} join={(devices, camera) => enter(is.to, devices, camera)} />;
    case 'in':
      return <Inside to={is.to} session={is.session} again={() => void open()} />;
  }
}

const Gone = () => (
  <Telling heading={gt('guest.gone')}>
    <p role="status">{gt('guest.gone_text')}</p>
    <LanguageSwitch />
  </Telling>
);

const roles = ['interpreter', 'relative'] as const;

/** Who invites to what, and how one looks and sounds. */
export function DeviceCheck(props: {
  to: Invited;
  join: (devices: Devices, camera: boolean) => void;
}) {
  const { to, join } = props;
  const [devices] = useState(() => new Devices());
  const joined = useRef(false);
  useEffect(() => {
    void devices.ask({ mic: true, camera: true });
    return () => {
      if (!joined.current) devices.close();
    };
  }, []);
  const picture = devices.picture.value;
  const go = (camera: boolean) => {
    joined.current = true;
    if (!camera) devices.dropCamera();
    join(devices, camera);
  };
  const as = roles.find((role) => role === to.role) ?? 'guest';
  return (
    <section class="guest-check">
      <h1 tabIndex={-1}>{gt('guest.hello', { name: to.name })}</h1>
      <p>
        {to.area
          ? gt('guest.invited', { by: to.by, area: to.area, home: to.home_name })
          : gt('guest.invited_plain', { by: to.by, home: to.home_name })}{' '}
        {gt(`guest.as.${as}`)}
      </p>
      <Preview devices={devices} />
      <button type="button" class="button button-main" onClick={() => go(picture !== undefined)}>
        <CallSign name={picture ? 'video' : 'video-off'} />
        {gt('guest.join')}
      </button>
      {picture && (
        <button type="button" class="button" onClick={() => go(false)}>
          {gt('guest.join_blind')}
        </button>
      )}
      <p class="quiet">{gt('guest.not_recorded')}</p>
      <LanguageSwitch />
    </section>
  );
}

function Inside({ to, session, again }: { to: Invited; session: Session; again: () => void }) {
  useEffect(keepAwake, []);
  useEffect(() => {
    // Who closes the page has left; the others are not to wait for them.
    const leave = () => session.leave();
    addEventListener('pagehide', leave);
    return () => removeEventListener('pagehide', leave);
  }, []);
  const call = session.call.value;
  const left = useSignal(false);
  const repeat = (
    <button type="button" class="button button-main" onClick={again}>
      <CallSign name="video" />
      {gt('guest.again')}
    </button>
  );
  switch (session.stage.value) {
    case 'refused':
      return <Gone />;
    case 'elsewhere':
      return (
        <Telling heading={t('call.elsewhere')}>
          <p role="status">{t('call.elsewhere_text')}</p>
          {repeat}
        </Telling>
      );
    case 'over':
      return left.value && call?.state !== 'ended' ? (
        <Telling heading={gt('guest.left')}>
          <p role="status">{gt('guest.left_text')}</p>
          {repeat}
        </Telling>
      ) : (
        <Telling heading={gt('guest.over')}>
          <p role="status">{gt('guest.over_text')}</p>
        </Telling>
      );
  }
  const home = to.home_name;
  const waits =
    session.stage.value === 'joining' && !call
      ? gt('guest.joining')
      : call?.state === 'ringing'
        ? gt('guest.waiting', { home })
        : session.stage.value === 'joining'
          ? gt('guest.joining')
          : gt('guest.alone');
  return (
    <Meeting
      session={session}
      heading={t('call.title', { name: home })}
      waits={waits}
      leave={() => {
        left.value = true;
        session.leave();
      }}
    />
  );
}
