import { effect } from '@preact/signals';
import { keepAwake } from '../../call/awake';
import type { Got } from '../../call/devices';
import { Session } from '../../call/session';
import type { FromService } from '../../call/wire';
import { GatewayLine } from './line';
import type { Talk } from './model';

/** The meeting itself: picture and sound. */
export interface Live {
  call: string;
  hear: (message: FromService) => void;
  network: (online: boolean) => void;
  talk: () => Talk;
  /** The service has said that the call is over. */
  over: () => boolean;
  close: () => void;
}

/** Nothing of a call for so long is not waited out: all begins anew, and at last the page does. */
const stuckAfter = 20_000; // milliseconds
const anewAtMost = 2;

const lacks = (got: Got) =>
  got === 'denied' || got === 'none' || got === 'busy' || got === 'unable';

/** Joins a call; `reload` loads the page again when nothing else has helped. */
export function begin(call: string, changed: () => void, reload: () => void): Live {
  let parts = enter(call, changed);
  let bad: number | undefined = performance.now();
  let anew = 0;

  const watch = setInterval(() => {
    const now = performance.now();
    if (parts.session.stage.value === 'on') {
      bad = undefined;
      anew = 0;
      return;
    }
    // Without the service there is nothing to begin anew with.
    if (!parts.session.reachable.value && anew > 0) return;
    bad ??= now;
    if (now - bad < stuckAfter) return;
    bad = now;
    if (++anew > anewAtMost) return reload();
    parts.end();
    parts = enter(call, changed);
  }, 1_000);
  const awake = keepAwake();

  return {
    call,
    hear: (message) => parts.line.take(message),
    network: (online) => parts.line.network(online),
    over: () => parts.session.call.value?.state === 'ended',
    talk: () => talkOf(parts.session),
    close() {
      clearInterval(watch);
      awake();
      parts.end();
    },
  };
}

function enter(call: string, changed: () => void) {
  const line = new GatewayLine(call);
  const session = new Session({ line });
  session.start({ mic: true, camera: true });
  const stop = effect(() => {
    talkOf(session);
    void session.call.value;
    changed();
  });
  return {
    line,
    session,
    end() {
      stop();
      line.close(); // the gateway has said, or is about to say, what there is to say
      session.leave();
    },
  };
}

function talkOf({ stage, people, own, devices, quality, deaf }: Session): Talk {
  const [camera, microphone] = [lacks(devices.camera.value), lacks(devices.mic.value)];
  const is = quality.value;
  return {
    state:
      stage.value === 'on' && !deaf.value ? 'on' : stage.value === 'joining' ? 'joining' : 'lost',
    people: people.value.map(({ id, name, role, mic, picture, sound }) => ({
      ...{ id, name, role, mic, picture, sound },
    })),
    own: own.value,
    missing: camera && microphone ? 'both' : camera ? 'camera' : microphone ? 'microphone' : '',
    line: is === 'still' ? 'poor' : is === 'lost' ? 'good' : is, // lost is said by its state
  };
}
