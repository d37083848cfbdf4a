import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { pagesSpeak, t } from '../shared/i18n';
import { link } from './state';

// What is not needed at once is fetched when it is asked for: the first screen
// has to be there quickly on a bad network.
const pages = {
  home: () => import('./home').then((m) => m.HomeScreen),
  'home-fault': () => import('./fault').then((m) => m.Fault),
  'home-tools': () => import('./hometools').then((m) => m.HomeTools),
  'home-charts': () => import('./charts').then((m) => m.Charts),
  'home-contacts': () => import('./contacts').then((m) => m.Contacts),
  'home-card': () => import('./care/card').then((m) => m.CardPart),
  'home-notes': () => import('./care/notes').then((m) => m.NotesPart),
  'home-trends': () => import('./care/trends').then((m) => m.TrendsPart),
  'home-messages': () => import('./care/messages').then((m) => m.MessagesPart),
  'home-consent': () => import('./care/consent').then((m) => m.ConsentPart),
  shift: () => import('./care/shift').then((m) => m.ShiftScreen),
  'hand-over': () => import('./care/handover').then((m) => m.HandOverScreen),
  search: () => import('./care/search').then((m) => m.SearchScreen),
  keys: () => import('./care/keyhelp').then((m) => m.KeyHelp),
  alert: () => import('./alertpage').then((m) => m.AlertScreen),
  chain: () => import('./chain').then((m) => m.ChainOf),
  push: () => import('./push').then((m) => m.PushSwitch),
  'push-ends': () => import('./push').then((m) => m.PushEnds),
  'push-hint': () => import('./push').then((m) => m.PushHint),
  rota: () => import('./plan/rota').then((m) => m.RotaScreen),
  people: () => import('./plan/people').then((m) => m.PeopleScreen),
  policies: () => import('./plan/policies').then((m) => m.PoliciesScreen),
  silences: () => import('./plan/silences').then((m) => m.SilencesScreen),
  load: () => import('./plan/load').then((m) => m.LoadScreen),
  visits: () => import('./plan/visits').then((m) => m.VisitsScreen),
  devices: () => import('./plan/devices').then((m) => m.DevicesScreen),
  statistics: () => import('./plan/statistics').then((m) => m.StatisticsScreen),
  account: () => import('./admin/account').then((m) => m.AccountScreen),
  install: () => import('./admin/install').then((m) => m.InstallScreen),
  invitation: () => import('./admin/invitation').then((m) => m.InvitationScreen),
  invite: () => import('./admin/invite').then((m) => m.Invite),
  'invite-relative': () => import('./admin/relatives').then((m) => m.InviteRelative),
  call: () => import('./call/screen').then((m) => m.CallScreen),
  'call-bar': () => import('./call/parts').then((m) => m.CallBar),
  'call-button': () => import('./call/parts').then((m) => m.CallButton),
  'home-calls': () => import('./call/history').then((m) => m.CallHistory),
  testing: () => import('./testing').then((m) => m.Testing),
  'ways-in': () => import('./admin/waysin').then((m) => m.WaysInPart),
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
  const part = (await pages[page]()) as ComponentType<object>;
  await pagesSpeak();
  here.set(page, part);
}

/** Fetches, while nothing else is going on, what is likely to be asked for next. */
export function fetchAhead(): void {
  const idle = globalThis.requestIdleCallback ?? ((f: () => void) => setTimeout(f, 2_000));
  idle(() => {
    for (const page of ['home', 'alert', 'chain'] as const) fetchPage(page).catch(() => {});
  });
}
