/**
 * Fetches a whole picture anew while single things of it go on changing.
 *
 * `ask` fetches it and returns what shows it; that is given `since`, which does
 * again what was done while it was fetched, as the answer may be older. `failed`
 * hears when it does not come. It is fetched once at a time: who wants it meanwhile
 * has it fetched once more afterwards.
 */
export function wholes(
  ask: () => Promise<(since: () => void) => void>,
  failed: (error: unknown) => void,
) {
  let during: (() => void)[] | undefined;
  let again = false;
  /** Does something with what is shown now, and with what is being fetched. */
  const step = (does: () => void): void => {
    during?.push(does);
    does();
  };
  const refresh = async (): Promise<void> => {
    if (during) {
      again = true;
      return;
    }
    const since: (() => void)[] = (during = []);
    try {
      (await ask())(() => since.forEach((does) => does()));
    } catch (error) {
      failed(error);
    } finally {
      during = undefined;
      if (again) {
        again = false;
        void refresh();
      }
    }
  };
  return { refresh, step };
}
