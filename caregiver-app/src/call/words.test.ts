import { describe, expect, it } from 'vitest';
import type { Call } from './wire';
import { personIn, shortName } from './words';

describe('whom a call is with', () => {
  it.each([
    ['Märta Lindqvist', 'Märta'],
    ['Hemma hos Karin', 'Karin'],
    ['Hemma hos Karin Andersson', 'Karin'],
    ['Sven', 'Sven'],
    ['Storgatan 3, tre trappor', 'Storgatan 3, tre trappor'],
  ])('is taken from the name of the home: %s', (home, person) => {
    expect(shortName(home)).toBe(person);
  });

  it('is what the home says, once it has answered', () => {
    const joined = '2026-11-21T13:10:00Z';
    const home = { id: 'home', name: 'Karin', role: 'home', joined, left: null } as const;
    const call = { home_name: 'Storgatan 3, tre trappor', people: [home] } as unknown as Call;
    expect(personIn(call)).toBe('Karin');
    expect(personIn({ ...call, people: [] })).toBe('Storgatan 3, tre trappor');
    expect(personIn({ ...call, people: null })).toBe('Storgatan 3, tre trappor');
  });
});
