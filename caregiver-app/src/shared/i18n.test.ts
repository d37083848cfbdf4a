import { beforeEach, describe, expect, it } from 'vitest';
import { language, readable, t, tn } from './i18n';

type Texts = Record<string, string>;
const files = import.meta.glob<Texts>('../../i18n/**/*.json', { eager: true, import: 'default' });
const folders = [...new Set(Object.keys(files).map((f) => f.replace(/\w+\.json$/, '')))];
const of = (l: string) => folders.map((folder) => files[`${folder}${l}.json`] ?? {});
const sv: Texts = Object.assign({}, ...of('sv'));
const en: Texts = Object.assign({}, ...of('en'));

const placeholders = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort();

describe('the texts', () => {
  it('have the same keys in every language, each in one file', () => {
    expect(folders.length).toBeGreaterThan(3);
    for (const folder of folders) {
      const [own, other] = [files[`${folder}sv.json`], files[`${folder}en.json`]];
      expect([folder, Object.keys(other ?? {}).sort()]).toEqual([
        folder,
        Object.keys(own ?? {}).sort(),
      ]);
    }
    const all = of('sv').flatMap(Object.keys);
    expect(all.filter((key, i) => all.indexOf(key) !== i)).toEqual([]);
  });

  it('have the same blanks to fill in every language', () => {
    for (const [key, text] of Object.entries(sv)) {
      expect([key, placeholders(en[key] ?? '')]).toEqual([key, placeholders(text)]);
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
