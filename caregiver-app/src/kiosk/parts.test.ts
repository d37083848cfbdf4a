import { describe, expect, it } from 'vitest';
import { letterRoom, partsOf } from './parts';

describe('a long letter', () => {
  const text = 'Hej mamma! Vi kommer på lördag. Lisa har lärt sig cykla och vill visa dig det.';
  it('is divided after a sentence, or between words', () => {
    expect(partsOf(text, 500)).toEqual([text]);
    expect(partsOf(text, 40)).toEqual([
      'Hej mamma! Vi kommer på lördag.',
      'Lisa har lärt sig cykla och vill visa',
      'dig det.',
    ]);
    expect(partsOf(text, 40).join(' ')).toBe(text);
  });

  it('ends, whatever it is', () => {
    expect(partsOf('a'.repeat(100), 40)).toHaveLength(3);
    expect(partsOf(' ', 40)).toEqual(['']);
  });

  it('has more room on a larger screen, and beside no picture', () => {
    expect(letterRoom(1280, 800, 40, false)).toBeGreaterThan(letterRoom(800, 480, 25, true));
    expect(letterRoom(800, 480, 25, false)).toBeGreaterThan(letterRoom(800, 480, 25, true));
    expect(letterRoom(100, 100, 60, true)).toBe(80);
  });
});
