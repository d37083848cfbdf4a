import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../../shared/i18n';
import { planning, route, type Planning } from '../../shared/router';
import { unbroken } from '../../shared/unbroken';
import type { Asked } from '../asking';
import '../pagetexts';
import { may } from '../may';
import { homes, me } from '../state';
import './plan.css';

/** Whether the person may change who is told of what. */
export const manages = () => me.value?.role === 'coordinator' || me.value?.role === 'operator';

const forSome: Partial<Record<Planning, string>> = {
  load: 'read_load',
  statistics: 'read_statistics',
  visits: 'plan_visits',
};

const mayOpen = (page: Planning) => !forSome[page] || may(forSome[page]);

/** The zone in which the homes live; this device's when there are none. */
export const zoneOf = (): string | undefined => [...homes.value.values()][0]?.zone;

/** What the pages about planning share: their heading and the ways between them. */
export function Frame({ page, children }: { page: Planning; children: ComponentChildren }) {
  const ways = useRef<HTMLElement>(null);
  useEffect(() => {
    // Where the ways go on beyond the edge, the one that is taken is in sight.
    const nav = ways.current!;
    const here = nav.querySelector<HTMLElement>('[aria-current]');
    if (here) nav.scrollLeft = here.offsetLeft - nav.offsetLeft - nav.clientWidth / 3;
  }, [page]);
  return (
    <div class="plan">
      <h1 tabIndex={-1}>{t(`plan.${page}`)}</h1>
      <nav class="plan-nav" ref={ways} aria-label={t('nav.planning')}>
        {planning.filter(mayOpen).map((name) => (
          <a
            key={name}
            href={`/${name}`}
            {...(route.value.screen === name ? { 'aria-current': 'page' as const } : {})}
          >
            {t(`plan.${name}`)}
          </a>
        ))}
      </nav>
      {mayOpen(page) ? children : <p class="plan-wait">{t('asking.not_allowed')}</p>}
    </div>
  );
}

/** What was asked for, or that it is awaited, or why it did not come. */
export function Answer<T>({
  asked,
  said = false,
  children,
}: {
  asked: Asked<T>;
  /** That it failed is said elsewhere on the page. */
  said?: boolean;
  children: (value: T) => ComponentChildren;
}) {
  const { value, failed, again } = asked;
  return (
    <>
      {failed && !said && (
        <div class="plan-failed" role="alert">
          <p>{unbroken(failed)}</p>
          <button type="button" class="button" onClick={again}>
            {t('error.retry')}
          </button>
        </div>
      )}
      {value !== undefined
        ? children(value)
        : !failed && (
            <p class="plan-wait" role="status">
              {t('app.loading')}
            </p>
          )}
    </>
  );
}

/** A choice between areas; nothing where there is only one. */
export function AreaPicker({
  areas,
  area,
  name,
  choose,
}: {
  areas: readonly string[];
  area: string;
  name: (area: string) => string;
  choose: (area: string) => void;
}) {
  if (areas.length < 2) return null;
  return (
    <fieldset class="segments">
      <legend>{t('area.label')}</legend>
      {areas.map((a) => (
        <label key={a} class="segment">
          <input type="radio" name="area" checked={a === area} onChange={() => choose(a)} />
          <span>{name(a)}</span>
        </label>
      ))}
    </fieldset>
  );
}
