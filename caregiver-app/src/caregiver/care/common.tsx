import type { ComponentChildren } from 'preact';
import { t, type Key } from '../../shared/i18n';
import { moment, now, serverNow } from '../../shared/time';
import { unbroken } from '../../shared/unbroken';
import type { Asked } from '../asking';
import type { CareDeed, Refused } from '../carequeue';
import { me, refusals, written } from '../state';
import '../hometools.css';
import './care.css';
import type { Note } from './api';
import { cameLate } from './carewords';
import './texts';

const paths: Record<string, string> = {
  phone:
    'M6 3.500h3l1.500 5-2 1.500a12 12 0 0 0 5.500 5.500l1.500-2 5 1.500v3c0 1.500-1 2.500-2.500 2.500C11 20.500 3.500 13 3.500 6 3.500 4.500 4.500 3.500 6 3.500z',
  key: 'M14.500 4a5.500 5.500 0 1 0 .1 0M10.500 13.500L4 20v-3M7 17l2 2',
  hand: 'M8 12V6.500a1.500 1.500 0 0 1 3 0V11M11 11V4.500a1.500 1.500 0 0 1 3 0V11M14 11V6a1.500 1.500 0 0 1 3 0v8c0 4-2.500 6.500-6 6.500-3 0-4.500-1.500-6-4l-1.800-3.200c-.6-1.200 1-2.200 2-1.200L8 14',
  note: 'M6 3.500h9l4 4V20.500H6zM9 11h7M9 15h7',
  heart:
    'M12 20C4 14.500 3.500 10.500 4.500 8a4 4 0 0 1 7.500-.5A4 4 0 0 1 19.500 8c1 2.500.5 6.500-7.500 12z',
  important: 'M12 3.500a8.500 8.500 0 1 0 .1 0M12 7.500v5.500M12 16.200v.2',
};

/** A line drawing that only the pages about residents have. */
export function Sign({ name }: { name: string }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={paths[name]!} />
    </svg>
  );
}

/** What was asked for, or that it is awaited, or why it did not come. What was there stays beside a failure. */
export function Shown<T>({
  asked,
  name,
  children,
}: {
  asked: Asked<T>;
  /** Of the resident, for the sentence that tells of a refusal of theirs. */
  name?: string;
  children: (value: T) => ComponentChildren;
}) {
  const { value, failed, status, again } = asked;
  if (failed && status === 403 && name) return <Refusal field="server" name={name} />;
  return (
    <>
      {failed && (
        <div class="plain-box" role="alert">
          <p>{unbroken(failed)}</p>
          <button type="button" class="button" onClick={again}>
            {t('error.retry')}
          </button>
        </div>
      )}
      {value !== undefined
        ? children(value)
        : !failed && (
            <p class="plain-box quiet" role="status">
              {t('trends.loading')}
            </p>
          )}
    </>
  );
}

/** Says in its place what the resident has chosen not to show. */
export function Refusal({ field, name, home }: { field: string; name: string; home?: string }) {
  return (
    <div class="refusal">
      <Sign name="hand" />
      <p>
        {t(`refused.${field}` as Key, { name })}{' '}
        {field === 'activity' && <span class="quiet">{t('refused.still')}</span>}
        {home && (
          <>
            {' '}
            <a href={`/homes/${encodeURIComponent(home)}/consent`}>{t('refused.link')}</a>
          </>
        )}
      </p>
    </div>
  );
}

/** What this person wrote about a home that the server does not know yet, oldest first. */
export const waitingOf = (kind: CareDeed['kind'], home?: string): CareDeed[] =>
  written.waiting.value.filter(
    (d) => d.kind === kind && d.who === me.value?.name && (home === undefined || d.home === home),
  );

/** Beside what is not sent: that it is being sent, or is not sent yet. */
export function Unsent({ deed }: { deed: CareDeed }) {
  const sending = written.sending.value === deed.key;
  return (
    <span class={sending ? 'unsent' : 'unsent unsent-late'} role="status">
      {t(sending ? 'notes.sending' : 'notes.unsent')}
    </span>
  );
}

/** What the server said no to, with its words, to be written again or thrown away. */
export function RefusedDeeds({
  kind,
  home,
  rewrite,
  more,
}: {
  kind: CareDeed['kind'];
  home?: string;
  rewrite?: (deed: CareDeed) => void;
  /** What is said below the words, and can be done with them besides. */
  more?: (refused: Refused) => ComponentChildren;
}) {
  const own = refusals.all.value.filter(
    ({ deed }) =>
      deed.kind === kind &&
      deed.who === me.value?.name &&
      (home === undefined || deed.home === home),
  );
  if (own.length === 0) return null;
  return (
    <div role="alert">
      <ul class="refused-list">
        {own.map((refused) => {
          const { deed, detail, id } = refused;
          return (
            <li key={deed.key} class="refused-deed">
              <p>
                <strong>
                  {t('notes.refused')}: {deed.what}
                </strong>{' '}
                <span class="quiet">{moment(deed.at, serverNow())}</span>
              </p>
              <p>
                {unbroken([detail || t('notes.stale'), id && `(${id})`].filter(Boolean).join(' '))}
              </p>
              {typeof deed.body['text'] === 'string' && (
                <blockquote>{deed.body['text'] as string}</blockquote>
              )}
              {typeof deed.body['note'] === 'string' && deed.body['note'] && (
                <blockquote>{deed.body['note'] as string}</blockquote>
              )}
              {more?.(refused)}
              <div class="row-actions">
                {rewrite && (
                  <button
                    type="button"
                    class="button"
                    onClick={() => {
                      refusals.remove(deed.key);
                      rewrite(deed);
                    }}
                  >
                    {t('notes.rewrite')}
                  </button>
                )}
                <button type="button" class="button" onClick={() => refusals.remove(deed.key)}>
                  {t('notes.discard')}
                </button>
              </div>
            </li>
          );
        })}
      </ul>
    </div>
  );
}

/** Beside when a note was written: that it came much later. */
export function Came({ note, zone }: { note: Note; zone?: string | undefined }) {
  if (!note.late && !cameLate(note)) return null;
  return (
    <span class={note.late ? 'tag tag-late' : 'came'}>
      {t(note.late ? 'notes.came_late' : 'notes.came', { when: when(note.at, zone) })}
    </span>
  );
}

/** Buttons with ready sentences. */
export function Sentences({
  sentences,
  choose,
}: {
  sentences: readonly string[];
  choose: (sentence: string) => void;
}) {
  return (
    <fieldset class="sentences">
      <legend class="visually-hidden">{t('notes.templates')}</legend>
      {sentences.map((s) => (
        <button key={s} type="button" class="button sentence" onClick={() => choose(s)}>
          {s}
        </button>
      ))}
    </fieldset>
  );
}

/** The time as one says it, by the clock of the home. */
export const when = (time: string, zone?: string): string =>
  moment(Date.parse(time), now.value, zone);
