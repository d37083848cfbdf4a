// Calls on the resident's screen, fetched while the page is idle: answering needs no loading.
import { done, type Aside } from '../asks';
import type { Deeds } from '../deeds';
import { clock, local } from '../local';
import { deedOf } from '../model';
import { isDaytime } from '../night';
import type { Call, Missed, Status } from '../status';
import { t } from '../texts';
import type { Say } from '../voice';
import type { FromService } from '../../call/wire';
import { Breaks } from './breaks';
import { Course, type Phase, type Word } from './course';
import { Guarded } from './guard';
import { listen } from './line';
import { begin, type Live } from './live';
import type { CallActs, Shown } from './model';
import { makeRinger } from './ring';
import { ct } from './texts';

export interface Doing {
  deeds: Deeds;
  aside: Aside;
  say: Say;
  /** Whether nothing is being said. */
  quiet: () => boolean;
  /** Something changed. */
  changed: () => void;
}

/** What is known when the screen is drawn. */
export interface Now {
  status: Status | undefined;
  /** When that status was asked for, by the page's own time in milliseconds. */
  asked: number;
  /** The right time, milliseconds since 1970. */
  now: number | undefined;
  /** The page's own time in milliseconds. */
  moment: number;
  voice: boolean;
}

export interface Calls {
  at: (now: Now) => Shown | undefined;
}

const reloaded = 'lykta.kiosk.reloaded';
const seldom = 120_000; // milliseconds between two reloads

/** Begins all anew: not again and again, and not while nobody would answer. */
function reload(): void {
  const last = Number(sessionStorage.getItem(reloaded) ?? 0);
  if (Date.now() - last < seldom) return;
  void fetch('/status', { signal: AbortSignal.timeout(3_000) }).then(
    ({ ok }) => {
      if (!ok) return;
      sessionStorage.setItem(reloaded, String(Date.now()));
      location.reload();
    },
    () => {}, // the next time
  );
}

/** Follows the calls of the home. */
export function makeCalls({ deeds, aside, say, quiet, changed }: Doing): Calls {
  const course = new Course();
  const breaks = new Breaks();
  const ringer = makeRinger({ say, quiet });
  let pushed: { call: Call | null; at: number } | undefined;
  let live: Live | undefined;
  let early: { call: string; messages: FromService[] } | undefined;
  let phase: Phase | undefined;
  let shownAt: Now | undefined;
  let asking: Missed | undefined;
  let elsewhere = false;

  listen({
    call(call) {
      elsewhere = false;
      pushed = { call, at: performance.now() };
      changed();
    },
    over(call, why) {
      course.told(call, why, performance.now());
      changed();
    },
    network: (online) => live?.network(online),
    replaced() {
      elsewhere = true;
      changed();
    },
    signal(message) {
      if (live) live.hear(message);
      // A welcome may be here before the word that the call is answered.
      else early?.messages.push(message);
    },
  });

  const tell = (call: Call, word: Word) => {
    course.say(call, word, performance.now());
    const how = word === 'answer' ? { how: 'touch' } : {};
    deeds.do(deedOf.call(call.call, word), '/call', { call: call.call, word, ...how });
    changed();
  };
  /** What a press means, when it is meant. */
  const pressed = (act: () => void) => () => {
    if (course.meant(performance.now())) act();
  };
  const calling = () => (phase?.is === 'ring' || phase?.is === 'talk' ? phase.call : undefined);
  const press = (word: Word) =>
    pressed(() => {
      const call = calling();
      if (call) tell(call, word);
    });
  const acts: CallActs = {
    answer: press('answer'),
    decline: press('decline'),
    later: press('later'),
    hangUp: press('hang_up'),
    callBack() {
      if (phase?.is !== 'missed') return;
      asking = phase.missed;
      const { call } = asking;
      deeds.do(deedOf.callBack(call), '/press', { kind: 'call_back', value: 1, text: call });
    },
    noNeed() {
      if (phase?.is === 'missed') leave(phase.missed.call);
    },
    close() {
      course.enough();
      changed();
    },
    broken(error) {
      breaks.note(phase, error, performance.now());
      changed();
    },
  };
  const leave = (call: string) => {
    aside.put(`missed ${call}`, done(shownAt?.now ?? 0));
    changed();
  };

  /** Begins and ends the meeting itself, as the phase wants it. */
  const follow = (next: Phase | undefined) => {
    const call = next?.is === 'talk' ? next.call.call : undefined;
    if (live && live.call !== call) {
      live.close();
      live = undefined;
    }
    if (call && !live) {
      const first = early?.call === call ? early.messages : [];
      early = undefined;
      live = begin(call, changed, reload);
      for (const message of first) live.hear(message);
    }
    if (next?.is === 'ring') {
      if (early?.call !== next.call.call) early = { call: next.call.call, messages: [] };
    } else early = undefined;
  };

  /** What there is to show, and all that goes with it. */
  const at = (now: Now): Shown | undefined => {
    shownAt = now;
    const { status, moment } = now;
    const known = pushed && pushed.at > now.asked ? pushed.call : status?.call;
    const call = elsewhere ? undefined : known;
    const missed = status?.missed?.find(
      (m) => !aside.has(`missed ${m.call}`, now.now ?? 0) && m.call !== call?.call,
    );
    const back = asking && deeds.of(deedOf.callBack(asking.call));
    if (asking && back?.state === 'stored') {
      course.asked(asking.by, moment);
      aside.put(`missed ${asking.call}`, done(now.now ?? 0));
      asking = undefined;
    }
    const answer = call && deeds.of(deedOf.call(call.call, 'answer'));
    if (call && answer?.state === 'failed') course.refused(call, moment);
    if (call && live?.call === call.call && live.over()) tell(call, 'hang_up');
    phase = course.at({ call, missed: elsewhere ? undefined : missed, now: now.now, moment });
    const fate = breaks.of(phase, moment);
    // Whoever is far away is not left before a picture of nobody.
    if (fate === 'give up' && phase?.is === 'talk') {
      tell(phase.call, 'hang_up');
      course.enough();
      phase = undefined;
    }
    follow(phase);
    ringer.sound(
      phase?.is !== 'ring' || fate !== 'show'
        ? undefined
        : {
            key: `${phase.call.call} ${phase.left === undefined}`,
            words: now.voice ? saidOf(phase.call, phase.left) : '',
            chime: phase.left !== undefined,
          },
    );
    if (!phase || fate !== 'show') return undefined;
    const deed = phase.is === 'missed' ? back : (answer ?? undefined);
    return {
      phase,
      first: phase.is !== 'missed',
      ...(live ? { talk: live.talk() } : {}),
      ...(deed ? { deed } : {}),
      ...aloudOf(phase, now),
      acts,
      View: Guarded,
    };
  };

  return {
    at(now) {
      try {
        return at(now);
      } catch (error) {
        breaks.note(phase, error, now.moment);
        return undefined; // the rest of the screen does not wait for calls
      }
    },
  };
}

const saidOf = (call: Call, left: number | undefined): string => {
  const name = call.by || t('kiosk.someone');
  if (left === undefined) return ct('kiosk.call.said_rings', { name });
  return `${ct('kiosk.call.rings', { name })}. ${ct('kiosk.call.answers_soon')}`;
};

/** What is said once of what waits: not at night. */
function aloudOf(phase: Phase, { now, status }: Now): Pick<Shown, 'aloud'> {
  if (phase.is !== 'missed' || now === undefined) return {};
  if (!isDaytime(local(now, status?.zone).minutes)) return {};
  const { by, at, call } = phase.missed;
  const values = { name: by || t('kiosk.someone'), clock: clock(at / 1_000, status?.zone) };
  return { aloud: { key: `missed ${call}`, aloud: ct('kiosk.call.missed', values) } };
}
