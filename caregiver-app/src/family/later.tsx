import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { t } from '../shared/i18n';
import { link } from './state';

// What is not needed at once is fetched when it is asked for.
const pages = {
  chain: () => import('./chain').then((m) => m.ChainOf as ComponentType<never>),
  health: () => import('./health').then((m) => m.HealthOf as ComponentType<never>),
  start: () => import('./start').then((m) => m.Start as ComponentType<never>),
  side: () => import('./side').then((m) => m.SideOf as ComponentType<never>),
  callable: () => import('./callable').then((m) => m.Callable as ComponentType<never>),
  call: () => import('./call').then((m) => m.callPage() as Promise<ComponentType<never>>),
  house: () => import('./house').then((m) => m.HouseOf as ComponentType<never>),
  door: () => import('./door').then((m) => m.Door as ComponentType<never>),
  staff: () => import('./door').then((m) => m.OtherRole as ComponentType<never>),
  invitation: () => import('./invitation').then((m) => m.InvitationScreen as ComponentType<never>),
  messages: () => import('./messages').then((m) => m.MessagesScreen as ComponentType<never>),
  visits: () => import('./visits').then((m) => m.VisitsScreen as ComponentType<never>),
  account: () => import('./account').then((m) => m.AccountScreen as ComponentType<never>),
};
const here = new Map<string, ComponentType<object>>();

/** Shows a part of the app that is fetched when it is asked for. */
export function Later({
  page,
  ...props
}: { page: keyof typeof pages } & Record<string, string | boolean>) {
  const [, arrived] = useState(0);
  const [failed, setFailed] = useState(false);
  const Part = here.get(page);
  const { up } = link.value;
  useEffect(() => {
    if (Part) return;
    setFailed(false);
    pages[page]().then(
      (part) => {
        here.set(page, part as ComponentType<object>);
        arrived((n) => n + 1);
      },
      () => setFailed(true),
    );
  }, [page, up]);
  if (Part) return <Part {...props} />;
  if (!failed) return <p role="status">{t('family.fetching')}</p>;
  return (
    <div class="panel" role="alert">
      <p>{t('family.later_failed')}</p>
      <button type="button" class="button" onClick={() => location.reload()}>
        {t('error.retry')}
      </button>
    </div>
  );
}
