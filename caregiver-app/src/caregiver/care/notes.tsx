import { useState } from 'preact/hooks';
import { t } from '../../shared/i18n';
import { clock, dayOf, longDate, now } from '../../shared/time';
import { dayWord } from '../../shared/words';
import { unbroken } from '../../shared/unbroken';
import { inWords, useArrivals, useAsked } from '../asking';
import { acts } from '../deeds';
import * as api from './api';
import { kindOf, threads, type NoteKind, type Thread } from './carewords';
import { Came, RefusedDeeds, Shown, Unsent, waitingOf, when } from './common';
import { NoteForm, setDraft } from './notewriting';
import type { PartProps } from './parts';

const page = 50;

/** What the staff wrote about a resident, and the form in which they write. */
export function NotesPart({ id, name, zone }: PartProps) {
  const asked = useAsked(() => api.notes(id), [id]);
  const [older, setOlder] = useState<api.Note[]>([]);
  const [ended, setEnded] = useState(false);
  const [failed, setFailed] = useState('');
  useArrivals(asked.again, ['note'], id);
  const more = async (notes: readonly api.Note[]) => {
    try {
      const next = await api.notes(id, notes.at(-1)!.written);
      const known = new Set(notes.map((n) => n.id));
      setOlder([...older, ...next.filter((n) => !known.has(n.id))]);
      setEnded(next.length < page);
      setFailed('');
    } catch (error) {
      setFailed(inWords(error));
    }
  };
  return (
    <div class="part part-notes">
      <div class="part-aside">
        {acts() && <NoteForm home={id} name={name} zone={zone} />}
        <RefusedDeeds
          kind="note"
          home={id}
          rewrite={(deed) =>
            setDraft(id, {
              text: String(deed.body['text'] ?? ''),
              kind: deed.body['kind'] as NoteKind,
            })
          }
        />
      </div>
      <section aria-labelledby="notes-title">
        <h2 id="notes-title">{t('notes.heading')}</h2>
        <WaitingNotes home={id} />
        <Shown asked={asked} name={name}>
          {(newest) => {
            const seen = new Set(newest.map((n) => n.id));
            const notes = [...newest, ...older.filter((n) => !seen.has(n.id))];
            return (
              <>
                {notes.length === 0 && <p class="quiet">{t('notes.none')}</p>}
                <NoteList notes={notes} home={id} zone={zone} />
                {notes.length >= page && !ended && (
                  <button type="button" class="button" onClick={() => void more(notes)}>
                    {t('notes.more')}
                  </button>
                )}
                {failed && (
                  <p class="field-error" role="alert">
                    {unbroken(failed)}
                  </p>
                )}
              </>
            );
          }}
        </Shown>
      </section>
    </div>
  );
}

/** What this person wrote and the server does not have. */
function WaitingNotes({ home }: { home: string }) {
  const waiting = waitingOf('note', home);
  if (waiting.length === 0) return null;
  return (
    <ul class="notes">
      {[...waiting].reverse().map((deed) => (
        <li key={deed.key} class="note note-waiting">
          <p class="note-head">
            <strong>{clock(deed.at)}</strong> {deed.who} · {kindOf(String(deed.body['kind'] ?? ''))}{' '}
            <Unsent deed={deed} />
          </p>
          <p class="note-text">{String(deed.body['text'] ?? '')}</p>
        </li>
      ))}
    </ul>
  );
}

function NoteList({
  notes,
  home,
  zone,
}: {
  notes: readonly api.Note[];
  home: string;
  zone?: string | undefined;
}) {
  const today = dayOf(now.value, zone);
  return (
    <>
      {threads(notes, zone).map(([day, list]) => (
        <div key={day} class="note-day">
          <h3>
            {[dayWord(day, today), longDate(Date.parse(list[0]!.note.written), zone)]
              .filter(Boolean)
              .join(', ')}
          </h3>
          <ul class="notes">
            {list.map((thread) => (
              <NoteRow key={thread.note.id} thread={thread} home={home} zone={zone} />
            ))}
          </ul>
        </div>
      ))}
    </>
  );
}

function NoteRow({
  thread,
  home,
  zone,
}: {
  thread: Thread;
  home: string;
  zone?: string | undefined;
}) {
  const { note, corrections } = thread;
  const time = clock(Date.parse(note.written), zone);
  const corrected = corrections.length > 0;
  return (
    <li class={note.kind === 'hand_over' ? 'note note-next' : 'note'}>
      <p class="note-head">
        <strong>{time}</strong> {note.author} · {kindOf(note.kind)}
        {corrected && <span class="tag">{t('notes.corrected')}</span>}
        <Came note={note} zone={zone} />
      </p>
      <p class={corrected ? 'note-text note-old' : 'note-text'}>{note.text}</p>
      {corrections.map((c) => (
        <div key={c.id} class="note-correction">
          <p class="note-head">
            {t('notes.correction', { when: when(c.written, zone), author: c.author })}
            <Came note={c} zone={zone} />
          </p>
          <p class="note-text">{c.text}</p>
        </div>
      ))}
      {acts() && (
        <button
          type="button"
          class="button button-plain note-correct"
          onClick={() => {
            setDraft(home, { corrects: note, kind: note.kind as NoteKind, text: note.text });
            document.querySelector('.note-form')?.scrollIntoView({ block: 'start' });
          }}
        >
          {t('notes.correct')}
          <span class="visually-hidden"> – {t('notes.correct_which', { clock: time })}</span>
        </button>
      )}
    </li>
  );
}
