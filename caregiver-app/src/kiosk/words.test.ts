import { describe, expect, it } from 'vitest';
import type { Sos } from './status';
import { clock } from './local';
import { seeing, viewOf, type Seen } from './seen';
import { dayPart, linkOf, messageOf, sayingOf } from './words';

const now = Date.parse('2026-11-21T14:02:00');
const micros = (ms: number) => ms * 1_000;
const minute = 60_000;

const press = (fields: Partial<Sos>): Sos => ({ state: 'sending', epoch: 'e', seq: 7, ...fields });
const comes = (left: number, fields: Partial<Sos> = {}) =>
  press({ state: 'on_the_way', by: 'Anna', told: 1, expected: micros(now + left), ...fields });
const saying = (sos: Sos, at: number | undefined, seenClosed = 0, presses: Sos[] = []) =>
  sayingOf({ online: true, sos, presses }, at, seenClosed);
const headline = (sos: Sos) => saying(sos, now).headline;

describe('what is said of a press', () => {
  it.each([
    ['none', 'Inget larm just nu'],
    ['not_saved', 'Larmet är inte sparat'],
    ['sending', 'Larmet skickas'],
    ['received', 'Larmet är framme'],
    ['refused', 'Larmet kom inte fram'],
    ['someone_has_it', 'Anna har sett ditt larm'],
    ['on_the_way', 'Anna är på väg'],
    ['a state of a later version', 'Larmet är på väg'],
  ])('%s: %s', (state, text) => {
    expect(headline(press({ state, by: 'Anna', told: 1 }))).toBe(text);
  });

  it('speaks the whole sentence', () => {
    expect(saying(comes(12 * minute), now).aloud).toBe(
      'Anna har sett ditt larm och kommer om 12 minuter.',
    );
  });

  it('says somebody when no name was given', () => {
    expect(headline(press({ state: 'someone_has_it' }))).toBe('Någon har sett ditt larm');
  });

  it('shows that it is closed for a while, then calm again', () => {
    const closed = (ago: number) => press({ state: 'resolved', told: micros(now - ago) });
    expect(headline(closed(minute))).toBe('Larmet är avslutat');
    expect(headline(closed(31 * minute))).toBe('Inget larm just nu');
    // The time is not known: as long as the page has seen it.
    expect(saying(closed(0), undefined, minute).key).not.toBe('');
    expect(saying(closed(0), undefined, 31 * minute).key).toBe('');
  });
});

describe('who presses twice', () => {
  const anna = comes(12 * minute, { told: micros(now) });
  const again = (fields: Partial<Sos>) => {
    const newest = press({ seq: 8, ...fields });
    return saying(newest, now, 0, [newest, anna]);
  };

  it('sees that the second press works, and still who comes', () => {
    expect(again({ state: 'received' })).toMatchObject({
      headline: 'Larmet är framme',
      detail: 'Anna kommer om 12 minuter.',
      aloud: 'Larmet är framme. Anna har sett ditt larm och kommer om 12 minuter.',
      word: anna,
    });
  });

  it('is not told that all is over when only the second press is closed', () => {
    const closed = again({ state: 'resolved', told: micros(now) });
    expect(closed.headline).toBe('Anna kommer om 12 minuter');
  });

  it('does not hear of who came yesterday', () => {
    const newest = press({ seq: 8, state: 'received' });
    const old = comes(-20 * 60 * minute, { told: micros(now - 21 * 60 * minute) });
    expect(saying(newest, now, 0, [newest, old]).word).toBeUndefined();
  });
});

describe('the time somebody is expected', () => {
  it.each([
    [12 * minute, 'Anna kommer om 12 minuter'],
    [11 * minute + 1, 'Anna kommer om 12 minuter'],
    [61_000, 'Anna kommer om 2 minuter'],
    [minute, 'Anna kommer om en minut'],
    [1, 'Anna kommer om en minut'],
    [0, 'Anna är på väg'],
    [-40 * minute, 'Anna är på väg'],
    [60 * minute, 'Anna kommer om 60 minuter'],
    [68 * minute, 'Anna kommer klockan 15:10'],
    [13 * 60 * minute, 'Anna är på väg'],
  ])('%i ms away: %s', (left, text) => expect(headline(comes(left))).toBe(text));

  it('has no number when nobody knows what time it is', () => {
    expect(saying(comes(12 * minute), undefined, 0).headline).toBe('Anna är på väg');
    const stays = comes(12 * minute, { state: 'someone_has_it' });
    expect(saying(stays, undefined, 0).headline).toBe('Anna kommer till dig');
  });

  it('is one saying while it counts down, and another when somebody else takes over', () => {
    const key = (sos: Sos) => saying(sos, now, 0).key;
    expect(key(comes(minute))).toBe(key(comes(-minute)));
    expect(key(comes(minute, { told: 2, by: 'Bo' }))).not.toBe(key(comes(minute)));
  });
});

describe('the screen', () => {
  const status = (fields = {}) => ({ online: true, now: micros(now), sos: press({}), ...fields });
  const nothing: Seen = { began: 0, answer: undefined, closed: undefined, offline: undefined };
  const after = (fields: object, ms: number) =>
    viewOf(seeing(nothing, { status: status(fields), came: 1_000 }), 1_000 + ms);

  it('counts down by the time that passes between answers', () => {
    expect(after({ sos: comes(2 * minute) }, 4_000).saying?.headline).toBe(
      'Anna kommer om 2 minuter',
    );
    expect(after({}, 4_000).now).toBe(now + 4_000);
  });

  it('says that the box does not answer, and what it said last of who comes', () => {
    expect(after({ sos: { state: 'none' } }, 5_001).saying?.headline).toBe('Larmboxen svarar inte');
    expect(after({ sos: comes(-1) }, 60_000).saying?.detail).toBe(
      'Senast: Anna är på väg. Ring 112 om du behöver hjälp nu.',
    );
    expect(viewOf(nothing, 6_000).link).toContain('LYK-0425');
  });

  it('does not show a short interruption of the connection, and says the truth of a long one', () => {
    expect(after({ online: false }, 1_000).link).toBe('');
    const seen = [1_000, 2_000, 7_000].reduce(
      (s, came) => seeing(s, { status: status({ online: false }), came }),
      nothing,
    );
    expect(viewOf(seen, 7_000).link).toBe(
      'Ingen förbindelse just nu. Larmet skickas så fort det går. Ring 112 om det är bråttom.',
    );
  });

  it('does not promise to send an alarm that nobody pressed', () => {
    const calm = status({ online: false, sos: { state: 'none' } });
    expect(linkOf(calm, saying(calm.sos, now))).toContain('Larmar du skickas larmet');
  });
});

describe('a message from staff', () => {
  const notice = { id: 'c', text: 'Vi kommer 14:30', at: micros(now - minute) };
  it('is shown with its time, until it is of another day', () => {
    expect(messageOf(notice, now)?.heading).toBe('Meddelande från hemtjänsten klockan 14:01');
    expect(messageOf(notice, now + 13 * 60 * minute)).toBeUndefined();
  });
  it('is shown without one when the box did not know it', () => {
    const { at: _, ...undated } = notice;
    expect(messageOf(undated, now)?.heading).toBe('Meddelande från hemtjänsten');
  });
});

it('writes the clock and the day as people say them', () => {
  expect(clock(now)).toBe('14:02');
  expect(dayPart(now)).toBe('Lördag eftermiddag');
  expect(dayPart(Date.parse('2026-11-22T04:30:00'))).toBe('Söndag natt');
});
