import { useEffect } from 'preact/hooks';
import type { Call } from '../call/wire';
import { api, json, part } from '../api/http';
import { t } from '../shared/i18n';
import { FamilyIcon } from './icons';
import './pagetexts';
import { homePath } from './route';
import { calls, homeOf, me } from './state';

/** The call of a home that is not over, as far as this app knows. */
export const liveCall = (home: string): Call | undefined =>
  calls.value[home]?.state === 'ended' ? undefined : calls.value[home];

/** Asks for the call that is under way; what the live link tells later counts more. */
export async function askForCall(home: string): Promise<void> {
  const before = calls.value[home];
  const { calls: live } = await json<{ calls: Call[] | null }>(
    `${api}/calls?home=${part(home)}&live=true`,
  );
  if (calls.value[home] !== before) return;
  const { [home]: _, ...others } = calls.value;
  calls.value = live?.[0] ? { ...others, [home]: live[0] } : others;
}

/** The way to a call with the resident: one's own, or one that is under way. */
export function Callable({ home }: { home: string }) {
  const here = homeOf(home);
  const video = me.value?.features?.includes('video');
  useEffect(() => {
    if (video) askForCall(home).catch(() => {}); // the next look tells
  }, [home, video]);
  if (!here || !video) return null;
  const live = liveCall(home);
  return (
    <a class={live ? 'button button-main' : 'button'} href={homePath(home, 'call')}>
      <FamilyIcon name="video" />
      {live
        ? t('family.call.now', { name: here.name })
        : t('family.call.title', { name: here.name })}
    </a>
  );
}
