import type { Alert, Chain, Deed, Told } from '../api/types';
import { t, tMaybe, type Key } from '../shared/i18n';
import { clock } from '../shared/time';
import { outcomeName } from '../shared/words';
import './pagetexts';

/** One line of the story of who was told of an alert. */
export interface Line {
  /** When, in milliseconds since 1970. */
  t: number;
  text: string;
  /** What came of it; "" where that says itself. */
  state: string;
  tone: 'raised' | 'waits' | 'sent' | 'good' | 'bad' | 'deed' | 'next';
}

/** All that was done about an alert, oldest first, and last what comes next. */
export function linesOf(chain: Chain, zone?: string): Line[] {
  const { alert } = chain;
  const lines: Line[] = [
    { t: Date.parse(alert.raised), text: t('chain.raised'), state: '', tone: 'raised' },
    ...chain.told.map((told) => tellingLine(told, zone)),
    ...chain.deeds.flatMap((deed) => deedLine(deed, alert)),
  ];
  const add = (at: string | null | undefined, text: string) => {
    if (at) lines.push({ t: Date.parse(at), text, state: '', tone: 'good' });
  };
  add(alert.reached, t('chain.reached'));
  add(alert.heard, t('chain.heard', { name: alert.home_name }));
  // What happened in the same instant stays in the order in which it was told.
  lines.sort((a, b) => a.t - b.t);
  const next = nextLine(chain);
  return next ? [...lines, next] : lines;
}

/** A telling in words: "Push till Anna Berg", "i tjänst · framme hos tjänsten". */
function tellingLine(told: Told, zone?: string): Line {
  const decided = Date.parse(told.decided);
  const values = { channel: channelName(told.channel), name: told.name };
  const about = told.about === 'alarm' ? 'chain.to' : `chain.to_${told.about}`;
  const text = tMaybe(about) ? t(about as Key, values) : t('chain.to', values);
  const when = clock(Date.parse(told.changed), zone);
  const state = [
    told.about === 'alarm' && groupWord(told.group),
    stateName(told) + (when === clock(decided, zone) || told.state === 'waiting' ? '' : ` ${when}`),
    told.state === 'failed' || told.state === 'waiting' ? reasonOf(told.reason ?? '') : '',
  ];
  return { t: decided, text, state: state.filter(Boolean).join(' · '), tone: toneOf(told.state) };
}

/** A channel's name: "Push", "Samtal". */
export const channelName = (channel: string): string => tMaybe(`channel.${channel}`) ?? channel;

const groupWord = (group: string) => tMaybe(`told.as.${group}`) ?? '';

/** How far a message has come: "framme hos tjänsten". What a web push service has taken is not with an operator. */
function stateName(told: Told): string {
  return tMaybe(`told.${told.channel}.${told.state}`) ?? tMaybe(`told.${told.state}`) ?? told.state;
}

function toneOf(state: string): Line['tone'] {
  switch (state) {
    case 'failed':
      return 'bad';
    case 'delivered':
      return 'good';
    case 'accepted':
      return 'sent';
  }
  return 'waits';
}

// What the service says of a failure, and what it means to who reads it.
const reasons: readonly [RegExp, Key][] = [
  [/many messages/, 'told.why.many'],
  [/no answer in time|timeout/, 'told.why.no_answer'],
  [/no provider is set up/, 'told.why.no_provider'],
  [/LYK-083|user name and password|credential/i, 'told.why.settings'],
  [/HTTP 4(04|10)|no browser|subscription/i, 'told.why.browser'],
  [/46elks|Twilio|deliver/, 'told.why.operator'],
];

/** Why a message failed or waits, in plain words; "" when nothing was said. */
export function reasonOf(reason: string): string {
  if (!reason) return '';
  return t(reasons.find(([says]) => says.test(reason))?.[1] ?? 'told.why.other');
}

function deedLine(deed: Deed, alert: Alert): Line[] {
  const key = `deed.${deed.action.replace(/\W+/g, '_')}`;
  if (!tMaybe(key)) return [];
  const values = { name: deed.actor, outcome: outcomeName(alert.outcome ?? '') };
  return [{ t: Date.parse(deed.at), text: t(key as Key, values), state: '', tone: 'deed' }];
}

/** What follows when nobody acts; undefined when nothing does. */
export function nextLine({ alert, next, next_groups }: Chain): Line | undefined {
  if (!next || alert.state === 'resolved' || next_groups.length === 0) return undefined;
  const who = listOf(next_groups.map(groupName));
  const held = alert.state !== 'open' && !alert.overdue;
  const text = t(held ? 'chain.next_held' : 'chain.next', { who });
  return { t: Date.parse(next), text, state: '', tone: 'next' };
}

/** Who belongs to a group, in a sentence: "alla i området". */
export const groupName = (group: string): string => tMaybe(`group.who.${group}`) ?? group;

/** Words joined as one says them: "a, b och c". */
export const listOf = (words: readonly string[]): string =>
  words.length < 2
    ? (words[0] ?? '')
    : t('list.and', { first: words.slice(0, -1).join(', '), last: words.at(-1)! });
