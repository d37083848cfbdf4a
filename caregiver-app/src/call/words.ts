// What a call is in words. Pure.
import type { Quality } from './quality';
import type { Stage } from './session';
import type { Call } from './wire';
import { Problem } from '../api/http';
import { t, tn } from '../shared/i18n';
import { serverNow } from '../shared/time';

/**
 * What a resident is called in a sentence, where only the name of the home is
 * known: "Märta" of "Märta Lindqvist", "Karin" of "Hemma hos Karin".
 */
export function shortName(home: string): string {
  const name = home.trim().replace(/^hemma hos\s+(?=\S)/i, '');
  const words = name.split(/\s+/);
  return words.length === 2 ? words[0]! : name;
}

/** Whom a call is with: the home says what its resident is called once it has answered. */
export const personIn = ({ people, home_name }: Call): string =>
  people?.find(({ id }) => id === 'home')?.name || shortName(home_name);

/** After so long without a word of the screen it is said that it does not answer, in milliseconds. */
const seekingLong = 8_000;

/** What is waited for before anybody is seen: a heading, and more of it. */
export function waitingFor(
  call: Call,
  at: number,
  name: string,
  automatic: boolean,
): { text: string; more: string } {
  if (call.state === 'answered') return { text: t('call.joining', { name }), more: '' };
  if (!call.rung) {
    const long = at - Date.parse(call.started) > seekingLong;
    return { text: t(long ? 'call.seeking_long' : 'call.seeking', { name }), more: '' };
  }
  return {
    text: t('call.ringing', { name }),
    more: t(automatic ? 'call.ringing_auto' : 'call.ringing_text', { name }),
  };
}

/** How a call ended, for who called. */
export function endOf(call: Call, stage: Stage, name: string): { text: string; more: string } {
  if (stage === 'elsewhere') return { text: t('call.elsewhere'), more: t('call.elsewhere_text') };
  if (stage === 'refused')
    return { text: t('call.refused'), more: t('call.refused_text', { name }) };
  if (call.state !== 'ended') return { text: t('call.left'), more: '' };
  switch (call.why) {
    case 'missed':
      return {
        text: t('call.missed', { name }),
        more: t(call.visit ? 'call.missed_visit' : 'call.missed_text'),
      };
    case 'declined':
      return { text: t('call.declined', { name }), more: '' };
    case 'later':
      return { text: t('call.later', { name }), more: t('call.later_text') };
    case 'unreachable':
      return { text: t('call.unreachable'), more: t('call.unreachable_text') };
    case 'cancelled':
      return { text: t('call.cancelled'), more: t('call.cancelled_text') };
    case 'withdrawn':
      return { text: t('call.withdrawn', { name }), more: t('call.withdrawn_text') };
    case 'off':
      return { text: t('call.off'), more: t('call.off_text') };
    default:
      return { text: t('call.over'), more: '' };
  }
}

/** How long was talked, in minutes; 0 is less than one. */
export function minutesOf(call: Call): number {
  if (!call.answered) return 0;
  const to = call.ended ? Date.parse(call.ended) : serverNow();
  return Math.max(0, Math.floor((to - Date.parse(call.answered)) / 60_000));
}

export function lasted(call: Call): string {
  const n = minutesOf(call);
  return n === 0 ? t('after.short') : tn('call.minutes', n);
}

/** The connection in words; the picture that is paused is told with what still works. */
export const qualityWords = (quality: Quality): string => t(`call.quality.${quality}`);

/** Why a call did not come about, as far as a person can use it. */
export function problemWords(error: unknown): string {
  if (!(error instanceof Problem)) return t('error.network');
  const text = error.status === 403 ? t('call.refused') : error.detail || t('error.title');
  return error.id ? `${text} · ${t('error.id', { id: error.id })}` : text;
}
