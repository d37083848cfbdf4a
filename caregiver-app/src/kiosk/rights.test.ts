import { beforeAll, afterEach, describe, expect, it } from 'vitest';
import en from '../../i18n/kiosk/en.json';
import './call/texts';
import {
  comingDay,
  did,
  fieldName,
  fixedBecause,
  grantQuestion,
  grantState,
  lookLines,
} from './rights';
import type { Grant, Look } from './status';
import { addTexts, setLanguage } from './texts';

const zone = 'Europe/Stockholm';
const at = (text: string) => Date.parse(`${text}:00+01:00`);
const now = at('2026-11-21T14:10'); // a Saturday
const look = (when: string, what: string, more: Partial<Look> = {}): Look => ({
  ...{ at: at(when) * 1_000, who: 'Anna', role: 'caregiver', what },
  ...more,
});
const lines = (...looks: Look[]) => lookLines(looks, now, zone).map((l) => l.text);

beforeAll(() => addTexts('en', en));
afterEach(() => void setLanguage('sv'));

describe('who looked', () => {
  it.each([
    [
      look('2026-11-20T14:05', 'activity'),
      'Anna, hemtjänsten, tittade på din dag i går klockan 14:05.',
    ],
    [
      look('2026-11-21T08:00', 'look at readings'),
      'Anna, hemtjänsten, tittade på din dag i dag klockan 08:00.',
    ],
    [
      look('2026-11-17T09:30', 'notes'),
      'Anna, hemtjänsten, läste anteckningarna om dig i tisdags klockan 09:30.',
    ],
    [
      look('2026-11-03T09:30', 'health', { who: 'Eva', role: 'coordinator' }),
      'Eva, hemtjänstens samordnare, tittade på din hälsa och dina mediciner den 3 november klockan 09:30.',
    ],
    [
      look('2026-11-21T08:00', 'acknowledge', { who: 'Maria', role: 'relative' }),
      'Maria, närstående, tog hand om ditt larm i dag klockan 08:00.',
    ],
    [
      look('2026-11-21T08:00', 'check_in', { who: 'lykta', role: 'gateway' }),
      'Lykta tittade på om du mår bra i dag klockan 08:00.',
    ],
    [
      look('2026-11-21T08:00', 'add to contacts', { who: 'command line', role: 'operator' }),
      'Den som sköter systemet ändrade vem som får veta om dina larm i dag klockan 08:00.',
    ],
    [
      look('2026-11-21T08:00', 'home', { who: '', role: '' }),
      'Någon tittade på ditt hem i dag klockan 08:00.',
    ],
  ])('%o', (l, text) => expect(lines(l)).toEqual([text]));

  it.each([
    ['look check_in', 'tittade på om du mår bra'],
    ['look contacts', 'tittade på din adress och dina närstående'],
    ['look log', 'tittade på vem som har tittat'],
    ['look at home', 'tittade på ditt hem'],
    ['follow home', 'tittade på ditt hem'],
    ['read_health', 'tittade på din hälsa och dina mediciner'],
    ['write note', 'skrev en anteckning om dig'],
    ['write card', 'ändrade det som står om dig'],
    ['write message', 'skickade ett meddelande till dig'],
    ['take back message', 'tog tillbaka ett meddelande till dig'],
    ['remove reminder', 'ändrade i dina påminnelser'],
    ['visit planned', 'ändrade i dina besök'],
    ['visit requested', 'frågade om att få besöka dig'],
    ['allow check_in', 'skrev ner vad du har bestämt'],
    ['take over', 'tog hand om ditt larm'],
    ['on the way', 'svarade på ditt larm att hjälpen var på väg'],
    ['add to told', 'ändrade vem som får veta om dina larm'],
    ['announce test', 'provade ditt larm'],
    ['end silence', 'pausade en påminnelse till personalen om dig'],
    ['call', 'ringde med bild'],
    ['join call', 'var med i ett samtal med bild'],
    ['auto answer', 'fick svar av skärmen efter ditt larm'],
    ['invite to call', 'bjöd in någon till ett samtal med bild'],
    ['note call', 'skrev hur ett samtal med bild hade gått'],
  ])('has words for %s', (what, words) => expect(did(what)).toBe(words));

  it('stays readable for a deed that the screen does not know', () => {
    expect(lines(look('2026-11-21T08:00', 'recalibrate-thing'))).toEqual([
      'Anna, hemtjänsten, gjorde något som rör dig (recalibrate thing) i dag klockan 08:00.',
    ]);
    expect(did('toString')).toContain('något som rör dig');
  });

  it('is one line for many looks of one kind on one day', () => {
    expect(
      lines(
        look('2026-11-21T12:00', 'activity'),
        look('2026-11-21T10:00', 'look at readings'),
        look('2026-11-21T09:00', 'activity', { who: 'Bo' }),
        look('2026-11-20T09:00', 'activity'),
      ),
    ).toEqual([
      'Anna, hemtjänsten, tittade på din dag 2 gånger i dag, senast klockan 12:00.',
      'Bo, hemtjänsten, tittade på din dag i dag klockan 09:00.',
      'Anna, hemtjänsten, tittade på din dag i går klockan 09:00.',
    ]);
  });

  it('speaks English', () => {
    setLanguage('en');
    expect(lines(look('2026-11-17T09:30', 'activity'))).toEqual([
      'Anna, home care, looked at your day on Tuesday at 09:30.',
    ]);
  });
});

describe('who may know what', () => {
  const grant = (fields: Partial<Grant>): Grant => ({
    ...{ party: 'person:maria', name: 'Maria', field: 'check_in', allowed: true },
    ...fields,
  });

  it.each([
    [grant({}), 'Får veta', 'Nu får Maria veta det.', 'Nej, Maria ska inte få veta'],
    [
      grant({ allowed: false }),
      'Får inte veta',
      'Nu får Maria inte veta det.',
      'Ja, Maria får veta',
    ],
    [
      grant({ party: 'staff', name: '' }),
      'Får veta',
      'Nu får hemtjänsten veta det.',
      'Nej, hemtjänsten ska inte få veta',
    ],
    [
      grant({ party: 'relatives', name: '', allowed: false }),
      'Får inte veta',
      'Nu får alla närstående inte veta det.',
      'Ja, alla närstående får veta',
    ],
    [
      grant({ field: 'alerts' }),
      'Får veta när du larmar',
      'Nu får Maria veta när du larmar.',
      'Nej, Maria ska inte få veta',
    ],
    [
      grant({ field: 'alerts', allowed: false }),
      'Får inte veta när du larmar',
      'Nu får Maria inte veta när du larmar.',
      'Ja, Maria får veta',
    ],
    [
      grant({ field: 'messages' }),
      'Får skicka',
      'Nu får Maria skicka till dig.',
      'Nej, Maria ska inte få skicka',
    ],
    [
      grant({ field: 'messages', allowed: false }),
      'Får inte skicka',
      'Nu får Maria inte skicka till dig.',
      'Ja, Maria får skicka',
    ],
  ])('%o', (g, state, is, change) => {
    expect([grantState(g), grantQuestion(g)]).toEqual([state, { now: is, change }]);
  });

  it('says why something is not for the resident to change', () => {
    expect(fixedBecause(grant({}))).toBe('');
    expect(fixedBecause(grant({ party: 'staff', fixed: true }))).toBe(
      'Hör till hemtjänstens uppdrag',
    );
    expect(fixedBecause(grant({ fixed: true, allowed: false }))).toBe(
      'Visas aldrig för närstående',
    );
    expect(fixedBecause(grant({ fixed: true }))).toBe('Kan inte ändras här');
  });

  it('names every field, and makes another one readable', () => {
    expect(fieldName('check_in')).toBe('Om jag har sagt att jag mår bra');
    expect(fieldName('door_locks')).toBe('Door locks');
  });
});

it('a day that comes', () => {
  expect(['2026-11-21', '2026-11-22', '2026-11-24'].map((d) => comingDay(d, '2026-11-21'))).toEqual(
    ['i dag', 'i morgon', 'på tisdag'],
  );
});
