import { describe, expect, it } from 'vitest';
import type { Reading } from '../api/types';
import { language } from '../shared/i18n';
import { storyOf } from './story';
import { layOut } from './timeline';

const zone = 'Europe/Stockholm';
const start = Date.parse('2026-11-20T23:00:00Z');
const hour = 3_600_000;
const day = { from: start, to: start + 24 * hour };

const says = (clock: string, room: string, kind: string, v: number, device = kind): Reading => {
  const [h = 0, m = 0] = clock.split(':').map(Number);
  const t = new Date(start + h * hour + m * 60_000).toISOString();
  return { t, device: `${room}/${device}`, kind, room, v };
};
const story = (readings: Reading[], until = day.to) =>
  storyOf(layOut(readings, day, until, []), zone, until);

// Readings all day, so that nothing counts as silence.
const alive = Array.from({ length: 24 }, (_, h) => says(`${h}:30`, 'hall', 'temperature', 20));
const night = [
  says('-1:00', 'bedroom', 'pressure', 1),
  says('02:15', 'bedroom', 'pressure', 0),
  says('02:25', 'bedroom', 'pressure', 1),
  says('05:54', 'bedroom', 'motion', 1),
  says('07:06', 'bedroom', 'pressure', 0),
];

describe('the day in a few words', () => {
  it('tells of a night, a morning, meals, the door and the evening', () => {
    language.value = 'sv';
    const readings = [
      ...alive,
      ...night,
      says('07:48', 'kitchen', 'power', 2000, 'kettle'),
      says('07:51', 'kitchen', 'power', 0, 'kettle'),
      says('08:00', 'kitchen', 'power', 1200, 'stove'),
      says('08:20', 'kitchen', 'power', 0, 'stove'),
      says('08:34', 'kitchen', 'check_in', 1),
      says('10:18', 'hall', 'contact', 1),
      says('10:19', 'hall', 'contact', 0),
      says('10:56', 'hall', 'contact', 1),
      says('10:57', 'hall', 'contact', 0),
      says('22:02', 'bedroom', 'pressure', 1),
    ];
    expect(story(readings)).toEqual([
      'Ur sängen 07:06',
      'Apparat på i köket 07:48',
      'Incheckad 08:34',
      'Dörr i hallen öppnad 10:18, 10:56',
      'I säng 22:02',
    ]);
  });

  it('does not say that one who is back from the bathroom, or still lies, got up', () => {
    expect(story([...alive, ...night], start + 4 * hour)).toEqual([]);
    const stirs = story([...alive, ...night].slice(0, -1), start + 8 * hour);
    expect(stirs.join()).not.toContain('Ur sängen');
  });

  it('falls back on movement where there is no bed sensor', () => {
    const readings = [
      ...alive,
      says('06:40', 'kitchen', 'motion', 1),
      says('06:45', 'kitchen', 'motion', 0),
      says('21:00', 'hall', 'motion', 1),
      says('21:02', 'hall', 'motion', 0),
    ];
    expect(story(readings)).toEqual(['Första rörelse 06:40', 'Senaste rörelse 21:02']);
  });

  it('tells of every call for help, of many as a number', () => {
    const few = [says('09:00', 'hall', 'sos', 1), says('09:05', 'hall', 'sos', 1)];
    expect(story([...alive, ...few])).toEqual(['Trygghetslarm 09:00', 'Trygghetslarm 09:05']);
    const many = Array.from({ length: 12 }, (_, i) => says(`09:${i + 10}`, 'hall', 'sos', 1));
    expect(story([...alive, ...many])).toEqual(['Trygghetslarm 12 gånger, senast 09:21']);
  });

  it('takes no appliance that only sleeps for one in use', () => {
    expect(story([...alive, says('09:00', 'kitchen', 'power', 3, 'radio')])).toEqual([]);
  });
});
