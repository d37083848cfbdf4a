import { describe, expect, it } from 'vitest';
import { wholes } from './whole';

/** A picture that is fetched when the test says so. */
function rig() {
  const asked: ((came: string[] | Error) => void)[] = [];
  const seen = { shown: [] as string[], failed: [] as unknown[] };
  const { refresh, step } = wholes(
    async () => {
      const came = await new Promise<string[] | Error>((answer) => asked.push(answer));
      if (came instanceof Error) throw came;
      return (since) => {
        seen.shown = came;
        since();
      };
    },
    (error) => seen.failed.push(error),
  );
  const put = (what: string) => step(() => (seen.shown = [...seen.shown, what]));
  const rest = () => new Promise((later) => setTimeout(later));
  return { asked, seen, refresh, put, rest };
}

describe('a whole picture that is fetched while things go on', () => {
  it('has on top of it what came meanwhile, and what came before not twice', async () => {
    const { asked, seen, refresh, put, rest } = rig();
    put('before');
    void refresh();
    put('meanwhile');
    expect(seen.shown).toEqual(['before', 'meanwhile']); // at once, too
    asked[0]!(['fetched']);
    await rest();
    expect(seen.shown).toEqual(['fetched', 'meanwhile']);
    put('after');
    void refresh();
    asked[1]!(['anew']);
    await rest();
    expect(seen.shown).toEqual(['anew']);
  });

  it('is fetched once at a time, and once more when it was wanted meanwhile', async () => {
    const { asked, refresh, rest } = rig();
    for (let i = 0; i < 5; i++) void refresh();
    expect(asked.length).toBe(1);
    asked[0]!([]);
    await rest();
    expect(asked.length).toBe(2);
    asked[1]!([]);
    await rest();
    expect(asked.length).toBe(2);
  });

  it('is left as it is when it does not come, and can be wanted again', async () => {
    const { asked, seen, refresh, put, rest } = rig();
    void refresh();
    put('kept');
    const gone = new Error('no network');
    asked[0]!(gone);
    await rest();
    expect(seen).toEqual({ shown: ['kept'], failed: [gone] });
    void refresh();
    asked[1]!(['fetched']);
    await rest();
    expect(seen.shown).toEqual(['fetched']);
  });
});
