import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { t } from '../shared/i18n';
import { link } from './state';

// What is not needed at once is fetched when it is asked for: the first screen
// has to be there quickly on a bad network.
const pages = {
  home: () => import('./home').then((m) => m.HomeScreen),
  alert: () => import('./alertpage').then((m) => m.AlertScreen),
  chain: () => import('./chain').then((m) => m.ChainOf),
  push: () => import('./push').then((m) => m.PushSwitch),
  'push-hint': () => import('./push').then((m) => m.PushHint),
  rota: () => import('./plan/rota').then((m) => m.RotaScreen),
  people: () => import('./plan/people').then((m) => m.PeopleScreen),
  policies: () => import('./plan/policies').then((m) => m.PoliciesScreen),
  silences: () => import('./plan/silences').then((m) => m.SilencesScreen),
  load: () => import('./plan/load').then((m) => m.LoadScreen),
};
type Pages = typeof pages;
type PropsOf<P extends keyof Pages> =
  Awaited<ReturnType<Pages[P]>> extends ComponentType<infer Props> ? Props : never;

const here = new Map<string, ComponentType<object>>();

/** Shows a part of the app that is fetched when it is asked for. `quiet` shows nothing until then. */
export function Later<P extends keyof Pages>({
  page,
  quiet,
  ...props
}: { page: P; quiet?: boolean } & PropsOf<P>) {
  const [, arrived] = useState(0);
  const [failed, setFailed] = useState(false);
  const Part = here.get(page);
  const fetch = () => {
    setFailed(false);
    fetchPage(page).then(
      () => arrived((n) => n + 1),
      () => setFailed(true),
    );
  };
  useEffect(() => {
    if (!Part) fetch();
  }, [page]);
  // What was not got for want of a network is got when there is one again.
  const { up } = link.value;
  useEffect(() => {
    if (failed && up) fetch();
  }, [up]);

  if (Part) return <Part {...props} />;
  if (quiet) return null;
  if (!failed) {
    return (
      <p class="later" role="status">
        {t('app.loading')}
      </p>
    );
  }
  return (
    <div class="later" role="alert">
      <p>{t('later.failed')}</p>
      <button
        type="button"
        class="button"
        // A version that is gone from the server is got rid of by loading the page anew.
        onClick={() => (up ? location.reload() : fetch())}
      >
        {t('error.retry')}
      </button>
    </div>
  );
}

async function fetchPage(page: keyof Pages): Promise<void> {
  here.set(page, (await pages[page]()) as ComponentType<object>);
}

/** Fetches, while nothing else is going on, what is likely to be asked for next. */
export function fetchAhead(): void {
  const idle = globalThis.requestIdleCallback ?? ((f: () => void) => setTimeout(f, 2_000));
  idle(() => {
    for (const page of ['home', 'alert', 'chain'] as const) fetchPage(page).catch(() => {});
  });
}
