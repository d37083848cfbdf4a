import { signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Icon } from '../../shared/icons';
import { t } from '../../shared/i18n';
import { scaled, show } from '../../shared/picture';
import { addDays, clock, dayOf, now, startOfDay } from '../../shared/time';
import { inWords, useArrivals, useAsked } from '../asking';
import { acts } from '../deeds';
import { say, written } from '../state';
import * as api from './api';
import { RefusedDeeds, Shown, Unsent, waitingOf, when } from './common';
import type { PartProps } from './parts';

interface Draft {
  text: string;
  /** A JPEG in base64; "" is none. */
  picture: string;
}

const blank: Draft = { text: '', picture: '' };
const drafts = signal<ReadonlyMap<string, Draft>>(new Map());

const untils = ['until_today', 'until_3d', 'until_week'] as const;
type Until = (typeof untils)[number];
const days: Record<Until, number> = { until_today: 1, until_3d: 3, until_week: 7 };

/** Words to the screen at home, and whether they were seen there. */
export function MessagesPart({ id, name, zone }: PartProps) {
  const asked = useAsked(() => api.messages(id), [id]);
  useArrivals(asked.again, ['message'], id);
  const waiting = waitingOf('message', id);
  return (
    <div class="part part-messages">
      <div class="part-aside">
        {acts() && <Write home={id} name={name} zone={zone} />}
        <RefusedDeeds
          kind="message"
          home={id}
          rewrite={({ body }) =>
            setDraft(id, {
              text: String(body['text'] ?? ''),
              picture: String(body['picture'] ?? ''),
            })
          }
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
                {Boolean(deed.body['picture']) && <Drawn jpeg={String(deed.body['picture'])} />}
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

function setDraft(home: string, change: Partial<Draft>): void {
  const draft = { ...blank, ...drafts.value.get(home), ...change };
  drafts.value = new Map(drafts.value).set(home, draft);
}

/** A picture that is not sent yet. */
function Drawn({ jpeg }: { jpeg: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    show(jpeg, canvas.current!).catch(() => {}); // then without its picture
  }, [jpeg]);
  return (
    <canvas ref={canvas} class="message-picture" role="img" aria-label={t('messages.chosen')} />
  );
}

function Write({ home, name, zone }: { home: string; name: string; zone: string | undefined }) {
  const { text, picture } = drafts.value.get(home) ?? blank;
  const [wrong, setWrong] = useState('');
  const [until, setUntil] = useState<Until>('until_today');
  const field = useRef<HTMLTextAreaElement>(null);
  const submit = (event: Event) => {
    event.preventDefault();
    const empty = !text.trim() && !picture;
    setWrong(empty ? t('notes.empty') : '');
    field.current?.focus();
    if (empty) return;
    const over = startOfDay(addDays(dayOf(now.value, zone), days[until]), zone);
    written.add({
      kind: 'message',
      home,
      what: t('messages.what', { name }),
      method: 'POST',
      path: `/homes/${encodeURIComponent(home)}/messages`,
      body: {
        text: text.trim(),
        ...(picture ? { picture } : {}),
        until: new Date(over).toISOString(),
      },
    });
    setDraft(home, blank);
  };
  const choose = async (input: HTMLInputElement) => {
    const file = input.files?.[0];
    if (!file) return;
    try {
      setDraft(home, { picture: await scaled(file) });
      setWrong('');
    } catch {
      setWrong(t('messages.bad_picture'));
    }
    input.value = ''; // the same one may be chosen again
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
          onInput={(e) => setDraft(home, { text: e.currentTarget.value })}
        />
      </label>
      {picture && <Drawn jpeg={picture} />}
      <div class="row-actions">
        <label class="button file-button">
          <input
            type="file"
            accept="image/*"
            class="visually-hidden"
            onChange={(e) => void choose(e.currentTarget)}
          />
          {t(picture ? 'messages.other_picture' : 'messages.add_picture')}
        </label>
        {picture && (
          <button type="button" class="button" onClick={() => setDraft(home, { picture: '' })}>
            {t('messages.no_picture')}
          </button>
        )}
      </div>
      {wrong && (
        <p class="field-error" role="alert">
          {wrong}
        </p>
      )}
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
