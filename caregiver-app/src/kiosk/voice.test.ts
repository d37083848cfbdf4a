import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { voiceFor } from './voice';

const alva = { lang: 'sv-SE', localService: true, name: 'Alva' } as SpeechSynthesisVoice;
const far = { lang: 'sv-SE', localService: false, name: 'Far' } as SpeechSynthesisVoice;
const george = { lang: 'en-GB', localService: true, name: 'George' } as SpeechSynthesisVoice;

/** A machine whose voices do what the test says. */
function machine(voices: SpeechSynthesisVoice[]) {
  const said: SpeechSynthesisUtterance[] = [];
  const sound = vi.fn(async () => true);
  const cancel = vi.fn();
  let come = () => {};
  return {
    said,
    sound,
    cancel,
    /** The list of voices comes later. */
    arrive(late: SpeechSynthesisVoice[]) {
      voices = late;
      come();
    },
    synth: {
      getVoices: () => voices,
      speak: (u: SpeechSynthesisUtterance) => void said.push(u),
      cancel,
      addEventListener: (_: string, heard: () => void) => (come = heard),
    } as unknown as SpeechSynthesis,
    utterance: (text: string) => ({ text }) as SpeechSynthesisUtterance,
  };
}

const event = {} as SpeechSynthesisEvent;
const start = (u: SpeechSynthesisUtterance) => u.onstart!.call(u, event);
const end = (u: SpeechSynthesisUtterance) => u.onend!.call(u, event);
const fail = (u: SpeechSynthesisUtterance) =>
  u.onerror!.call(u, event as SpeechSynthesisErrorEvent);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());
const settle = () => vi.advanceTimersByTimeAsync(0);

describe('the voice', () => {
  it('is one of the language, and of those one that needs no internet', async () => {
    const m = machine([george, far, alva]);
    const outcome = voiceFor('sv', m)('Larmet är framme');
    await settle();
    expect(m.said[0]).toMatchObject({ text: 'Larmet är framme', voice: alva, lang: 'sv-SE' });
    start(m.said[0]!);
    end(m.said[0]!);
    expect(await outcome).toBe('spoken');
    expect(m.sound).not.toHaveBeenCalled();
  });

  it('is waited for when the browser does not know its voices yet', async () => {
    const m = machine([]);
    void voiceFor('sv', m)('hej');
    await settle();
    expect(m.said).toEqual([]);
    m.arrive([alva]);
    await settle();
    expect(m.said).toHaveLength(1);
  });

  it.each([
    ['there is none of the language', [george]],
    ['there is none at all', []],
  ])('gives way to a soft sound when %s', async (_, voices) => {
    const m = machine(voices);
    const outcome = voiceFor('sv', m)('hej');
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await outcome).toBe('sounded');
    expect(m.said).toEqual([]);
  });

  it('gives way to a soft sound when it fails, never begins, or never ends', async () => {
    for (const trouble of ['fails', 'never begins', 'never ends']) {
      const m = machine([alva]);
      const outcome = voiceFor('sv', m)('hej');
      await settle();
      if (trouble === 'fails') fail(m.said[0]!);
      if (trouble === 'never ends') start(m.said[0]!);
      await vi.advanceTimersByTimeAsync(10_000);
      expect([trouble, await outcome]).toEqual([trouble, 'sounded']);
      expect(m.cancel).toHaveBeenCalled();
    }
  });

  it('says so when nothing could be heard', async () => {
    const m = machine([alva]);
    m.sound.mockResolvedValue(false);
    const outcome = voiceFor('sv', { ...m, synth: undefined })('hej');
    expect(await outcome).toBe('silent');
  });

  it('breaks off for what is newer, and makes no sound for what it broke off', async () => {
    const m = machine([alva]);
    const say = voiceFor('sv', m);
    const first = say('Larmet skickas');
    await settle();
    start(m.said[0]!);
    const second = say('Larmet är framme');
    expect(await first).toBe('interrupted');
    fail(m.said[0]!); // as browsers report it
    await settle();
    start(m.said[1]!);
    end(m.said[1]!);
    expect(await second).toBe('spoken');
    expect(m.sound).not.toHaveBeenCalled();
  });
});
