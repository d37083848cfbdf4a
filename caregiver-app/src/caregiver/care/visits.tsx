import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { Icon } from '../../shared/icons';
import { t, tMaybe } from '../../shared/i18n';
import { addDays, clock, dayOf, now, shortDate, startOfDay } from '../../shared/time';
import type { CareDeed } from '../carequeue';
import { acts } from '../deeds';
import { Later } from '../later';
import { can } from '../may';
import { me, refusals, written } from '../state';
import { useArrivals, useAsked } from '../asking';
import * as api from './api';
import { spanOf, templateText, visitState, withSentence } from './carewords';
import { RefusedDeeds, Sentences, Shown, Unsent } from './common';
import { writeNote } from './notewriting';
import './visits.css';

/** What one visit's form holds; null when none is open. */
const open = signal<{ visit: string; note: string } | null>(null);

// What this page has sent about visits, until the server's own word of it is here.
const sent = signal<ReadonlyMap<string, CareDeed['body']>>(new Map());

const pathOf = (visit: string) => `/visits/${encodeURIComponent(visit)}/went`;

/** Says how a visit went, now or when there is a network. */
function tell(visit: api.Visit, state: 'done' | 'missed', note: string): void {
  // Of the plan nothing is said: it may be another by the time that this arrives.
  const body = { state, note: note.trim() };
  for (const { deed } of refusals.all.value) {
    if (deed.path === pathOf(visit.id)) refusals.remove(deed.key);
  }
  const key = written.add({
    kind: 'visit',
    home: visit.home,
    what: t('visit.what', { name: visit.home_name }),
    method: 'POST',
    path: pathOf(visit.id),
    body,
  });
  if (key) sent.value = new Map(sent.value).set(visit.id, body);
}

/** The visit as this person knows it: with what they said of it and the server may not know yet. */
function known(visit: api.Visit): { visit: api.Visit; deed: CareDeed | undefined } {
  const path = pathOf(visit.id);
  const deed = written.waiting.value.find((d) => d.path === path && d.who === me.value?.name);
  const refused = refusals.all.value.some((r) => r.deed.path === path);
  const body = deed?.body ?? (refused ? undefined : sent.value.get(visit.id));
  return { visit: body && visit.state === 'planned' ? { ...visit, ...body } : visit, deed };
}

/** Whether a visit still lies before this person, as far as they know. */
export const isLeft = (visit: api.Visit): boolean => known(visit).visit.state === 'planned';

interface RowProps {
  visit: api.Visit;
  zone?: string | undefined;
  /** The row names and links the home: it is in a list of several homes'. */
  many?: boolean;
  /** The next one to be made: its button stands out. */
  next?: boolean;
}

/** One visit: when, what, who; ticked off in place. */
export function VisitRow({ visit: asAsked, zone, many, next }: RowProps) {
  const { visit, deed } = known(asAsked);
  const state = visitState(visit, now.value);
  const button = useRef<HTMLButtonElement>(null);
  const writing = open.value?.visit === visit.id;
  const close = () => {
    open.value = null;
    requestAnimationFrame(() => button.current?.focus());
  };
  const which = `${visit.home_name}, ${clock(Date.parse(visit.from), zone)}`;
  return (
    <li class={`visit visit-${state}${next ? ' visit-next' : ''}`}>
      <p class="visit-when">{spanOf(visit.from, visit.to, zone)}</p>
      <div class="visit-what">
        {many ? (
          <a class="visit-home" href={`/homes/${encodeURIComponent(visit.home)}`}>
            {visit.home_name}
          </a>
        ) : (
          <strong>{visit.what || tMaybe('note.visit')}</strong>
        )}
        <p>
          {[
            many && visit.what,
            visit.video && t('visits.video'),
            !many && (visit.who || t('visits.nobody')),
            visit.asked_by && t('visit.asked_by', { name: visit.asked_by }),
          ]
            .filter(Boolean)
            .join(' · ')}
        </p>
        {visit.note && state !== 'planned' && <p class="quiet">{visit.note}</p>}
      </div>
      <p class="visit-state">
        {state === 'done' && <Icon name="check" />}
        {state === 'late' && <Icon name="clock" />}
        {state !== 'planned' && <span>{tMaybe(`visit.${state}`) ?? state}</span>}
        {deed && <Unsent deed={deed} />}
      </p>
      {acts() && visit.state === 'planned' && visit.video && can('video') && !writing && (
        <Later
          page="call-button"
          quiet
          home={visit.home}
          name={visit.home_name}
          visit={visit.id}
          main={next === true}
          which={which}
        />
      )}
      {acts() && visit.state === 'planned' && !writing && (
        <button
          type="button"
          ref={button}
          class={next ? 'button button-main visit-done' : 'button visit-done'}
          onClick={() => (open.value = { visit: visit.id, note: '' })}
        >
          <Icon name="check" />
          {t('visit.done_button')}
          <span class="visually-hidden"> – {which}</span>
        </button>
      )}
      {writing && <DoneForm visit={visit} close={close} />}
    </li>
  );
}

const short = ['well', 'ate', 'shower', 'declined', 'follow_up'];

function DoneForm({ visit, close }: { visit: api.Visit; close: () => void }) {
  const form = useRef<HTMLFormElement>(null);
  const missing = useRef<HTMLParagraphElement>(null);
  const note = open.value?.note ?? '';
  useEffect(() => form.current?.querySelector<HTMLElement>('button[type=submit]')?.focus(), []);
  const set = (text: string) => (open.value = { visit: visit.id, note: text });
  const done = (state: 'done' | 'missed') => {
    if (state === 'missed' && !note.trim()) {
      missing.current!.hidden = false;
      form.current?.querySelector('textarea')?.focus();
      return;
    }
    tell(visit, state, note);
    open.value = null;
    document.querySelector<HTMLElement>('h1')?.focus({ preventScroll: true });
  };
  return (
    <form
      ref={form}
      class="visit-form"
      onKeyDown={(e) => e.key === 'Escape' && close()}
      onSubmit={(e) => {
        e.preventDefault();
        done('done');
      }}
    >
      <Sentences sentences={short.map(templateText)} choose={(s) => set(withSentence(note, s))} />
      <label class="field">
        <span>{t('visit.how')}</span>
        <textarea
          rows={2}
          maxLength={1000}
          value={note}
          onInput={(e) => set(e.currentTarget.value)}
        />
      </label>
      <p class="field-error" role="alert" ref={missing} hidden>
        {t('visit.not_done_why')}
      </p>
      <div class="row-actions">
        <button type="submit" class="button button-main">
          <Icon name="check" />
          {t('visit.confirm')}
        </button>
        <button type="button" class="button" onClick={() => done('missed')}>
          {t('visit.not_done')}
        </button>
        <button type="button" class="button button-plain" onClick={close}>
          {t('close.cancel')}
        </button>
      </div>
    </form>
  );
}

/** What this person said of visits and the server did not take, with what has become of those meanwhile. */
export function RefusedVisits({ home }: { home?: string }) {
  return (
    <RefusedDeeds
      kind="visit"
      {...(home === undefined ? {} : { home })}
      more={({ deed, id }) => id === 'LYK-0533' && <CalledOff deed={deed} />}
    />
  );
}

// Who was there all the same has it as a note about the resident.
function CalledOff({ deed }: { deed: CareDeed }) {
  const id = decodeURIComponent(deed.path.split('/')[2]!);
  const { value: visit } = useAsked(() => api.visit(id), [id]);
  const keep = () => {
    const words = [t('visit.done_anyway'), deed.body['note']].filter(Boolean).join('\n');
    writeNote(deed.home, visit?.home_name ?? '', { kind: 'visit', text: words });
    refusals.remove(deed.key);
  };
  return (
    <>
      {visit && (
        <p>
          {t('visit.called_off', {
            by: visit.by || t('visit.service'),
            span: `${shortDate(Date.parse(visit.from))} ${spanOf(visit.from, visit.to)}`,
          })}{' '}
          {visit.note}
        </p>
      )}
      {deed.body['state'] === 'done' && (
        <p class="row-actions">
          <button type="button" class="button button-main" onClick={keep}>
            {t('visit.as_note')}
          </button>
        </p>
      )}
    </>
  );
}

/** A home's visits of today, and those that come in the next two weeks. */
export function HomeVisits({ home, name, zone }: { home: string; name: string; zone: string }) {
  const today = dayOf(now.value, zone);
  const from = startOfDay(today, zone);
  const tomorrow = startOfDay(addDays(today, 1), zone);
  const to = startOfDay(addDays(today, 14), zone);
  const asked = useAsked(() => api.visitsOf(home, from, to), [home, today]);
  useArrivals(asked.again, ['visit'], home);
  return (
    <section aria-labelledby="visits-title">
      <h2 id="visits-title">{t('visits.today')}</h2>
      <RefusedVisits home={home} />
      <Shown asked={asked} name={name}>
        {(visits) => {
          const sorted = [...visits].sort((a, b) => a.from.localeCompare(b.from));
          const own = sorted.filter((v) => Date.parse(v.from) < tomorrow);
          const coming = sorted.filter((v) => Date.parse(v.from) >= tomorrow);
          const next = own.find(isLeft);
          return (
            <>
              {own.length === 0 && <p class="quiet">{t('visits.none')}</p>}
              <ul class="visits">
                {own.map((v) => (
                  <VisitRow key={v.id} visit={v} zone={zone} next={v === next} />
                ))}
              </ul>
              {coming.length > 0 && (
                <details class="more-below">
                  <summary>
                    {t('visits.coming')} ({coming.length})
                  </summary>
                  <ul class="coming">
                    {coming.map((v) => (
                      <Coming key={v.id} visit={v} zone={zone} />
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

function Coming({ visit, zone }: { visit: api.Visit; zone: string }) {
  const from = Date.parse(visit.from);
  return (
    <li>
      <strong>
        {shortDate(from, zone)} {spanOf(visit.from, visit.to, zone)}
      </strong>{' '}
      {[
        visit.what,
        visit.who || t('visits.nobody'),
        visit.state !== 'planned' && (tMaybe(`visit.${visit.state}`) ?? visit.state),
      ]
        .filter(Boolean)
        .join(' · ')}
    </li>
  );
}
