import { beforeEach, describe, expect, it } from 'vitest';
import type { Alert } from '../api/types';
import { language } from '../shared/i18n';

// What the state of the app takes from the browser.
Object.assign(globalThis, {
  localStorage: { getItem: () => null, setItem: () => {}, removeItem: () => {} },
});
const { standing, trouble, wordBack } = await import('./alertwords');
const { byUrgency, later, needsSomebody } = await import('./state');

beforeEach(() => (language.value = 'sv'));

const zone = 'Europe/Stockholm';
const at = Date.parse('2026-11-21T13:12:00Z'); // 14:12 in the home
const sos: Alert = {
  id: 'a1',
  home: 'marta',
  home_name: 'Märta Lindqvist',
  kind: 'sos',
  severity: 'emergency',
  state: 'open',
  stage: 'open',
  device: 'knapp',
  room: '',
  observed: '2026-11-21T13:08:00Z',
  raised: '2026-11-21T13:08:01Z',
};
const taken: Alert = {
  ...sos,
  state: 'acknowledged',
  stage: 'acknowledged',
  acknowledged_by: 'Anna Berg',
  held_by: 'Björn Falk',
  held_at: '2026-11-21T13:10:00Z',
};
const way: Alert = { ...taken, stage: 'on_the_way', left_at: '2026-11-21T13:11:00Z' };
const says = (a: Alert, me = 'Anna Berg') => standing(a, me, at, zone);

describe('who has an alert', () => {
  it('is who has it now, not who took it first', () => {
    expect(says(sos)).toBe('Ingen har tagit larmet');
    expect(says(taken)).toBe('Björn Falk har tagit det kl 14:10');
    expect(says(taken, 'Björn Falk')).toBe('Du har tagit det kl 14:10');
  });

  it('says when they are expected, and when they should have been there', () => {
    expect(says(way)).toBe('Björn Falk är på väg sedan kl 14:11');
    const expected = { ...way, expected: '2026-11-21T13:22:00Z' };
    expect(says(expected)).toBe('Björn Falk är på väg och väntas om 10 min, kl 14:22');
    expect(says(expected, 'Björn Falk')).toBe('Du är på väg och väntas om 10 min, kl 14:22');
    const late = { ...way, expected: '2026-11-21T13:05:00Z' };
    expect(says(late)).toBe('Björn Falk är på väg och skulle ha varit framme kl 14:05');
  });

  it('shows a state of a later server as taken', () => {
    expect(says({ ...taken, stage: 'arrived' })).toBe('Björn Falk har tagit det kl 14:10');
  });
});

describe('the way back to the home', () => {
  const back = (a: Alert, me = '') => wordBack(a, me, at, zone);

  it('is known, and then shown; of alerts that nobody waits by nothing is said', () => {
    expect(back(sos)).toBe('');
    expect(back(taken)).toBe('Hemmet har inte fått veta det än');
    const reached = { ...taken, reached: '2026-11-21T13:11:00Z' };
    expect(back(reached)).toBe('Hemmet vet sedan kl 14:11 att Björn Falk har larmet');
    expect(back(reached, 'Björn Falk')).toBe('Hemmet vet sedan kl 14:11 att du har larmet');
    expect(back({ ...reached, heard: '2026-11-21T13:12:00Z' })).toBe(
      'Visat för Märta Lindqvist kl 14:12',
    );
    expect(back({ ...taken, kind: 'water_leak' })).toBe('');
  });
});

describe('what needs a human', () => {
  const overdue = { ...taken, overdue: true };
  const test = { ...sos, id: 't', test: true };

  it('is what nobody has, and what was not closed in time; never a test', () => {
    expect([sos, overdue, taken, test].map(needsSomebody)).toEqual([true, true, false, false]);
    expect(trouble(overdue)).toBe('Tagit men inte avslutat: andra larmas igen');
    expect(trouble({ ...sos, unheard: true })).toMatch(/^Ingen har svarat eller kunnat larmas/);
  });

  it('comes first, and a test last', () => {
    const attention = { ...sos, id: 'w', severity: 'attention' };
    const sorted = [test, taken, attention, overdue].sort(byUrgency);
    expect(sorted).toEqual([overdue, taken, attention, test]);
  });

  it('keeps the later hand when an old answer comes late', () => {
    const older = { ...taken, held_by: 'Anna Berg', held_at: '2026-11-21T13:09:00Z' };
    expect(later(way, older)).toBe(way);
    expect(later(older, way)).toBe(way);
    expect(later(way, sos)).toBe(way);
  });
});
