import { Icon } from '../../shared/icons';
import { t, tn } from '../../shared/i18n';
import { addDays, dayOf, longDate, now, serverNow, startOfDay } from '../../shared/time';
import { checkIn } from '../../shared/words';
import type { Home, Shift } from '../../api/types';
import { useArrivals, useAsked } from '../asking';
import { contactOf, need } from '../homes';
import { zoneOf } from '../plan/frame';
import { homes, me } from '../state';
import * as team from '../teamapi';
import * as api from './api';
import { newSince, shiftNow, spanOf } from './carewords';
import { Came, Shown, Sign, when } from './common';
import { isLeft, RefusedVisits, VisitRow } from './visits';

const hour = 3_600_000;

/** The areas in which the person works; none means all. */
export const myAreas = (): readonly string[] =>
  (me.value as { areas?: readonly string[] } | null)?.areas ?? [];

const inMyAreas = (area: string) => myAreas().length === 0 || myAreas().includes(area);

const areasOfHomes = () => [...new Set([...homes.value.values()].map((h) => h.area))];

/** The shifts of the person's areas from four days back to a day ahead. */
export async function shiftsAround(at: number): Promise<Shift[]> {
  const areas = areasOfHomes().filter(inMyAreas);
  const all = await Promise.all(
    areas.map((area) => team.shifts(area, at - 96 * hour, at + 24 * hour)),
  );
  return [...new Map(all.flatMap((a) => a.shifts).map((s) => [s.id, s])).values()];
}

/** What the person has before them: their visits, what is new, their residents. */
export function ShiftScreen() {
  const zone = zoneOf();
  const person = me.value?.person ?? '';
  const asked = useAsked(() => shiftsAround(serverNow()), [areasOfHomes().join()]);
  const shifts = asked.value ?? [];
  const own = shiftNow(shifts, person, now.value);
  return (
    <div class="shift">
      <div class="shift-head">
        <div>
          <h1 tabIndex={-1}>{t('nav.shift')}</h1>
          <p class="quiet">
            {longDate(now.value, zone)}
            {asked.value &&
              ` · ${own ? t('shift.now', { span: spanOf(own.from, own.to, zone) }) : t('shift.none')}`}
          </p>
        </div>
        <a class="button" href="/hand-over">
          <Sign name="note" />
          {t('shift.write_hand_over')}
        </a>
      </div>
      <div class="shift-columns">
        <MyVisits person={person} zone={zone} />
        <div>
          {(asked.value || asked.failed) && (
            <News since={newSince(shifts, person, now.value)} zone={zone} />
          )}
          <MyHomes />
        </div>
      </div>
    </div>
  );
}

function MyVisits({ person, zone }: { person: string; zone: string | undefined }) {
  const today = dayOf(now.value, zone);
  const asked = useAsked(
    async () =>
      person
        ? api.visitsBy(person, startOfDay(today, zone), startOfDay(addDays(today, 1), zone))
        : [],
    [person, today],
  );
  useArrivals(asked.again, ['visit']);
  return (
    <section aria-labelledby="my-visits">
      <h2 id="my-visits">{t('shift.visits')}</h2>
      <RefusedVisits />
      {!person && <p>{t('shift.no_person')}</p>}
      <Shown asked={asked}>
        {(all) => {
          const visits = all
            .filter((v) => v.state !== 'requested' && v.state !== 'declined')
            .sort((a, b) => a.from.localeCompare(b.from));
          const left = visits.filter(isLeft);
          const over = visits.filter((v) => !isLeft(v));
          return (
            <>
              <p class="shift-count" role="status">
                {visits.length === 0
                  ? person && t('shift.visits_none')
                  : left.length === 0
                    ? t('shift.all_done')
                    : tn('shift.left', left.length)}
              </p>
              <ul class="visits visits-big">
                {left.map((v, i) => (
                  <VisitRow key={v.id} visit={v} zone={zone} many next={i === 0} />
                ))}
              </ul>
              {over.length > 0 && (
                <details class="more-below" open={left.length === 0}>
                  <summary>{tn('shift.done_before', over.length)}</summary>
                  <ul class="visits">
                    {over.map((v) => (
                      <VisitRow key={v.id} visit={v} zone={zone} many />
                    ))}
                  </ul>
                </details>
              )}
            </>
          );
        }}
      </Shown>
    </section>
  );
}

function News({ since, zone }: { since: number; zone: string | undefined }) {
  const areas = myAreas();
  const asked = useAsked(
    () => api.handOver(since, serverNow(), areas.length === 1 ? areas[0] : ''),
    [since],
  );
  useArrivals(asked.again, ['visit', 'note']);
  return (
    <section aria-labelledby="news">
      <h2 id="news">{t('shift.news', { when: when(new Date(since).toISOString(), zone) })}</h2>
      <Shown asked={asked}>
        {(news) => {
          const next = news.notes.filter((n) => n.kind === 'hand_over').slice(0, 4);
          const counts = [
            news.alerts.length > 0 && tn('shift.alerts', news.alerts.length),
            news.open.length > 0 && tn('shift.open', news.open.length),
            news.visits.missed.length > 0 && tn('shift.missed', news.visits.missed.length),
            news.notes.length > 0 && tn('shift.notes', news.notes.length),
          ].filter(Boolean);
          return (
            <>
              <p>{counts.length > 0 ? counts.join(' · ') : t('shift.news_none')}</p>
              {next.length > 0 && (
                <ul class="notes">
                  {next.map((n) => (
                    <li key={n.id} class="note note-next">
                      <p class="note-head">
                        <a href={`/homes/${encodeURIComponent(n.home)}/notes`}>
                          {homes.value.get(n.home)?.name ?? n.home}
                        </a>{' '}
                        · {n.author}, {when(n.written, zone)}
                        <Came note={n} zone={zone} />
                      </p>
                      <p class="note-text">{n.text}</p>
                    </li>
                  ))}
                </ul>
              )}
              <a class="button" href={`/hand-over?from=${since}`}>
                {t('shift.to_hand_over')}
              </a>
            </>
          );
        }}
      </Shown>
    </section>
  );
}

const mostHomes = 12;

function MyHomes() {
  const own = [...homes.value.values()]
    .filter((h) => inMyAreas(h.area))
    .sort((a, b) => need(a) - need(b) || a.name.localeCompare(b.name));
  return (
    <section aria-labelledby="my-homes">
      <h2 id="my-homes">
        {t('shift.homes')} <span class="count">{own.length}</span>
      </h2>
      <ul class="short-homes">
        {own.slice(0, mostHomes).map((h) => (
          <li key={h.id}>
            <a class="short-home" href={`/homes/${encodeURIComponent(h.id)}`}>
              <strong>{h.name}</strong>
              <span class={troubleOf(h) ? 'warn' : 'quiet'}>{stateOf(h)}</span>
            </a>
          </li>
        ))}
      </ul>
      {own.length > mostHomes && (
        <a class="button" href="/homes">
          <Icon name="homes" />
          {t('shift.homes_more')}
        </a>
      )}
    </section>
  );
}

const troubleOf = (h: Home) => h.open_alerts > 0 || h.silent;

function stateOf(h: Home): string {
  if (h.open_alerts > 0) return tn('home.alerts', h.open_alerts);
  return h.silent ? contactOf(h, now.value) : checkIn(h, now.value).row;
}
