import { clock, format, local } from './local';
import type { Notice, Sos, Status } from './status';
import { capital, locale, t, tn, type Key } from './texts';

/** How the screen looks at it: calm, waiting, somebody has it, or not as it should be. */
export type Tone = 'calm' | 'waiting' | 'taken' | 'trouble';

/** One thing to show and to say. */
export interface Saying {
  /** Names what is said: each is said aloud once. Empty is never said. */
  key: string;
  tone: Tone;
  headline: string;
  detail: string;
  aloud: string;
  /** The press about which a person's word is shown. */
  word?: Sos;
}

const minute = 60_000;
const hour = 60 * minute;
const closedFor = 30 * minute;
const noticeFor = 12 * hour;
/** Beyond this a time of arrival is told by nobody who is on the way. */
const farthest = 12 * hour;

const parts = [
  [5, 'night'],
  [9, 'morning'],
  [12, 'forenoon'],
  [18, 'afternoon'],
  [24, 'evening'],
] as const;

/** The part of the day, of minutes after midnight. */
export const partOf = (minutes: number) => parts.find(([until]) => minutes < until * 60)![1];

/** "Lördag eftermiddag" */
export function dayPart(ms: number, zone?: string): string {
  const weekday = format(locale(), zone, { weekday: 'long' }).format(ms);
  const part = t(`kiosk.part.${partOf(local(ms, zone).minutes)}`);
  return capital(t('kiosk.day', { weekday, part }));
}

/** "21 november" */
export const date = (ms: number, zone?: string): string =>
  format(locale(), zone, { day: 'numeric', month: 'long' }).format(ms);

const keyOf = ({ epoch, seq, state, told }: Sos): string =>
  seq ? `${epoch}.${seq}:${state}:${told ?? 0}` : '';

/** The newest press that somebody has, and not since yesterday. */
const takenOf = ({ presses }: Status, now: number | undefined): Sos | undefined =>
  presses?.find(
    ({ state, told }) =>
      (state === 'someone_has_it' || state === 'on_the_way') &&
      (now === undefined || !told || now - told / 1_000 < farthest),
  );

/**
 * What there is to say of the newest press, and of an earlier one that
 * somebody has: who presses twice is not to lose sight of who comes. `now` is
 * the right time in milliseconds, undefined when nobody knows it; `seenClosed` is how
 * long the page itself has seen the newest press closed, for when that is so.
 */
export function sayingOf(status: Status, now: number | undefined, seenClosed: number): Saying {
  const { sos, zone } = status;
  const taken = takenOf(status, now);
  const key = keyOf(sos);
  switch (sos.state) {
    case 'none':
      return calm();
    case 'resolved': {
      if (taken) return taking(taken, now, zone);
      const closed = sos.told ?? sos.at;
      const since = now !== undefined && closed ? now - closed / 1_000 : seenClosed;
      const recent = since < closedFor;
      return recent ? { ...plain(key, 'calm', 'resolved'), word: sos } : calm();
    }
    case 'not_saved':
      return plain(`${sos.at ?? ''}:not_saved`, 'trouble', 'not_saved');
    case 'refused':
      return plain(key, 'trouble', 'refused');
    case 'sending':
    case 'received': {
      const own = plain(key, 'waiting', sos.state);
      if (!taken) return own;
      const comes = taking(taken, now, zone);
      return {
        ...own,
        key: `${key}|${comes.key}`,
        detail: `${comes.headline}.`,
        aloud: `${own.headline}. ${comes.aloud}`,
        word: taken,
      };
    }
    case 'someone_has_it':
    case 'on_the_way':
      return taking(sos, now, zone);
  }
  // A state that this page does not know: only that there is an alarm is certain.
  return { key, tone: 'waiting', headline: t('kiosk.other'), detail: '', aloud: t('kiosk.other') };
}

const taking = (sos: Sos, now: number | undefined, zone?: string): Saying => ({
  key: keyOf(sos),
  tone: 'taken',
  ...comes(sos, now, zone),
  word: sos,
});

/** Nothing to say: the rest of the screen has its turn. */
const calm = (): Saying => ({
  key: '',
  tone: 'calm',
  headline: t('kiosk.none'),
  detail: '',
  aloud: '',
});

type Plain = 'resolved' | 'not_saved' | 'sending' | 'received' | 'refused';

function plain(key: string, tone: Tone, what: Plain): Saying {
  const headline = t(`kiosk.${what}`);
  const detail = t(`kiosk.${what}_detail`);
  return { key, tone, headline, detail, aloud: `${headline}. ${detail}` };
}

/**
 * Who comes, and when: a number only while it is true. Past the time, or when
 * nobody knows what time it is, there is none.
 */
function comes(
  sos: Sos,
  now: number | undefined,
  zone?: string,
): Pick<Saying, 'headline' | 'detail' | 'aloud'> {
  const name = sos.by || t('kiosk.someone');
  const seen = t('kiosk.seen', { name });
  const left = sos.expected && now !== undefined ? sos.expected / 1_000 - now : undefined;
  const says = (what: 'comes' | 'comes_at' | 'on_the_way', values = {}) => ({
    headline: t(`kiosk.${what}`, { name, ...values }),
    detail: `${seen}.`,
    aloud: t(`kiosk.said_${what}` as Key, { name, ...values }),
  });
  if (left === undefined || left > farthest) {
    if (sos.state === 'on_the_way') return says('on_the_way');
    if (sos.expected) return says('comes');
    return { headline: seen, detail: t('kiosk.seen_detail'), aloud: `${seen}.` };
  }
  if (left <= 0) return says('on_the_way');
  if (left > hour) return says('comes_at', { clock: clock(sos.expected! / 1_000, zone) });
  const n = Math.ceil(left / minute);
  return {
    headline: tn('kiosk.comes_in', n, { name }),
    detail: `${seen}.`,
    aloud: tn('kiosk.said_comes_in', n, { name }),
  };
}

/** The id by which staff can look up that the gateway does not answer. */
const silentId = 'LYK-0425';

/** What is shown while the gateway does not answer; `last` is what it said last. */
export function silence(last: Saying | undefined): Saying {
  const word = last?.tone === 'taken' ? `${t('kiosk.silent_last', { what: last.headline })} ` : '';
  const headline = t('kiosk.silent');
  const detail = word + t('kiosk.silent_detail');
  return { key: '', tone: 'trouble', headline, detail, aloud: '' };
}

export const silenceHelp = (): string => t('kiosk.silent_help', { id: silentId });

/** The truth about the connection, or nothing while there is one. */
export function linkOf({ online, sos }: Status, saying: Saying): string {
  if (online) return '';
  if (sos.state === 'sending' || sos.state === 'not_saved') return t('kiosk.offline_sending');
  return t(saying.key ? 'kiosk.offline_word' : 'kiosk.offline');
}

export interface Message {
  key: string;
  heading: string;
  text: string;
  aloud: string;
}

/** The notice from staff, as long as it is of today's concern. */
export function messageOf(
  notice: Notice | undefined,
  now: number | undefined,
  zone?: string,
): Message | undefined {
  if (!notice) return undefined;
  const { id, text } = notice;
  const at = notice.at && notice.at / 1_000;
  if (at && now !== undefined && now - at > noticeFor) return undefined;
  const heading = at ? t('kiosk.notice_at', { clock: clock(at, zone) }) : t('kiosk.notice');
  return { key: id, heading, text, aloud: t('kiosk.said_notice', { text }) };
}
