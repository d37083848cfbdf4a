import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Alert } from '../api/types';
import { Icon } from '../shared/icons';
import { t, tn } from '../shared/i18n';
import { ago, atMoment, clock, now } from '../shared/time';
import type { FamilyHome } from './api';
import { me, oldSince, queue, waitingFor } from './state';
import { Later } from './later';
import { alertSays, holderOf, needsSomebody, stepsOf } from './words';

/** An alert that is not over, and what a relative can do about it. */
export function AlertCard({
  alert,
  home,
  wanted,
}: {
  alert: Alert;
  home: FamilyHome;
  wanted: boolean;
}) {
  const asking = useSignal(false);
  const card = useRef<HTMLElement>(null);
  // Who followed a message about it is shown it.
  useEffect(() => {
    if (wanted) card.current?.scrollIntoView({ block: 'start' });
  }, [wanted]);
  const observed = Date.parse(alert.observed);
  const mine = me.value?.name ?? '';
  const waiting = waitingFor(home.home).filter((d) => d.alert === alert.id);
  const holder = holderOf(alert);
  const held = holder !== '' && holder === mine;
  const free = needsSomebody(alert);
  const technical = alert.severity === 'technical';
  const add = (kind: 'acknowledge' | 'on_the_way', minutes = 0) => {
    asking.value = false;
    queue.add({ kind, home: home.home, alert: alert.id, minutes });
  };
  return (
    <article
      ref={card}
      class={`alert alert-${alert.severity}${free ? '' : ' alert-held'}`}
      aria-labelledby={`alert-${alert.id}`}
      data-alert={alert.id}
    >
      <header>
        <Icon name={alert.kind} />
        <div>
          <h2 id={`alert-${alert.id}`}>
            {alert.test ? t('family.alert.test', { name: home.name }) : alertSays(alert, home.name)}
          </h2>
          <p class="alert-when">
            {/* Long ago both are the day. */}
            {[...new Set([atMoment, ago].map((f) => f(observed, now.value, home.zone)))].join(
              ' · ',
            )}
          </p>
        </div>
      </header>
      {oldSince.value > 0 && (
        <p class="unsent">
          {t('family.old', { when: atMoment(oldSince.value, now.value, home.zone) })}
        </p>
      )}
      <ol class="steps">
        {stepsOf(alert, mine, home.zone).map((step, i) => (
          <li key={i} class={step.at === undefined ? 'step step-open' : 'step'}>
            <span>{step.text}</span>
            {step.at !== undefined && (
              <time dateTime={new Date(step.at).toISOString()}>{clock(step.at, home.zone)}</time>
            )}
          </li>
        ))}
      </ol>
      {alert.heard && holder && (
        <p class="alert-known">
          <Icon name="check" />
          {t('family.alert.heard', { name: home.name })}
        </p>
      )}
      {alert.unheard && <p class="alert-trouble">{t('family.alert.unheard')}</p>}
      {waiting.map((d) => (
        <p key={d.key} class="unsent" role="status">
          {queue.sending.value === d.key
            ? t('family.sending')
            : t(d.kind === 'acknowledge' ? 'family.alert.take_unsent' : 'family.alert.way_unsent')}
        </p>
      ))}
      {!technical && !alert.test && (free || held) && (
        <div class="deeds">
          {free && !waiting.some((d) => d.kind === 'acknowledge') && (
            <button type="button" class="button button-main" onClick={() => add('acknowledge')}>
              {t('family.alert.take')}
            </button>
          )}
          <button
            type="button"
            class="button"
            aria-expanded={asking.value}
            onClick={() => (asking.value = !asking.value)}
          >
            {t(
              alert.stage === 'on_the_way' && held ? 'family.alert.way_again' : 'family.alert.way',
            )}
          </button>
        </div>
      )}
      {asking.value && (free || held) && (
        <fieldset class="minutes">
          <legend>{t('family.alert.when')}</legend>
          {[5, 10, 15, 20, 30, 45, 60].map((n) => (
            <button key={n} type="button" class="button" onClick={() => add('on_the_way', n)}>
              {tn('family.minutes', n)}
            </button>
          ))}
          <button type="button" class="button" onClick={() => add('on_the_way')}>
            {t('family.alert.unsaid')}
          </button>
        </fieldset>
      )}
      {!free && !held && <p class="quiet">{t('family.alert.others', { name: holder })}</p>}
      <details class="chain">
        <summary>{t('family.alert.chain')}</summary>
        <Later page="chain" alert={alert.id} home={home.home} />
      </details>
    </article>
  );
}
