import { describe, expect, it } from 'vitest';
import type { Call } from '../status';
import { Course, type Known } from './course';

const anna: Call = { call: 'c1', state: 'ringing', by: 'Anna', role: 'staff', until: 45_000_000 };
const answered: Call = { ...anna, state: 'answered' };
const at = (fields: Partial<Known>): Known => ({
  ...{ call: null, missed: undefined, now: 1_000, moment: 0 },
  ...fields,
});

describe('the way of a call', () => {
  it('rings, is talked in, and is said to be over for a while', () => {
    const course = new Course();
    expect(course.at(at({ call: anna }))).toMatchObject({ is: 'ring' });
    course.say(anna, 'answer', 2_000);
    expect(course.at(at({ call: anna, moment: 2_000 }))).toMatchObject({ is: 'talk' });
    expect(course.at(at({ call: answered, moment: 3_000 }))).toMatchObject({ is: 'talk' });
    expect(course.at(at({ moment: 4_000 }))).toEqual({ is: 'over', by: 'Anna', talked: true });
    expect(course.at(at({ moment: 12_001 }))).toBeUndefined();
  });

  it('is not taken up again by an answer of the gateway that is late', () => {
    const course = new Course();
    course.at(at({ call: answered }));
    course.say(answered, 'hang_up', 3_000);
    expect(course.at(at({ call: answered, moment: 3_100 }))).toMatchObject({ is: 'over' });
    expect(course.at(at({ call: answered, moment: 20_000 }))).toBeUndefined();
  });

  it('begins anew with another call, whatever was said of the one before', () => {
    const course = new Course();
    course.at(at({ call: anna }));
    course.say(anna, 'decline', 1_000);
    expect(course.at(at({ call: anna, moment: 1_100 }))).toBeUndefined();
    const next = { ...anna, call: 'c2', by: 'Bo' };
    expect(course.at(at({ call: next, moment: 1_200 }))).toEqual({ is: 'ring', call: next });
  });

  it('stops ringing by itself when the gateway is silent', () => {
    const course = new Course();
    expect(course.at(at({ call: anna, now: 49_000 }))).toMatchObject({ is: 'ring' });
    expect(course.at(at({ call: anna, now: 50_001 }))).toBeUndefined();
    expect(course.at(at({ call: anna, now: undefined }))).toMatchObject({ is: 'ring' });
  });

  it('is over when the gateway does not take the answer any more', () => {
    const course = new Course();
    course.at(at({ call: anna }));
    course.say(anna, 'answer', 1_000);
    course.at(at({ call: anna, moment: 1_000 }));
    course.refused(anna, 1_500);
    expect(course.at(at({ call: anna, moment: 1_600 }))).toMatchObject({
      is: 'over',
      talked: false,
    });
  });

  it('says why it is over, when the resident could not know it', () => {
    for (const why of ['withdrawn', 'off'] as const) {
      const talk = new Course();
      talk.at(at({ call: answered }));
      talk.told('c1', why, 1_000);
      expect(talk.at(at({ call: answered, moment: 1_000 }))).toMatchObject({ is: 'talk' });
      expect(talk.at(at({ moment: 1_100 }))).toMatchObject({ is: 'over', by: 'Anna', why });
      const ring = new Course();
      ring.at(at({ call: anna }));
      ring.told('c1', why, 1_000);
      expect(ring.at(at({ moment: 1_100 }))).toMatchObject({ is: 'over', talked: false, why });
    }
  });

  it('says why also when it was known to be over before, and to the page first', () => {
    const course = new Course();
    course.at(at({ call: answered }));
    expect(course.at(at({ moment: 1_000 }))).toEqual({ is: 'over', by: 'Anna', talked: true });
    course.told('c1', 'off', 1_050);
    expect(course.at(at({ moment: 1_100 }))).toMatchObject({ is: 'over', why: 'off' });
  });

  it('says nothing of a call that ended as calls do, or that it has not shown', () => {
    const course = new Course();
    course.told('c9', 'withdrawn', 500);
    expect(course.at(at({ moment: 600 }))).toBeUndefined();
    course.at(at({ call: anna, moment: 700 }));
    course.told('c1', 'missed', 1_000);
    expect(course.at(at({ moment: 1_100 }))).toBeUndefined();
    course.say(anna, 'later', 1_200);
    course.told('c1', 'withdrawn', 1_300);
    expect(course.at(at({ moment: 1_400 }))).toMatchObject({ is: 'later' });
  });

  it('counts down to an answer of its own, by the right time or by the gateway’s count', () => {
    const course = new Course();
    const own = { ...anna, countdown: 20, answers_at: 21_000_000 };
    expect(course.at(at({ call: own, now: 1_400 }))).toMatchObject({ is: 'ring', left: 20 });
    expect(course.at(at({ call: own, now: 900 }))).toMatchObject({ left: 20 }); // not 21
    expect(course.at(at({ call: own, now: undefined }))).toMatchObject({ left: 20 });
    expect(course.at(at({ call: own, now: 22_000 }))).toMatchObject({ left: 0 });
  });

  it('takes no press for meant that came with what it shows', () => {
    const course = new Course();
    course.at(at({ call: anna, moment: 500 }));
    expect([course.meant(600), course.meant(1_500)]).toEqual([false, true]);
    course.say(anna, 'answer', 1_500);
    course.at(at({ call: anna, moment: 1_500 }));
    expect([course.meant(3_000), course.meant(3_600)]).toEqual([false, true]);
  });

  it('shows a missed call when there is nothing else of calls', () => {
    const course = new Course();
    const missed = { call: 'm', by: 'Bo', at: 1 };
    expect(course.at(at({ missed }))).toEqual({ is: 'missed', missed });
    expect(course.at(at({ missed, call: anna }))).toMatchObject({ is: 'ring' });
  });
});
