import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { keepAwake } from '../call/awake';
import type { Devices } from '../call/devices';
import { SocketLine, type Shut } from '../call/line';
import { camera, hasChecked, rememberCamera } from '../call/memory';
import { Session, type Stage } from '../call/session';
import type { Call } from '../call/wire';
import { endOf, waitingFor } from '../call/words';
import { CallSign } from '../call/signs';
import { api, json, part, post, Problem, request } from '../api/http';
import { Meeting, Telling } from '../call/meeting';
import { pagesSpeak, t } from '../shared/i18n';
import { now, serverNow } from '../shared/time';
import { askForCall, liveCall } from './callable';
import { Check } from './callcheck';
import './pagetexts';
import { homePath } from './route';
import { calls, homeOf, inWords, me } from './state';

/** The page, when its texts are here in the language of the screen. */
export const callPage = () => pagesSpeak().then(() => CallOf);

/** A call with a resident, for a relative: before it, in it, and after it. */
export function CallOf({ home }: { home: string }) {
  const here = homeOf(home);
  const session = useSignal<Session | undefined>(undefined);
  const checks = useSignal<'ring' | 'join' | 'try' | undefined>(undefined);
  const working = useSignal(false);
  const failure = useSignal('');
  const key = useRef('');
  useEffect(() => {
    askForCall(home).catch(() => {}); // ringing says what is wrong
    return () => end(session.value);
  }, [home]);
  // What the live link tells of the call is known before the call's own line says it.
  const told = calls.value[home];
  useEffect(() => {
    if (told && told.id === session.value?.call.value?.id) session.value.learn(told);
  }, [told]);
  if (!here) return null;
  const { name } = here;
  const back = homePath(home);

  const join = (call: Call, devices?: Devices) => {
    end(session.value);
    const path = `${api}/calls/${part(call.id)}`;
    const line = new SocketLine({
      url: `${location.origin.replace(/^http/, 'ws')}${path}/socket`,
      look: (): Promise<Shut | undefined> =>
        json<Call>(path).then(
          ({ state }) => (state === 'ended' ? 'over' : undefined),
          (error: unknown) =>
            error instanceof Problem && error.status < 500 ? 'refused' : undefined,
        ),
    });
    const own = new Session({ line, ...(devices ? { devices } : {}) });
    own.learn(call);
    own.start({ mic: true, camera: camera() });
    session.value = own;
  };
  const ring = async (devices?: Devices) => {
    if (working.value) return;
    working.value = true;
    failure.value = '';
    key.current ||= crypto.randomUUID();
    try {
      const body = { visit: '', alert: '', automatic: false };
      const own = { 'Idempotency-Key': key.current };
      join(await json<Call>(`${api}/homes/${part(home)}/calls`, post(body, own)), devices);
      key.current = '';
    } catch (error) {
      devices?.close();
      if (error instanceof Problem) key.current = '';
      const tooOften = error instanceof Problem && error.status === 429;
      failure.value = tooOften && error.detail ? error.detail : inWords(error);
      askForCall(home).catch(() => {}); // somebody else is in one, it may be
    } finally {
      working.value = false;
    }
  };

  const own = session.value;
  if (own) {
    return (
      <Inside
        session={own}
        name={name}
        back={back}
        again={() => {
          const call = own.call.value;
          if (call && call.state !== 'ended') join(call);
          else session.value = undefined;
        }}
      />
    );
  }
  const live = liveCall(home);
  /** What was wanted before the check; a call that is over by now is not rung anew. */
  const begin = (wanted: 'ring' | 'join', devices?: Devices) => {
    const under = liveCall(home);
    if (under) join(under, devices);
    else if (wanted === 'ring') void ring(devices);
    else devices?.close();
  };
  const allowed = here.allowed.includes('video') && me.value?.features?.includes('video');
  if (!allowed) {
    return (
      <Telling heading={t('family.call.off', { name })}>
        <p>{t('family.decides', { name })}</p>
        <a class="button button-main" href={back}>
          {t('call.to_home', { name })}
        </a>
      </Telling>
    );
  }
  const check = checks.value;
  if (check) {
    const checked = (devices: Devices) => {
      checks.value = undefined;
      if (check === 'try') devices.close();
      else begin(check, devices);
    };
    return (
      <Check
        name={name}
        next={check === 'try' ? '' : check}
        done={checked}
        leave={() => (checks.value = undefined)}
      />
    );
  }
  return (
    <Telling
      heading={t(`family.call.${live?.state === 'ringing' ? 'ringing' : live ? 'now' : 'title'}`, {
        name,
      })}
    >
      <p>
        {live ? t('family.call.now_by', { by: live.by.name }) : t('family.call.text', { name })}
      </p>
      {failure.value && <p role="alert">{failure.value}</p>}
      <button
        type="button"
        class="button button-main"
        disabled={working.value}
        onClick={() => {
          const wanted = live ? 'join' : 'ring';
          if (hasChecked()) begin(wanted);
          else checks.value = wanted;
        }}
      >
        <CallSign name="video" />
        {working.value ? t('call.starting') : t(live ? 'call.join' : 'call.ring')}
      </button>
      <a class="button" href={back}>
        {t('call.to_home', { name })}
      </a>
      <button type="button" class="button button-plain" onClick={() => (checks.value = 'try')}>
        {t('history.try')}
      </button>
    </Telling>
  );
}

/** Leaves; a ring of one's own that nobody has answered stops. */
function end(session: Session | undefined): void {
  const call = session?.call.value;
  const mine = call && call.by.id.replace(/^person:/, '') === me.value?.person;
  if (call?.state === 'ringing' && mine) {
    request(`${api}/calls/${part(call.id)}/hang-up`, post({})).catch(() => {}); // it stops by itself
  }
  session?.leave();
}

/** How it ended, for a relative: what is among the alerts of the staff is not theirs to see. */
function tellEnd(call: Call, stage: Stage, name: string): { text: string; more: string } {
  const end = endOf(call, stage, name);
  const later = stage === 'over' && call.why === 'later';
  return later ? { ...end, more: t('family.call.later', { name }) } : end;
}

function Inside(props: { session: Session; name: string; back: string; again: () => void }) {
  const { session, name, back, again } = props;
  useEffect(keepAwake, []);
  const call = session.call.value;
  const stage = session.stage.value;
  if (stage === 'over' || stage === 'refused' || stage === 'elsewhere') {
    const { text, more } = call
      ? tellEnd(call, stage, name)
      : { text: t('call.refused'), more: '' };
    const goesOn = call && call.state !== 'ended' && stage !== 'refused';
    return (
      <Telling heading={text}>
        {more && stage !== 'refused' && <p role="status">{more}</p>}
        {stage !== 'refused' && (
          <button type="button" class="button" onClick={again}>
            <CallSign name="video" />
            {t(stage === 'elsewhere' ? 'call.here' : goesOn ? 'call.back_in' : 'call.again')}
          </button>
        )}
        <a class="button button-main" href={back}>
          {t('call.to_home', { name })}
        </a>
      </Telling>
    );
  }
  void now.value; // drawn anew when time has passed
  const waits = !call
    ? t('call.starting')
    : call.state === 'answered' && stage === 'on'
      ? t('call.alone')
      : waitingFor(call, serverNow(), name, false).text;
  return (
    <Meeting
      session={session}
      heading={t('call.title', { name })}
      waits={waits}
      remember={rememberCamera}
      leave={() => end(session)}
    />
  );
}
