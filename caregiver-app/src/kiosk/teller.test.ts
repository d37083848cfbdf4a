import { describe, expect, it, vi } from 'vitest';
import type { Sos } from './status';
import { makeTeller, type Heard } from './teller';
import type { Outcome } from './voice';
import { messageOf, sayingOf } from './words';

const word = (told: number, fields: Partial<Sos> = {}): Sos => ({
  ...{ epoch: 'e', seq: 1, state: 'someone_has_it', by: 'Anna', told },
  ...fields,
});
const notice = messageOf({ id: 'n1', text: 'Hej' }, undefined);

/** A page that was loaded with what is remembered from before. */
function page(remembered = new Map<string, string>()) {
  const said: string[] = [];
  let finish: (outcome: Outcome) => void = () => {};
  let visible = true;
  const reports: Heard[] = [];
  const tell = makeTeller({
    say: (text) => {
      finish('interrupted');
      said.push(text);
      return new Promise((done) => (finish = done));
    },
    memory: {
      getItem: (key) => remembered.get(key) ?? null,
      setItem: (key, value) => void remembered.set(key, value),
    },
    report: vi.fn(async (heard: Heard) => reports.push(heard) > 0),
    visible: () => visible,
  });
  let moment = 0;
  return {
    said,
    reports,
    remembered,
    see: (sos: Sos, message = undefined as typeof notice, later = 1_000) =>
      tell(sayingOf({ online: true, sos }, undefined, 0), message, (moment += later)),
    hide: (on: boolean) => (visible = !on),
    /** What was being said is over. */
    async over(outcome: Outcome) {
      finish(outcome);
      await Promise.resolve();
    },
  };
}

describe('the teller', () => {
  it('says each state once, and a new word about it once more', () => {
    const p = page();
    for (let i = 0; i < 5; i++) p.see(word(1));
    p.see(word(2, { by: 'Bo' }));
    p.see(word(2, { by: 'Bo' }));
    expect(p.said).toEqual(['Anna har sett ditt larm.', 'Bo har sett ditt larm.']);
  });

  it('says nothing again after a reload, but what is new', async () => {
    const p = page();
    p.see(word(1));
    await p.over('spoken');
    const q = page(p.remembered);
    q.see(word(1));
    expect(q.said).toEqual([]);
    q.see(word(2, { by: 'Bo' }));
    expect(q.said).toEqual(['Bo har sett ditt larm.']);
  });

  it('reports a word when it was said, and how', async () => {
    const p = page();
    p.see(word(1));
    p.see(word(1));
    expect(p.reports).toEqual([]); // it is being said
    await p.over('spoken');
    p.see(word(1));
    expect(p.reports).toEqual([{ epoch: 'e', seq: 1, told: 1, spoken: true }]);

    const q = page();
    q.see(word(1));
    await q.over('sounded');
    q.see(word(1));
    expect(q.reports).toEqual([{ epoch: 'e', seq: 1, told: 1, spoken: false }]);
  });

  it('reports again, now and then, until the gateway has noted it; also after a reload', async () => {
    const p = page();
    p.see(word(1));
    await p.over('spoken');
    for (let i = 0; i < 25; i++) p.see(word(1));
    expect(p.reports).toHaveLength(3);
    const q = page(p.remembered);
    q.see(word(1));
    expect(q.reports).toEqual([{ epoch: 'e', seq: 1, told: 1, spoken: true }]);
    q.see(word(1, { heard: 'spoken' }), undefined, 60_000);
    expect(q.reports).toHaveLength(1);
  });

  it('reports nothing of what no person has said', async () => {
    const p = page();
    p.see({ epoch: 'e', seq: 1, state: 'received' });
    await p.over('spoken');
    p.see({ epoch: 'e', seq: 1, state: 'received' });
    expect(p.reports).toEqual([]);
  });

  it('does not report a word that another broke off', async () => {
    const p = page();
    p.see(word(1));
    p.see(word(2, { by: 'Bo' }));
    await p.over('spoken');
    p.see(word(2, { by: 'Bo' }));
    expect(p.reports).toEqual([{ epoch: 'e', seq: 1, told: 2, spoken: true }]);
  });

  it('waits with everything until the page is in the foreground', () => {
    const p = page();
    p.hide(true);
    p.see(word(1));
    expect(p.said).toEqual([]);
    p.hide(false);
    p.see(word(1));
    expect(p.said).toHaveLength(1);
  });

  it('reads a message out once, after the state, and again when the state broke it off', async () => {
    const p = page();
    const hello = 'Meddelande från hemtjänsten: Hej';
    p.see({ state: 'none' }, notice);
    expect(p.said).toEqual([hello]);
    p.see(word(1), notice);
    expect(p.said).toEqual([hello, 'Anna har sett ditt larm.']);
    await p.over('spoken');
    p.see(word(1), notice);
    await p.over('spoken');
    p.see(word(1), notice);
    expect(p.said).toEqual([hello, 'Anna har sett ditt larm.', hello]);
  });
});
