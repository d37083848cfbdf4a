import type { Deed } from './deeds';
import { rightTime, type Answer } from './status';
import { t } from './texts';
import {
  linkOf,
  messageOf,
  sayingOf,
  silence,
  silenceHelp,
  type Message,
  type Saying,
} from './words';

/** After so long without an answer the screen says so, in milliseconds. */
const silentAfter = 5_000;
/** Shorter interruptions of the connection are not worth a worry. */
const offlineAfter = 5_000;
/** An alarm that somebody has, or that was refused, has the screen to itself for so long. */
const takenFor = 12 * 3_600_000;
const refusedFor = 30 * 60_000;

/** What is shown at a moment. */
export interface View {
  now: number | undefined;
  saying: Saying | undefined;
  message: Message | undefined;
  link: string;
  silent: boolean;
  /** There is an alarm, and nothing else is to compete with it. */
  alarm: boolean;
}

/** What happened when, by the page's own time in milliseconds. */
export interface Seen {
  began: number;
  answer: Answer | undefined;
  /** Since when the newest press has been closed, and the connection gone. */
  closed: number | undefined;
  offline: number | undefined;
}

/** Takes an answer in. */
export function seeing(seen: Seen, answer: Answer): Seen {
  const { status, came } = answer;
  return {
    began: seen.began,
    answer,
    closed: status.sos.state === 'resolved' ? (seen.closed ?? came) : undefined,
    offline: status.online ? undefined : (seen.offline ?? came),
  };
}

/** Works out what is shown at a moment; `help` is a press on the screen that the gateway may not have yet. */
export function viewOf(
  { began, answer, closed, offline }: Seen,
  moment: number,
  help?: Deed,
): View {
  const silent = moment - (answer?.came ?? began) > silentAfter;
  const now = answer && rightTime(answer, moment);
  const told = answer && sayingOf(answer.status, now, moment - (closed ?? moment));
  const cut = offline !== undefined && moment - offline > offlineAfter;
  const own = help && pressing(help, answer);
  const link = silent ? silenceHelp() : answer && told && cut ? linkOf(answer.status, told) : '';
  return {
    now,
    saying: own ?? (silent ? silence(told) : told),
    message: messageOf(answer?.status.notice, now, answer?.status.zone),
    link,
    silent,
    alarm: own !== undefined || silent || isAlarm(told, answer, now),
  };
}

function isAlarm(told: Saying | undefined, answer: Answer | undefined, now: number | undefined) {
  if (!told?.key || told.tone === 'calm' || !answer) return false;
  const { state, at, told: word } = answer.status.sos;
  const since = word ?? at;
  const age = since && now !== undefined ? now - since / 1_000 : 0;
  return age < (state === 'refused' ? refusedFor : told.tone === 'taken' ? takenFor : Infinity);
}

/** A press on this screen, until the gateway's own answer says how it goes. */
function pressing({ state, id, since }: Deed, answer: Answer | undefined): Saying | undefined {
  if (state === 'stored' && answer && (answer.asked ?? answer.came) > since) return undefined;
  if (state === 'saving' || state === 'stored') {
    const [headline, detail] = [t('kiosk.help_moment'), t('kiosk.help_moment_detail')];
    return { key: '', tone: 'waiting', headline, detail, aloud: '' };
  }
  const headline = t('kiosk.not_saved');
  const detail = t(state === 'failed' ? 'kiosk.refused_detail' : 'kiosk.not_saved_detail');
  const key = `press.${state}.${since}`;
  const withId = `${detail} ${t('kiosk.help_trouble_id', { id })}`;
  return { key, tone: 'trouble', headline, detail: withId, aloud: `${headline}. ${detail}` };
}
