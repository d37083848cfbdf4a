import type { HomeDetail } from '../../api/types';
import { t } from '../../shared/i18n';
import { parts, type Part } from '../../shared/router';
import { clock, dayOf, now } from '../../shared/time';
import { useArrivals, useAsked } from '../asking';
import * as api from './api';
import { ageWords, kindOf, telOf, threads } from './carewords';
import { Later } from '../later';
import { can } from '../may';
import { Shown, Sign, when } from './common';

interface WhoProps {
  home: string;
  name: string;
  card: api.Resident | undefined;
  /** The part of the page under it. */
  at: Part;
  zone: string | undefined;
}

/** Who it is, and what must be known before one goes in. */
export function Who({ home, name, card, at, zone }: WhoProps) {
  const full = card?.name || name;
  const facts = card
    ? [
        card.called && card.called !== full && t('who.called', { name: card.called }),
        ageWords(card.born, now.value, zone),
      ].filter(Boolean)
    : [];
  return (
    <header class="who">
      <div class="who-name">
        <h1 tabIndex={-1}>{full}</h1>
        {facts.length > 0 && <p>{facts.join(' · ')}</p>}
      </div>
      <div class="who-calls">
        {card?.phone && (
          <a class="button who-call" href={telOf(card.phone)}>
            <Sign name="phone" />
            {t('who.call', { name: card.called || full })}
          </a>
        )}
        {can('video') && <Later page="call-button" quiet home={home} name={card?.called || name} />}
      </div>
      {card?.important && (
        <p class="who-important">
          <Sign name="important" />
          <span>
            <strong>{t('who.important')}: </strong>
            {card.important}
          </span>
        </p>
      )}
      {at === 'day' && card?.entry && (
        <p class="who-entry">
          <Sign name="key" />
          <span>
            <strong>{t('who.entry')}: </strong>
            {card.entry}
          </span>
        </p>
      )}
    </header>
  );
}

/** The ways between the parts of a resident's page. */
export function Parts({ id, name, part }: { id: string; name: string; part: Part }) {
  const base = `/homes/${encodeURIComponent(id)}`;
  return (
    <nav class="parts" aria-label={t('part.label', { name })}>
      {parts.map((p) => (
        <a
          key={p}
          href={p === 'day' ? base : `${base}/${p}`}
          {...(p === part ? { 'aria-current': 'page' as const } : {})}
        >
          {t(`part.${p}`)}
        </a>
      ))}
    </nav>
  );
}

/** Among the facts of today: how the resident said that they are. */
export function FeltToday({ home }: { home: HomeDetail }) {
  const asked = useAsked(() => api.wellBeing(home.id, 1), [home.id]);
  if (!asked.value) return null;
  const today = dayOf(now.value, home.zone);
  const answer = asked.value.answers
    .filter((a) => dayOf(Date.parse(a.t), home.zone) === today)
    .sort((a, b) => a.t.localeCompare(b.t))
    .at(-1);
  const v = answer && ([1, 2, 3].find((n) => n === answer.v) as 1 | 2 | 3 | undefined);
  return (
    <div class={v === 1 ? 'fact fact-bad' : 'fact'}>
      <dt>
        <Sign name="heart" />
        {t('fact.felt')}
      </dt>
      <dd>
        {v && answer
          ? `${t(`felt.${v}`)} · ${clock(Date.parse(answer.t), home.zone)}`
          : t('fact.felt_none')}
      </dd>
    </div>
  );
}

interface LatestProps {
  home: string;
  name: string;
  zone: string | undefined;
}

/** The newest notes on the page of the day: what the last who was here saw. */
export function LatestNotes({ home, name, zone }: LatestProps) {
  const asked = useAsked(() => api.notes(home), [home]);
  useArrivals(asked.again, ['note'], home);
  return (
    <section aria-labelledby="latest-notes">
      <h2 id="latest-notes">{t('notes.latest')}</h2>
      <Shown asked={asked} name={name}>
        {(notes) => {
          const newest = threads(notes, zone)
            .flatMap(([, list]) => list)
            .slice(0, 2);
          return (
            <>
              {newest.length === 0 && <p class="quiet">{t('notes.none')}</p>}
              <ul class="notes">
                {newest.map(({ note, corrections }) => (
                  <li key={note.id} class={note.kind === 'hand_over' ? 'note note-next' : 'note'}>
                    <p class="note-head">
                      <strong>{when(note.written, zone)}</strong> {note.author} ·{' '}
                      {kindOf(note.kind)}
                    </p>
                    <p class="note-text">{(corrections.at(-1) ?? note).text}</p>
                  </li>
                ))}
              </ul>
            </>
          );
        }}
      </Shown>
      <a class="button" href={`/homes/${encodeURIComponent(home)}/notes`}>
        <Sign name="note" />
        {t(notesLink(asked.value))}
      </a>
    </section>
  );
}

const notesLink = (notes: readonly api.Note[] | undefined) =>
  notes?.length === 0 ? ('notes.write' as const) : ('notes.all' as const);
