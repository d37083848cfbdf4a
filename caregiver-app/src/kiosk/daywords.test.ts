import { describe, expect, it } from 'vitest';
import { checkInState, greeting, letterAloud, nextVisit, rowsOf } from './daywords';
import type { Deed } from './deeds';
import type { Status, Visit } from './status';

const zone = 'Europe/Stockholm';
const at = (text: string) => Date.parse(`2026-11-${text}:00+01:00`);
const now = at('21T14:10');
const visit = (from: string, to: string, more: Partial<Visit> = {}): Visit => ({
  ...{ id: from, from: at(from) * 1_000, to: at(to) * 1_000, who: 'Anna', what: 'Dusch' },
  ...more,
});
const status = (fields: Partial<Status> = {}): Status => ({
  ...{ online: true, sos: { state: 'none' }, zone },
  ...fields,
});
const with_ = (...visits: Visit[]) => status({ day: { visits } });

describe('who comes', () => {
  it.each([
    [visit('21T15:00', '21T15:30'), 'Anna kommer klockan 15:00'],
    [visit('21T15:00', '21T15:30', { who: '' }), 'Hemtjänsten kommer klockan 15:00'],
    [visit('21T15:00', '21T15:30', { video: true }), 'Anna ringer på video klockan 15:00'],
    [visit('21T14:00', '21T14:30'), 'Anna väntas nu'],
    [visit('21T13:00', '21T14:00'), 'Inga fler besök är planerade i dag'],
    [visit('22T08:00', '22T08:30'), 'Inga fler besök är planerade i dag'],
  ])('%o: %s', (v, text) => expect(nextVisit(with_(v), now).text).toBe(text));

  it('is who comes tomorrow after the last of today', () => {
    const s = with_(visit('21T08:00', '21T08:30'), visit('22T08:00', '22T08:30'));
    expect(nextVisit(s, now).more).toBe('Anna kommer i morgon klockan 08:00.');
    expect(nextVisit(with_(visit('23T08:00', '23T08:30')), now).more).toBe(
      'Anna kommer på måndag klockan 08:00.',
    );
  });

  it('is not said when nobody has told the screen, or the time is not known', () => {
    expect(nextVisit(status(), now).text).toBe('');
    expect(nextVisit(with_(visit('21T15:00', '21T15:30')), undefined).text).toBe('');
  });
});

it('greets by the clock of the home', () => {
  const s = status({ day: { name: 'Karin' } });
  expect(greeting(s, now)).toBe('God eftermiddag, Karin');
  expect(greeting({ ...s, zone: 'America/New_York' }, now)).toBe('God morgon, Karin');
  expect(greeting(status(), undefined)).toBe('Välkommen');
});

describe('"I am OK"', () => {
  const deed = (state: Deed['state'], id = ''): Deed => ({ name: 'check_in', state, id, since: 0 });
  const since = (when: string, state: 'sending' | 'received') => ({ at: at(when) * 1_000, state });

  it.each([
    [{}, undefined, 'Ett tryck räcker'],
    [{}, deed('saving'), 'Ett ögonblick …'],
    [{}, deed('trouble', 'LYK-0423'), 'Inte sparat än. Vi försöker igen. LYK-0423'],
    [{}, deed('failed', 'LYK-0426'), 'Det gick inte att spara. Tryck igen. LYK-0426'],
    // The page has got its answer, but the status does not say so yet.
    [{}, deed('stored'), 'Ett tryck räcker'],
    [{ check_in: since('21T14:09', 'sending') }, deed('stored'), 'Sparat. Skickas nu …'],
    [
      { check_in: since('21T14:09', 'sending'), online: false },
      undefined,
      'Sparat. Skickas när nätet är tillbaka.',
    ],
    [
      { check_in: since('21T08:12', 'received') },
      undefined,
      'Tack! Vi har hört dig klockan 08:12.',
    ],
    [{ check_in: since('20T08:12', 'received') }, undefined, 'Ett tryck räcker'],
    [
      { check_in: since('20T23:50', 'sending'), online: false },
      undefined,
      'Sparat. Skickas när nätet är tillbaka.',
    ],
  ] as [Partial<Status>, Deed | undefined, string][])('%o %o: %s', (fields, d, text) =>
    expect(checkInState(status(fields), now, d).text).toBe(text),
  );
});

it('lists the day with what was taken, and the days after', () => {
  const prompts = [
    { id: 'm', text: 'Alvedon', at: 480, medication: true },
    { id: 'r', text: 'Vattna', at: 960, days: [1] },
  ];
  const visits = [visit('21T15:00', '21T15:30'), visit('22T08:00', '22T08:30', { what: '' })];
  const rows = rowsOf(
    status({ day: { prompts, visits }, taken: { m: at('21T08:12') * 1_000 } }),
    now,
  );
  expect(rows.map((r) => [r.day, r.time, r.text, r.detail])).toEqual([
    ['I dag', '08:00', 'Alvedon', 'Tagen klockan 08:12'],
    ['', '15:00', 'Anna', 'Dusch, till 15:30'],
    ['I morgon', '08:00', 'Anna', 'till 08:30'],
  ]);
});

it('reads a letter out, and says that there is a picture', () => {
  const letter = { id: 'l', from: 'Maria', text: 'Hej mamma!', at: 0 };
  expect(letterAloud(letter)).toBe('Meddelande från Maria: Hej mamma!');
  expect(letterAloud({ ...letter, from: '', text: '', picture: true })).toBe(
    'Hemtjänsten har skickat en bild.',
  );
});
