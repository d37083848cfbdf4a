import type { Address, Member, Person } from '../../api/types';
import { t, tMaybe } from '../../shared/i18n';
import { alertName } from '../../shared/words';
import { channelName } from '../chainwords';
import '../pagetexts';

/** The ways to reach somebody. */
export const channels: readonly string[] = ['push', 'sms', 'email', 'webhook'];

/** The name of a way; one by which nobody is reached says so. */
export const wayName = (channel: string): string =>
  channels.includes(channel)
    ? channelName(channel)
    : t('channel.unused', { channel: channelName(channel) });

const telephone = /^\+[1-9]\d{6,14}$/;

/**
 * A telephone number as people write it, in the form of ITU-T E.164:
 * "070-123 45 67" is "+46701234567". Without a country it is Swedish. What is
 * no number comes back as it was.
 */
export function e164(given: string): string {
  const plain = given.replace(/\(0\)/, '').replace(/[\s\-–().]/g, '');
  let number = plain;
  if (plain.startsWith('00')) number = `+${plain.slice(2)}`;
  else if (/^0[1-9]/.test(plain)) number = `+46${plain.slice(1)}`;
  else if (/^46[1-9]\d{6,}/.test(plain)) number = `+${plain}`;
  return telephone.test(number) ? number : given.trim();
}

/** A number as one reads it aloud: "+46 70 174 06 01". */
export function readableNumber(number: string): string {
  const swedish = /^\+46(7\d)(\d{3})(\d\d)(\d\d)$/.exec(number);
  return swedish ? `+46 ${swedish.slice(1).join(' ')}` : number;
}

/** What is wrong with an address, in words; "" when nothing is. */
export function wrongAddress({ channel, to }: Address): string {
  switch (channel) {
    case 'sms':
    case 'voice':
      return telephone.test(to) ? '' : t('person.bad_number');
    case 'email':
      return /^\S+@\S+\.\S+$/.test(to) ? '' : t('person.bad_email');
    case 'webhook':
      return /^https:\/\/\S+$/.test(to) ? '' : t('person.bad_url');
  }
  return '';
}

/** An id for a new person, of the letters that ids may have: "Åsa Öberg" is "asa-oberg". */
export function idFor(name: string, taken: readonly string[]): string {
  const plain = name
    .normalize('NFD')
    .replace(/[\u0300-\u036f]/g, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 50);
  const base = plain || 'person';
  for (let n = 1; ; n++) {
    const id = n === 1 ? base : `${base}-${n}`;
    if (!taken.includes(id)) return id;
  }
}

/** The groups that people are put into; who is on duty is in the rota. */
export const groups = ['all_staff', 'last_resort', 'contacts', 'responders'] as const;

/** Whether a group is one of a home, rather than of an area. */
export const ofHome = (group: string): boolean => group === 'contacts' || group === 'responders';

/** A membership in words: "Närstående till Märta Lindqvist: Trygghetslarm, Fall". */
export function memberWords(m: Member, homeName: (id: string) => string): string {
  const where = ofHome(m.group) ? homeName(m.scope) : m.scope || t('area.whole');
  const key = `member.${m.group}`;
  const text = tMaybe(key) ? t(key as 'member.all_staff', { where }) : `${m.group} ${where}`;
  if (m.alerts.length === 0) return text;
  return `${text}: ${m.alerts.map((kind) => alertName({ kind })).join(', ')}`;
}

/** Whether the person can be told of anything now. */
export const reachable = (p: Person): boolean => !p.away && p.channels.length > 0;
