import { useEffect } from 'preact/hooks';
import type { Chain } from '../api/types';
import { t } from '../shared/i18n';
import { clock } from '../shared/time';
import { linesOf } from './chainwords';
import './chain.css';
import { useAsked } from './asking';
import { follow, homes } from './state';
import { chain as fetchChain } from './teamapi';

/** The chain of an alert as it is now, kept up to date while it is on screen. */
export function useChain(alert: string) {
  const asked = useAsked(() => fetchChain(alert), [alert]);
  const over = asked.value?.alert.state === 'resolved';
  useEffect(() => follow((changed) => changed.id === alert && asked.again()), [alert]);
  // That a message has come through is no event of its own.
  useEffect(() => {
    if (over) return;
    const timer = setInterval(() => document.hidden || asked.again(), 5_000);
    return () => clearInterval(timer);
  }, [alert, over]);
  return asked;
}

/** Who was told of an alert, when and how, on its card. */
export function ChainOf({ alert }: { alert: string }) {
  const { value, failed } = useChain(alert);
  if (value) return <Lines chain={value} />;
  return <p role="status">{failed ? t('chain.failed') : t('app.loading')}</p>;
}

/** The story of who was told, oldest first. */
export function Lines({ chain }: { chain: Chain }) {
  const zone = homes.value.get(chain.alert.home)?.zone;
  const lines = linesOf(chain, zone);
  const nobody = chain.alert.unheard && chain.alert.state !== 'resolved' && chain.told.length === 0;
  return (
    <>
      <ol class="chain">
        {lines.map((line, i) => (
          <li key={i} class={`chain-line chain-${line.tone}`}>
            <time dateTime={new Date(line.t).toISOString()}>{clock(line.t, zone)}</time>
            <span class="chain-dot" aria-hidden="true" />
            <span class="chain-text">
              {line.text}
              {line.state && <span class="chain-state">{line.state}</span>}
            </span>
          </li>
        ))}
      </ol>
      {nobody && <p class="card-trouble chain-nobody">{t('chain.nobody')}</p>}
    </>
  );
}
