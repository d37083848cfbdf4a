import { signal } from '@preact/signals';
import { useRef, useState } from 'preact/hooks';
import { Icon } from '../../shared/icons';
import { t } from '../../shared/i18n';
import { addDays, clock, dayOf, now, startOfDay } from '../../shared/time';
import { inWords, useAsked } from '../asking';
import { acts } from '../deeds';
import { say, written } from '../state';
import * as api from './api';
import { RefusedDeeds, Shown, Unsent, useArrivals, waitingOf, when } from './common';
import type { PartProps } from './parts';

const drafts = signal<ReadonlyMap<string, string>>(new Map());

const untils = ['until_today', 'until_3d', 'until_week'] as const;
type Until = (typeof untils)[number];
const days: Record<Until, number> = { until_today: 1, until_3d: 3, until_week: 7 };

/** Words to the screen at home, and whether they were seen there. */
export function MessagesPart({ id, name, zone }: PartProps) {
  const asked = useAsked(() => api.messages(id), [id]);
  useArrivals(asked.again);
  const waiting = waitingOf('message', id);
  return (
    <div class="part part-messages">
      <div class="part-aside">
        {acts() && <Write home={id} name={name} zone={zone} />}
        <RefusedDeeds
          kind="message"
          home={id}
          rewrite={(deed) => setDraft(id, String(deed.body['text'] ?? ''))}
        />
      </div>
      <section aria-labelledby="messages-title">
        <h2 id="messages-title">{t('messages.heading')}</h2>
        {waiting.length > 0 && (
          <ul class="notes">
            {[...waiting].reverse().map((deed) => (
              <li key={deed.key} class="note note-waiting">
                <p class="note-head">
                  <strong>{clock(deed.at)}</strong> {deed.who} <Unsent deed={deed} />
                </p>
                <p class="note-text">{String(deed.body['text'] ?? '')}</p>
              </li>
            ))}
          </ul>
        )}
        <Shown asked={asked} name={name}>
          {(all) => (
            <>
              {all.length === 0 && waiting.length === 0 && (
                <p class="quiet">{t('messages.none')}</p>
              )}
              <ul class="notes">
                {all.map((m) => (
                  <Row key={m.id} home={id} message={m} zone={zone} changed={asked.again} />
                ))}
              </ul>
            </>
          )}
        </Shown>
      </section>
    </div>
  );
}

function setDraft(home: string, text: string): void {
  drafts.value = new Map(drafts.value).set(home, text);
}

function Write({ home, name, zone }: { home: string; name: string; zone: string | undefined }) {
  const text = drafts.value.get(home) ?? '';
  const [until, setUntil] = useState<Until>('until_today');
  const field = useRef<HTMLTextAreaElement>(null);
  const missing = useRef<HTMLParagraphElement>(null);
  const submit = (event: Event) => {
    event.preventDefault();
    missing.current!.hidden = text.trim() !== '';
    field.current?.focus();
    if (!text.trim()) return;
    const over = startOfDay(addDays(dayOf(now.value, zone), days[until]), zone);
    written.add({
      kind: 'message',
      home,
      what: t('messages.what', { name }),
      method: 'POST',
      path: `/homes/${encodeURIComponent(home)}/messages`,
      body: { text: text.trim(), until: new Date(over).toISOString() },
    });
    setDraft(home, '');
  };
  return (
    <form class="tool note-form" onSubmit={submit} noValidate>
      <h2>{t('messages.write', { name })}</h2>
      <label class="field">
        <span class="field-hint">{t('messages.how')}</span>
        <textarea
          ref={field}
          rows={3}
          maxLength={500}
          value={text}
          onInput={(e) => setDraft(home, e.currentTarget.value)}
        />
      </label>
      <p class="field-error" role="alert" ref={missing} hidden>
        {t('notes.empty')}
      </p>
      <fieldset class="segments">
        <legend>{t('messages.until')}</legend>
        {untils.map((u) => (
          <label key={u} class="segment">
            <input type="radio" name="until" checked={until === u} onChange={() => setUntil(u)} />
            <span>{t(`messages.${u}`)}</span>
          </label>
        ))}
      </fieldset>
      <button type="submit" class="button button-main button-wide">
        {t('messages.send')}
      </button>
    </form>
  );
}

interface RowProps {
  home: string;
  message: api.Message;
  zone: string | undefined;
  changed: () => void;
}

function Row({ home, message, zone, changed }: RowProps) {
  const remove = async () => {
    if (!confirm(t('messages.delete_sure'))) return;
    try {
      await api.deleteMessage(home, message.id);
      changed();
    } catch (error) {
      say(inWords(error), true);
    }
  };
  const state = message.heard ? 'heard' : message.reached ? 'reached' : 'waiting';
  return (
    <li class="note">
      <p class="note-head">
        <strong>{when(message.at, zone)}</strong> {message.from}
        {message.family && ` · ${t('messages.family')}`}
      </p>
      {message.picture && (
        <img
          class="message-picture"
          src={api.picture(home, message.id)}
          alt={t('messages.picture', { name: message.from })}
          loading="lazy"
        />
      )}
      {message.text && <p class="note-text">{message.text}</p>}
      <p class={`message-state message-${state}`}>
        <Icon name={state === 'heard' ? 'check' : 'clock'} />
        {state === 'waiting'
          ? t('messages.waiting')
          : t(`messages.${state}`, { when: when((message.heard ?? message.reached)!, zone) })}
      </p>
      {acts() && (
        <button
          type="button"
          class="button button-plain note-correct"
          onClick={() => void remove()}
        >
          {t('messages.delete')}
          <span class="visually-hidden"> – {message.text}</span>
        </button>
      )}
    </li>
  );
}
