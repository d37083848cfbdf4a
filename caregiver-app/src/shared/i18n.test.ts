import { beforeEach, describe, expect, it } from 'vitest';
import firstEn from '../../i18n/en.json';
import pagesEn from '../../i18n/pages/en.json';
import pagesSv from '../../i18n/pages/sv.json';
import firstSv from '../../i18n/sv.json';
import { language, readable, t, tn } from './i18n';

const sv = { ...firstSv, ...pagesSv };
const en = { ...firstEn, ...pagesEn };

const placeholders = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort();

describe('the texts', () => {
  it('have the same keys in every language, each in one file', () => {
    expect(Object.keys(firstEn).sort()).toEqual(Object.keys(firstSv).sort());
    expect(Object.keys(pagesEn).sort()).toEqual(Object.keys(pagesSv).sort());
    expect(Object.keys(pagesSv).filter((key) => key in firstSv)).toEqual([]);
  });

  it('have the same blanks to fill in every language', () => {
    for (const [key, text] of Object.entries(sv)) {
      expect([key, placeholders((en as Record<string, string>)[key]!)]).toEqual([
        key,
        placeholders(text),
      ]);
    }
  });

  it('have both forms of every plural, and no empty text', () => {
    for (const [key, text] of Object.entries({ ...sv })) {
      expect([key, text.trim()]).not.toEqual([key, '']);
      if (key.endsWith('.one')) expect(sv).toHaveProperty([key.replace(/one$/, 'other')]);
    }
  });
});

describe('choosing a text', () => {
  beforeEach(() => (language.value = 'sv'));

  it('takes the form for the count, the number written as the language does', () => {
    expect(tn('home.battery', 1)).toBe('1 svagt batteri');
    expect(tn('home.battery', 2)).toBe('2 svaga batterier');
    expect(tn('homes.count', 2000)).toBe('2\u00a0000 hem');
    language.value = 'en';
    expect(tn('home.battery', 0)).toBe('0 low batteries');
    expect(tn('homes.count', 2000)).toBe('2,000 homes');
  });

  it('does not fill a name with what looks like a blank', () => {
    expect(t('done.taken', { name: '{name} $& ' })).toBe('Du har tagit larmet hos {name} $& ');
  });

  it('makes an unknown word readable', () => {
    expect(readable('stove_left-on')).toBe('Stove left on');
  });
});
