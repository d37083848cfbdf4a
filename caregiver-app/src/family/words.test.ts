import './pagetexts';
import './texts';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Alert } from '../api/types';
import { language } from '../shared/i18n';
import type { FamilyHome } from './api';
import './english';
import { lightWords } from './lightwords';
import { fitted } from './picture';
import { parse } from './route';
import { alertSays, dayName, fieldName, listOf, needsSomebody, stepsOf } from './words';

const zone = 'Europe/Stockholm';
const at = Date.parse('2026-11-21T13:12:00Z');
const home = (fields: Partial<FamilyHome>): FamilyHome => ({
  home: 'h1',
  name: 'Karin',
  zone,
  allowed: [],
  refused: [],
  light: 'lit',
  checked_in: null,
  check_in_by: null,
  calm: true,
  alerts: [],
  visits: [],
  activity: null,
  health: [],
  ...fields,
});
const alert = (fields: Partial<Alert>): Alert =>
  ({
    id: 'a1',
    home: 'h1',
    kind: 'sos',
    severity: 'emergency',
    state: 'open',
    stage: 'open',
    observed: '2026-11-21T13:08:00Z',
    ...fields,
  }) as Alert;

beforeEach(() => (language.value = 'sv'));

describe('the light of the lantern', () => {
  const said = (fields: Partial<FamilyHome>) => Object.values(lightWords(home(fields), at));

  it('says what the resident has said, and when', () => {
    const checked_in = '2026-11-21T07:12:00Z';
    expect(said({ checked_in })).toEqual(['Karin har sagt att allt är bra', 'I dag kl 08:12']);
    expect(said({ checked_in: '2026-11-20T07:12:00Z' })[1]).toBe('I går kl 08:12');
    expect(said({})[0]).toBe('Allt är lugnt hos Karin');
  });

  it('says that it waits, and that it waited in vain', () => {
    const check_in_by = '2026-11-21T14:00:00Z';
    expect(said({ light: 'waiting', check_in_by })[1]).toContain('15:00');
    expect(said({ light: 'out', check_in_by: '2026-11-21T09:00:00Z' })).toEqual([
      'Karin har inte sagt till i dag',
      'Skulle ha sagt ”Jag mår bra” senast kl 10:00. Ring gärna och hör efter.',
    ]);
  });

  it('says of an old answer how old it is, before all else', () => {
    const lit = home({ checked_in: '2026-11-21T07:12:00Z' });
    expect(lightWords(lit, at, Date.parse('2026-11-21T11:00:00Z'))).toEqual({
      title: 'Så var det kl 12:00',
      text: 'Karin har sagt att allt är bra. I dag kl 08:12',
    });
    const night = Date.parse('2026-11-20T21:00:00Z');
    expect(lightWords(home({}), at, night).title).toBe('Så var det i går kl 22:00');
  });

  it('never calls what is not known or not shared calm', () => {
    expect(said({ light: 'hidden' })[0]).toBe('Karin delar inte om dagen är bra');
    for (const light of ['unknown', 'a later word']) {
      expect(said({ light })[0]).toBe('Ingen kontakt med hemmet hos Karin');
    }
  });
});

describe('the way of an alert', () => {
  const steps = (a: Alert) => stepsOf(a, 'Maria', zone).map((s) => [s.text, s.at !== undefined]);

  it('says that nobody has it', () => {
    expect(steps(alert({}))).toEqual([
      ['Larmet kom', true],
      ['Ingen har tagit det än', false],
      ['Ingen är på väg än', false],
    ]);
    expect(needsSomebody(alert({}))).toBe(true);
  });

  it('says who has it, and when they are there', () => {
    const held = {
      state: 'acknowledged',
      stage: 'on_the_way',
      held_by: 'Björn',
      held_at: '2026-11-21T13:09:00Z',
      left_at: '2026-11-21T13:10:00Z',
      expected: '2026-11-21T13:25:00Z',
    };
    expect(steps(alert(held)).slice(1)).toEqual([
      ['Björn har det', true],
      ['Björn är på väg', true],
      ['Väntas vara framme kl 14:25', false],
    ]);
    expect(steps(alert({ ...held, held_by: 'Maria' }))[1]).toEqual(['Du har det', true]);
    expect(needsSomebody(alert(held))).toBe(false);
    expect(needsSomebody(alert({ ...held, overdue: true }))).toBe(true);
  });

  it('says how it ended', () => {
    const over = { state: 'resolved', outcome: 'helped', resolved_at: '2026-11-21T13:40:00Z' };
    expect(steps(alert(over)).at(-1)).toEqual(['Avslutat: Hjälp given', true]);
  });

  it('has words for what a later service knows', () => {
    expect(alertSays({ kind: 'stove_left_on' }, 'Karin')).toBe('Stove left on hos Karin');
    expect(fieldName('garden')).toBe('Garden');
  });
});

describe('words', () => {
  it('are joined as one says them', () => {
    expect(listOf([])).toBe('');
    expect(listOf(['a', 'b', 'c'])).toBe('a, b och c');
    language.value = 'en';
    expect(listOf(['a', 'b'])).toBe('a and b');
  });

  it('name the day', () => {
    const name = (day: string) => dayName(Date.parse(day), at, zone);
    expect(name('2026-11-21T22:59:00Z')).toBe('I dag');
    expect(name('2026-11-21T23:00:00Z')).toBe('I morgon');
    expect(name('2026-11-23T08:00:00Z')).toBe('Måndag 23 november');
  });
});

describe('an address', () => {
  it('leads to a page of a home', () => {
    expect(parse('/family')).toEqual({ screen: 'start' });
    expect(parse('/family/homes/h%201/visits/')).toEqual({ screen: 'visits', id: 'h 1' });
    expect(parse('/family/alert/a1')).toEqual({ screen: 'alert', id: 'a1' });
    expect(parse('/family/invitation', '#lyk_i_1')).toEqual({
      screen: 'invitation',
      code: 'lyk_i_1',
    });
    expect(parse('/family/elsewhere')).toEqual({ screen: 'missing' });
  });
});

describe('a picture', () => {
  it('fits, and is never made larger', () => {
    expect(fitted(4000, 3000)).toEqual([1024, 768]);
    expect(fitted(600, 2048)).toEqual([300, 1024]);
    expect(fitted(20, 10)).toEqual([20, 10]);
    expect(fitted(10_000, 1)).toEqual([1024, 1]);
  });
});
