import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../shared/i18n';
import { atMoment, now, serverNow } from '../shared/time';
import { unbroken } from '../shared/unbroken';
import { api, part, request } from '../api/http';
import type { Message } from './api';
import type { FamilyDeed } from './deeds';
import { FamilyIcon } from './icons';
import './pagetexts';
import { scaled, show } from './picture';
import { askMessages, homeOf, inWords, messages, queue, say, waitingFor } from './state';

const longest = 500;
const day = 24 * 60 * 60_000;
const spans = [1, 3, 7] as const;

/** Writing to the screen in a home, and what became of what was written. */
export function MessagesScreen({ home }: { home: string }) {
  const at = homeOf(home);
  const list = messages.value.get(home);
  const coming = list?.some((m) => !m.heard && !isOver(m, now.value));
  useEffect(() => void askMessages(home), [home]);
  // That the screen has shown something is no event of its own.
  useEffect(() => {
    if (!coming) return;
    const timer = setInterval(() => document.hidden || void askMessages(home), 15_000);
    return () => clearInterval(timer);
  }, [home, coming]);
  if (!at) return null;
  const waiting = waitingFor(home).filter((d) => d.kind === 'message');
  const allowed = at.allowed.includes('messages');
  return (
    <>
      <h1 tabIndex={-1}>{t('family.messages.title', { name: at.name })}</h1>
      {allowed ? (
        <Writer home={home} name={at.name} />
      ) : (
        <div class="panel">
          <p>{t('family.messages.refused', { name: at.name })}</p>
          <p class="quiet">{t('family.decides', { name: at.name })}</p>
        </div>
      )}
      <h2 class="list-title">{t('family.messages.sent')}</h2>
      {!list && waiting.length === 0 && <p role="status">{t('family.fetching')}</p>}
      {list?.length === 0 && waiting.length === 0 && (
        <p class="quiet">{t('family.messages.none')}</p>
      )}
      <ul class="messages">
        {waiting
          .slice()
          .reverse()
          .map((d) => (
            <Unsent key={d.key} deed={d} />
          ))}
        {list?.map((m) => (
          <Sent key={m.id} home={home} message={m} name={at.name} />
        ))}
      </ul>
    </>
  );
}

const addressOf = (home: string, message: string) =>
  `${api}/homes/${part(home)}/messages/${part(message)}`;

const isOver = (m: Message, at: number) => m.until !== null && Date.parse(m.until) < at;

function Writer({ home, name }: { home: string; name: string }) {
  const text = useSignal('');
  const picture = useSignal('');
  const days = useSignal<number>(1);
  const wrong = useSignal('');
  const reading = useSignal(false);
  const field = useRef<HTMLTextAreaElement>(null);

  const choose = async (input: HTMLInputElement) => {
    const [file] = input.files ?? [];
    input.value = ''; // the same one can be chosen again
    if (!file) return;
    reading.value = true;
    wrong.value = '';
    try {
      picture.value = await scaled(file);
    } catch {
      wrong.value = t('family.messages.bad_picture');
    } finally {
      reading.value = false;
    }
  };
  const send = () => {
    const words = text.value.trim();
    if (!words && !picture.value) {
      wrong.value = t('family.messages.empty');
      field.current?.focus();
      return;
    }
    const taken = queue.add({
      kind: 'message',
      home,
      text: words,
      ...(picture.value ? { picture: picture.value } : {}),
      until: serverNow() + days.value * day,
    });
    if (!taken) {
      wrong.value = t('family.full');
      return;
    }
    text.value = picture.value = wrong.value = '';
  };
  const left = longest - text.value.length;
  return (
    <form
      class="panel writer"
      onSubmit={(e) => {
        e.preventDefault();
        send();
      }}
    >
      <label class="field">
        <span>{t('family.messages.text', { name })}</span>
        <textarea
          ref={field}
          rows={3}
          maxLength={longest}
          value={text.value}
          aria-describedby="writer-hint"
          onInput={(e) => (text.value = e.currentTarget.value)}
        />
      </label>
      <p id="writer-hint" class="quiet">
        {t('family.messages.hint')}
        {left < 100 && ` ${t('family.messages.left', { n: left })}`}
      </p>
      {picture.value && (
        <figure class="preview">
          <Drawn jpeg={picture.value} label={t('family.messages.preview')} />
          <button type="button" class="button" onClick={() => (picture.value = '')}>
            {t('family.messages.no_picture')}
          </button>
        </figure>
      )}
      <div class="writer-tools">
        <label class="button file-button">
          <input
            type="file"
            accept="image/*"
            class="visually-hidden"
            onChange={(e) => void choose(e.currentTarget)}
          />
          <FamilyIcon name="picture" />
          {t(picture.value ? 'family.messages.other_picture' : 'family.messages.picture')}
        </label>
        <label class="field span-field">
          <span>{t('family.messages.shown')}</span>
          <select
            value={String(days.value)}
            onChange={(e) => (days.value = Number(e.currentTarget.value))}
          >
            {spans.map((n) => (
              <option key={n} value={n}>
                {t(`family.messages.span_${n}`)}
              </option>
            ))}
          </select>
        </label>
      </div>
      {reading.value && <p role="status">{t('family.messages.reading')}</p>}
      {wrong.value && (
        <p class="field-error" role="alert">
          {unbroken(wrong.value)}
        </p>
      )}
      <button type="submit" class="button button-main button-wide" disabled={reading.value}>
        {t('family.messages.send', { name })}
      </button>
    </form>
  );
}

/** A picture that has not been sent, drawn. */
function Drawn({ jpeg, label }: { jpeg: string; label: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (canvas.current) show(jpeg, canvas.current).catch(() => {}); // then without its picture
  }, [jpeg]);
  return <canvas ref={canvas} class="picture" role="img" aria-label={label} />;
}

function Unsent({ deed }: { deed: FamilyDeed }) {
  const sending = queue.sending.value === deed.key;
  return (
    <li class="message message-unsent">
      {deed.text && <p class="message-text">{deed.text}</p>}
      {deed.picture && <Drawn jpeg={deed.picture} label={t('family.messages.picture_alt')} />}
      <p class="unsent" role="status">
        {t(sending ? 'family.sending' : 'family.messages.unsent')}
      </p>
      {!sending && (
        <button type="button" class="button" onClick={() => queue.takeBack(deed.key)}>
          {t('family.messages.drop')}
        </button>
      )}
    </li>
  );
}

function Sent({ home, message: m, name }: { home: string; message: Message; name: string }) {
  const working = useSignal(false);
  const at = now.value;
  const zone = homeOf(home)?.zone;
  const when = (s: string) => atMoment(Date.parse(s), at, zone);
  const over = isOver(m, at);
  const takeBack = async () => {
    working.value = true;
    try {
      await request(addressOf(home, m.id), { method: 'DELETE' });
      say(t('family.messages.taken_back'));
    } catch (error) {
      say(inWords(error), true);
    } finally {
      working.value = false;
      await askMessages(home);
    }
  };
  const state = m.heard
    ? t('family.messages.heard', { name, when: when(m.heard) })
    : over
      ? t('family.messages.over')
      : m.reached
        ? t('family.messages.reached', { when: when(m.reached) })
        : t('family.messages.on_its_way');
  return (
    <li class="message">
      <p class="quiet">{t('family.messages.at', { when: when(m.at) })}</p>
      {m.text && <p class="message-text">{m.text}</p>}
      {m.picture && (
        <img
          class="picture"
          src={`${addressOf(home, m.id)}/picture`}
          alt={t('family.messages.picture_alt')}
          loading="lazy"
        />
      )}
      <p class={m.heard ? 'message-state message-heard' : 'message-state'}>
        <FamilyIcon name={m.heard || m.reached ? 'check' : 'message'} />
        {state}
      </p>
      {!over && (
        <button
          type="button"
          class="button button-plain message-back"
          disabled={working.value}
          onClick={() => void takeBack()}
        >
          {t('family.messages.take_back')}
        </button>
      )}
    </li>
  );
}
