import { beforeEach, describe, expect, it } from 'vitest';
import type { Alert, Chain, TestAlarm, Told } from '../api/types';
import { language } from '../shared/i18n';
import { linesOf, listOf, reasonOf } from './chainwords';
import { stepsOf, whyFailed } from './testwords';

beforeEach(() => (language.value = 'sv'));

const zone = 'Europe/Stockholm';
const alert = {
  id: 'a1',
  home: 'karin',
  home_name: 'Karin',
  kind: 'sos',
  state: 'open',
  stage: 'open',
  raised: '2026-11-21T01:14:00Z',
} as Alert;
const told = (fields: Partial<Told>): Told => ({
  about: 'alarm',
  round: 0,
  step: 0,
  person: 'anna',
  name: 'Anna Berg',
  group: 'on_duty',
  channel: 'push',
  state: 'accepted',
  tries: 1,
  decided: '2026-11-21T01:14:00Z',
  changed: '2026-11-21T01:14:01Z',
  ...fields,
});
const chain: Chain = {
  alert,
  told: [
    told({
      name: 'Björn Ek',
      channel: 'sms',
      state: 'delivered',
      decided: '2026-11-21T01:15:00Z',
      changed: '2026-11-21T01:16:20Z',
      group: 'all_staff',
    }),
    told({}),
  ],
  deeds: [
    { at: '2026-11-21T01:16:30Z', actor: 'Björn Ek', role: 'caregiver', action: 'acknowledge' },
  ],
  next: '2026-11-21T01:17:00Z',
  next_groups: ['last_resort', 'contacts'],
};

const spoken = (c: Chain) =>
  linesOf(c, zone).map((l) => [l.text, l.state].filter(Boolean).join(': '));

describe('the chain', () => {
  it('is told in the order in which it happened, with what comes next', () => {
    expect(spoken(chain)).toEqual([
      'Larmet kom in',
      'Push till Anna Berg: i tjänst · framme hos tjänsten',
      'SMS till Björn Ek: all personal i området · levererat 02:16',
      'Björn Ek tog larmet',
      'Om ingen tar det larmas sista utvägen och närstående',
    ]);
  });

  it('says what follows when it is not closed, and nothing when it is', () => {
    const held = { ...chain, alert: { ...alert, state: 'acknowledged' } };
    expect(spoken(held).at(-1)).toMatch(/^Om det inte är avslutat då larmas sista utvägen/);
    const closed = { ...chain, alert: { ...alert, state: 'resolved' } };
    expect(spoken(closed).at(-1)).toBe('Björn Ek tog larmet');
  });

  it('says why a message failed, in plain words', () => {
    const failed = told({ state: 'failed', channel: 'sms', reason: 'Twilio 30003' });
    expect(spoken({ ...chain, told: [failed] })[1]).toBe(
      'SMS till Anna Berg: i tjänst · misslyckat · operatören kunde inte lämna fram det',
    );
    expect(reasonOf('many messages within an hour')).toBe('många meddelanden på kort tid');
    expect(reasonOf('HTTP 410')).toBe('ingen webbläsare tar emot larm');
    expect(reasonOf('something new')).toBe('det gick inte att skicka');
  });

  it('shows channels, states and groups that it does not know', () => {
    const odd = told({ channel: 'pigeon', state: 'lost', group: 'council' });
    expect(spoken({ ...chain, told: [odd] })[1]).toBe('pigeon till Anna Berg: lost');
  });
});

it('joins words as one says them', () => {
  expect(listOf(['a'])).toBe('a');
  expect(listOf(['a', 'b', 'c'])).toBe('a, b och c');
});

describe('the steps of a test', () => {
  const at = Date.parse('2026-11-21T01:14:00Z');
  const awaited: TestAlarm = {
    id: 't',
    by: 'Anna Berg',
    from: '2026-11-21T01:14:00Z',
    to: '2026-11-21T01:24:00Z',
    state: 'awaited',
    passed: null,
    ended: null,
  } as unknown as TestAlarm;
  const pressed: TestAlarm = { ...awaited, state: 'pressed', alert: 'a1' };
  const tester = { ...chain, alert: { ...alert, test: true }, told: [told({ group: 'tester' })] };
  const now = (t: TestAlarm, c?: Chain) => stepsOf(t, c, at).find((s) => s.state === 'now')?.text;

  it('go on one by one', () => {
    expect(now(awaited)).toBe('Tryck på larmknappen – väntar i 10 min till');
    expect(now(pressed, { ...tester, told: [] })).toBe('Du får meddelandet');
    expect(now(pressed, tester)).toBe('Du tar larmet');
    const taken = { ...tester, alert: { ...tester.alert, state: 'acknowledged' } };
    expect(now(pressed, taken)).toBe('Hemmet får veta det');
    const passed = stepsOf({ ...pressed, state: 'passed' }, taken, at);
    expect(passed.every((s) => s.state === 'done')).toBe(true);
  });

  it('stop where the test failed, and say why', () => {
    const failed: TestAlarm = { ...pressed, state: 'failed', failed: 'not_taken' };
    const others = { ...tester, alert: { ...alert, state: 'acknowledged', test: false } };
    expect(stepsOf(failed, others, at).map((s) => s.state)).toEqual([
      'done',
      'done',
      'failed',
      'waits',
      'waits',
    ]);
    expect(whyFailed(failed)).toMatch(/^du tog det inte i tid/);
    expect(stepsOf({ ...awaited, state: 'failed', failed: 'no_press' }, undefined, at)[0]).toEqual({
      text: 'Tryck på larmknappen',
      state: 'failed',
    });
  });
});
