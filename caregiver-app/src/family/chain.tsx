import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { readable, t, tMaybe } from '../shared/i18n';
import { clock } from '../shared/time';
import { api, json, part } from '../api/http';
import type { Chain } from './api';
import './pagetexts';
import { alertsChanged, homeOf, inWords } from './state';

/** Who was told of an alert and what came of it, kept up to date while it is open. */
export function ChainOf({ alert, home }: { alert: string; home: string }) {
  const chain = useSignal<Chain | undefined>(undefined);
  const failed = useSignal('');
  const place = useRef<HTMLDivElement>(null);
  const ask = () => {
    const open = place.current?.closest('details')?.open;
    if (!open || document.hidden) return;
    json<Chain>(`${api}/alerts/${part(alert)}/chain`).then(
      (came) => {
        chain.value = came;
        failed.value = '';
      },
      (error: unknown) => (failed.value = inWords(error)),
    );
  };
  useEffect(() => {
    const details = place.current?.closest('details');
    details?.addEventListener('toggle', ask);
    return () => details?.removeEventListener('toggle', ask);
  }, [alert]);
  useEffect(ask, [alert, alertsChanged.value]);
  // That a message has come through is no event of its own.
  useEffect(() => {
    const timer = setInterval(ask, 8_000);
    return () => clearInterval(timer);
  }, [alert]);
  const lines = chain.value && linesOf(chain.value);
  return (
    <div ref={place}>
      {lines ? (
        <ol class="told">
          {lines.map((line, i) => (
            <li key={i}>
              <time dateTime={line.at}>{clock(Date.parse(line.at), homeOf(home)?.zone)}</time>
              <span>{line.text}</span>
            </li>
          ))}
          {lines.length === 0 && <li>{t('family.chain.nobody')}</li>}
        </ol>
      ) : (
        <p role="status">{failed.value || t('family.fetching')}</p>
      )}
    </div>
  );
}

const deeds: Record<string, string> = {
  acknowledge: 'family.chain.acknowledge',
  'take-over': 'family.chain.acknowledge',
  take_over: 'family.chain.acknowledge',
  'on-the-way': 'family.chain.on_the_way',
  on_the_way: 'family.chain.on_the_way',
  resolve: 'family.chain.resolve',
};

function linesOf({ told, deeds: done }: Chain): { at: string; text: string }[] {
  const lines = told.map(({ name, channel, state, decided }) => ({
    at: decided,
    text: t('family.chain.told', {
      name,
      channel: tMaybe(`family.channel.${channel}`) ?? channel,
      state: tMaybe(`family.told.${state}`) ?? readable(state),
    }),
  }));
  for (const { at, actor, action } of done ?? []) {
    const key = deeds[action];
    const text = key && tMaybe(key)?.replace('{name}', () => actor);
    if (text) lines.push({ at, text });
  }
  return lines.sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
}
