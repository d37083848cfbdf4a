import { describe, expect, it } from 'vitest';
import { faultOf, Troubles } from './trouble';

const thrown = (stack: string, name = 'TypeError') =>
  Object.assign(new Error('Karin Ek has no picture'), { name, stack });

describe('what the screen says of a fault', () => {
  it('is which fault it was and where in the program, and nothing of what was shown', () => {
    const stack = `TypeError: Karin Ek has no picture
    at at http://127.0.0.1:1885/karin.js:1:1 (she said)
    at Kb (http://127.0.0.1:1885/assets/kiosk-C5CpY0jz.js:12:345)
    at http://127.0.0.1:1885/assets/other.js:1:2`;
    expect(faultOf(thrown(stack))).toEqual({ name: 'TypeError', at: 'kiosk-C5CpY0jz.js:12:345' });
    const alone = thrown('    at http://127.0.0.1:1885/assets/a_b.js:1:2', 'NotFoundError');
    expect(faultOf(alone)).toEqual({ name: 'NotFoundError', at: 'a_b.js:1:2' });
  });

  it('is no more than that something is wrong, of what is no fault as others are', () => {
    for (const odd of ['Karin Ek', undefined, null, 7, thrown('', 'Karin'), { name: 'Error' }])
      expect(faultOf(odd)).toEqual({ name: '', at: '' });
    expect(faultOf(thrown('Error: /a.js:1:2'))).toEqual({ name: 'TypeError', at: '' });
  });

  it('is said once, however often it happens, and of few faults', () => {
    const said: unknown[] = [];
    const troubles = new Troubles((trouble) => said.push(trouble));
    const error = thrown('    at http://x/a.js:1:2');
    troubles.note('call', error);
    troubles.note('script', error); // as the browser tells it anew
    troubles.note('call', thrown('    at http://x/a.js:1:2'));
    expect(said).toEqual([{ what: 'call', name: 'TypeError', at: 'a.js:1:2' }]);
    for (let i = 0; i < 100; i++) troubles.note('script', thrown(`    at http://x/a.js:1:${i}`));
    expect(said.length).toBe(5);
  });
});
