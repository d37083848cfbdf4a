import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../../shared/i18n';
import { written } from '../state';
import type { Note } from './api';
import {
  kindOf,
  noteKinds,
  templates,
  templateText,
  withSentence,
  type NoteKind,
} from './carewords';
import { Sentences, when } from './common';

interface Draft {
  kind: NoteKind;
  text: string;
  /** The note that is corrected. */
  corrects: Note | null;
}

const blank: Draft = { kind: 'visit', text: '', corrects: null };

// What is being written about each home; kept while one looks at something else.
const drafts = signal<ReadonlyMap<string, Draft>>(new Map());

export const draftOf = (home: string): Draft => drafts.value.get(home) ?? blank;

export function setDraft(home: string, change: Partial<Draft>): void {
  drafts.value = new Map(drafts.value).set(home, { ...draftOf(home), ...change });
}

/** Writes a note into the queue, which sends it now or when there is a network. */
export function writeNote(
  home: string,
  name: string,
  note: Omit<Draft, 'corrects'>,
  corrects = '',
) {
  return written.add({
    kind: 'note',
    home,
    what: t('notes.what', { name }),
    method: 'POST',
    path: `/homes/${encodeURIComponent(home)}/notes`,
    body: { kind: note.kind, text: note.text.trim(), corrects, alert: '' },
  });
}

/** The form in which a note is written, begun by ready sentences. */
export function NoteForm({
  home,
  name,
  zone,
}: {
  home: string;
  name: string;
  zone?: string | undefined;
}) {
  const draft = draftOf(home);
  const field = useRef<HTMLTextAreaElement>(null);
  const missing = useRef<HTMLParagraphElement>(null);
  const corrects = draft.corrects?.id;
  useEffect(() => {
    if (corrects) field.current?.focus();
  }, [corrects]);
  const submit = (event: Event) => {
    event.preventDefault();
    if (!draft.text.trim()) {
      missing.current!.hidden = false;
      field.current?.focus();
      return;
    }
    missing.current!.hidden = true;
    writeNote(home, name, draft, draft.corrects?.id);
    setDraft(home, { text: '', corrects: null });
    field.current?.focus();
  };
  return (
    <form class="tool note-form" onSubmit={submit} noValidate>
      <h2>{t('notes.write')}</h2>
      {draft.corrects ? (
        <div class="correcting">
          <p>{t('notes.correcting', { when: when(draft.corrects.written, zone) })}</p>
          <blockquote>{draft.corrects.text}</blockquote>
          <button type="button" class="button" onClick={() => setDraft(home, { corrects: null })}>
            {t('notes.correct_cancel')}
          </button>
        </div>
      ) : (
        <fieldset class="segments">
          <legend>{t('notes.kind')}</legend>
          {noteKinds.map((k) => (
            <label key={k} class="segment">
              <input
                type="radio"
                name="note-kind"
                checked={draft.kind === k}
                onChange={() => setDraft(home, { kind: k })}
              />
              <span>{kindOf(k)}</span>
            </label>
          ))}
        </fieldset>
      )}
      <Sentences
        sentences={templates[draft.kind].map(templateText)}
        choose={(s) => {
          missing.current!.hidden = true;
          setDraft(home, { text: withSentence(draft.text, s) });
        }}
      />
      <label class="field">
        <span>{t('notes.text')}</span>
        <textarea
          ref={field}
          rows={4}
          maxLength={4000}
          value={draft.text}
          onInput={(e) => setDraft(home, { text: e.currentTarget.value })}
        />
      </label>
      <p class="field-error" role="alert" ref={missing} hidden>
        {t('notes.empty')}
      </p>
      <button type="submit" class="button button-main button-wide">
        {t('notes.save')}
      </button>
    </form>
  );
}
