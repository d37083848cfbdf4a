import { describe, expect, it } from 'vitest';
import { cure, type Situation } from './recover';

const well: Situation = {
  link: 'connected',
  since: 60_000,
  welcome: true,
  asked: undefined,
  waited: 0,
  tried: undefined,
  after: Infinity,
  joins: 0,
};

describe('a session helps itself', () => {
  it.each<[string, Partial<Situation>, ReturnType<typeof cure>]>([
    ['does nothing when all is well', {}, undefined],
    ['leaves a blink alone', { link: 'disconnected', since: 1_000 }, undefined],
    ['looks for another way after it', { link: 'disconnected', since: 2_500 }, 'restart'],
    [
      'gives that some time',
      { link: 'disconnected', since: 6_000, tried: 'restart', after: 3_000 },
      undefined,
    ],
    [
      'then joins anew',
      { link: 'disconnected', since: 9_000, tried: 'restart', after: 6_100 },
      'join',
    ],
    ['joins at once when the way has failed', { link: 'failed', since: 0 }, 'join'],
    [
      'not at once for the third time',
      { link: 'failed', tried: 'join', after: 1_000, joins: 2 },
      undefined,
    ],
    ['but a little later', { link: 'failed', tried: 'join', after: 2_100, joins: 2 }, 'join'],
    [
      'and never later than 8 s',
      { link: 'failed', tried: 'join', after: 8_100, joins: 40 },
      'join',
    ],
    [
      'joins anew when a connection does not come about',
      { link: 'connecting', tried: 'join', after: 6_100, joins: 1 },
      'join',
    ],
    ['waits for an answer', { link: 'failed', asked: 'join', waited: 4_000 }, undefined],
    [
      'begins its line anew when none comes',
      { link: 'failed', asked: 'join', waited: 5_100 },
      'reopen',
    ],
    [
      'waits for the service when that is not there',
      { link: 'failed', since: 60_000, welcome: false },
      undefined,
    ],
  ])('%s', (_, fields, wanted) => {
    expect(cure({ ...well, ...fields })).toBe(wanted);
  });
});
