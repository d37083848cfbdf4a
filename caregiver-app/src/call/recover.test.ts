import { describe, expect, it } from 'vitest';
import { cure, Silence, type Situation } from './recover';

const well: Situation = {
  link: 'connected',
  since: 60_000,
  welcome: true,
  asked: undefined,
  waited: 0,
  tried: undefined,
  after: Infinity,
  joins: 0,
  silent: 0,
  helped: 0,
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
    ['leaves a pause of the sound alone', { silent: 5_900 }, undefined],
    ['looks for another way when nothing is heard', { silent: 6_000 }, 'restart'],
    ['gives that twelve seconds', { silent: 17_900, helped: 1 }, undefined],
    ['then joins anew for it', { silent: 18_000, helped: 1 }, 'join'],
    ['waits longer each time that it does not help', { silent: 41_000, helped: 2 }, undefined],
    ['but goes on', { silent: 42_000, helped: 2 }, 'join'],
    ['does not ask twice', { silent: 9_000, asked: 'restart', waited: 3_000 }, undefined],
  ])('%s', (_, fields, wanted) => {
    expect(cure({ ...well, ...fields })).toBe(wanted);
  });
});

describe('a silence', () => {
  const looks = (silence: Silence, packets: (number | undefined)[], from = 0) =>
    packets.forEach((n, i) => silence.look(n, (from + i) * 1_000));

  it('lasts from the last packet that came, and ends with the next', () => {
    const silence = new Silence();
    looks(silence, [50, 100, 100, 100, 100]);
    expect(silence.lasts).toBe(3_000);
    silence.helped = 1;
    looks(silence, [150], 5);
    expect([silence.lasts, silence.helped]).toEqual([0, 0]);
  });

  it('goes on over a new connection on which nothing comes either', () => {
    const silence = new Silence();
    looks(silence, [50, 50, 50]);
    silence.renew();
    looks(silence, [0, 0], 3);
    expect(silence.lasts).toBe(4_000);
  });

  it('is none where nobody has their microphone on', () => {
    const silence = new Silence();
    looks(silence, [50, 50, undefined, undefined]);
    expect(silence.lasts).toBe(0);
  });

  it('is not what a page missed that slept', () => {
    const silence = new Silence();
    looks(silence, [50]);
    silence.look(50, 3_600_000);
    expect(silence.lasts).toBe(2_000);
  });
});
