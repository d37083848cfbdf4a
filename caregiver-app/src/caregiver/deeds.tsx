import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Alert, Outcome } from '../api/types';
import { t, tn } from '../shared/i18n';
import { outcomeName } from '../shared/words';
import { Later } from './later';
import { can } from './may';
import type { Action } from './queue';
import { holderOf, me, notice, queue } from './state';

const outcomes: readonly Outcome[] = [
  'helped',
  'false_press',
  'could_not_reach',
  'test',
  'technical',
  'other',
];

/** Minutes until somebody is there, to be said with one touch. */
const ways = [5, 10, 15, 20, 30] as const;

interface Draft {
  alert: string;
  form: 'way' | 'close';
  outcome: Outcome | '';
  note: string;
}

// Which alert's form is open. Kept here, so that a card that moves in the list
// does not lose what was being written.
const open = signal<Draft | null>(null);

const draftOf = (alert: string) => (open.value?.alert === alert ? open.value : null);

// Who runs the machines sees alerts and leaves them to those who give care.
export const acts = () => me.value?.role !== 'operator';

interface DeedsProps {
  alert: Alert;
  /** The alert's name among others, for who cannot see the card about the button. */
  which: string;
  /** What this person has done to it and the server does not know yet. */
  waiting: readonly Action[];
  closing: boolean;
}

/** What the person can do to an alert: take it, set out, take over, close. */
export function Deeds({ alert, which, waiting, closing }: DeedsProps) {
  const wayButton = useRef<HTMLButtonElement>(null);
  const closeButton = useRef<HTMLButtonElement>(null);
  const draft = draftOf(alert.id);
  if (closing) return null;
  const done = (button: typeof wayButton) => () => {
    open.value = null;
    requestAnimationFrame(() => button.current?.focus());
  };
  if (draft?.form === 'close') return <CloseForm alert={alert} done={done(closeButton)} />;
  if (draft?.form === 'way') return <WayForm alert={alert} done={done(wayButton)} />;

  const holder = holderOf(alert);
  const mine = waiting.length > 0 || (holder !== '' && holder === me.value?.name);
  const says = <span class="visually-hidden"> – {which}</span>;
  const start = (form: Draft['form']) => {
    open.value = { alert: alert.id, form, outcome: alert.test ? 'test' : '', note: '' };
    // What was said of the last act lies over the form on a phone.
    if (!notice.value?.bad) notice.value = null;
  };
  const take = (kind: 'acknowledge' | 'take_over') => () => {
    queue.add({ alert: alert.id, kind });
    requestAnimationFrame(() => (wayButton.current ?? closeButton.current)?.focus());
  };
  const setsOut = mine && !alert.test && alert.severity !== 'technical';
  return (
    <div class="card-actions">
      {alert.state === 'open' && !mine && (
        <button
          type="button"
          class={alert.test ? 'button' : 'button button-main'}
          data-deed="take"
          onClick={take('acknowledge')}
        >
          {t('alert.take')}
          {says}
        </button>
      )}
      {holder && !mine && (
        <button
          type="button"
          class={alert.overdue ? 'button button-main' : 'button'}
          data-deed="take"
          onClick={take('take_over')}
        >
          {t('alert.take_over')}
          {says}
        </button>
      )}
      {mine && alert.overdue && waiting.length === 0 && (
        <button type="button" class="button button-main" onClick={take('take_over')}>
          {t('alert.still')}
          {says}
        </button>
      )}
      {setsOut && (
        <button
          type="button"
          class={alert.stage === 'acknowledged' && !alert.overdue ? 'button button-main' : 'button'}
          ref={wayButton}
          data-deed="way"
          onClick={() => start('way')}
        >
          {t(alert.stage === 'on_the_way' ? 'alert.way_again' : 'alert.way_start')}
          {says}
        </button>
      )}
      <button type="button" class="button" ref={closeButton} onClick={() => start('close')}>
        {t('alert.close')}
        {says}
      </button>
      {can('video') && !alert.test && alert.severity !== 'technical' && (
        <Later
          page="call-button"
          quiet
          home={alert.home}
          name={alert.home_name}
          alert={alert.id}
          emergency={alert.severity === 'emergency'}
          main={alert.kind === 'call_back' && mine}
          which={which}
        />
      )}
    </div>
  );
}

function WayForm({ alert, done }: { alert: Alert; done: () => void }) {
  const form = useRef<HTMLFieldSetElement>(null);
  useEffect(() => form.current?.querySelector('button')?.focus(), []);
  const go = (minutes: number) => {
    queue.add({ alert: alert.id, kind: 'on_the_way', ...(minutes ? { minutes } : {}) });
    done();
  };
  return (
    <fieldset
      class="close-form way-form"
      ref={form}
      onKeyDown={(e) => e.key === 'Escape' && done()}
    >
      <legend>{t('way.heading')}</legend>
      <div class="ways">
        {ways.map((n) => (
          <button type="button" class="button" key={n} onClick={() => go(n)}>
            {tn('way.minutes', n)}
          </button>
        ))}
        <button type="button" class="button" onClick={() => go(0)}>
          {t('way.unsaid')}
        </button>
      </div>
      <button type="button" class="button button-plain" onClick={done}>
        {t('close.cancel')}
      </button>
    </fieldset>
  );
}

function CloseForm({ alert, done }: { alert: Alert; done: () => void }) {
  const form = useRef<HTMLFormElement>(null);
  const draft = draftOf(alert.id);
  const missing = useRef<HTMLParagraphElement>(null);
  useEffect(() => form.current?.querySelector('input')?.focus(), []);
  if (!draft) return null;

  const submit = (event: Event) => {
    event.preventDefault();
    if (!draft.outcome) {
      missing.current!.hidden = false;
      form.current?.querySelector('input')?.focus();
      return;
    }
    queue.add({
      alert: alert.id,
      kind: 'resolve',
      outcome: draft.outcome,
      note: draft.note.trim(),
    });
    open.value = null;
    // The card is about to go; the heading of the screen is where to go on from.
    document.querySelector<HTMLElement>('h1')?.focus();
  };

  return (
    <form
      class="close-form"
      ref={form}
      onSubmit={submit}
      onKeyDown={(e) => e.key === 'Escape' && done()}
    >
      <fieldset>
        <legend>{t('close.heading')}</legend>
        <div class="choices">
          {outcomes.map((o) => (
            <label class="choice" key={o}>
              <input
                type="radio"
                name={`outcome-${alert.id}`}
                checked={draft.outcome === o}
                onChange={() => {
                  missing.current!.hidden = true;
                  open.value = { ...draft, outcome: o };
                }}
              />
              <span>{outcomeName(o)}</span>
            </label>
          ))}
        </div>
        <p class="field-error" role="alert" ref={missing} hidden>
          {t('close.pick')}
        </p>
      </fieldset>
      <label class="field">
        <span>{t('close.note')}</span>
        <textarea
          rows={2}
          maxLength={1000}
          value={draft.note}
          onInput={(e) => (open.value = { ...draft, note: e.currentTarget.value })}
        />
      </label>
      <div class="card-actions">
        <button type="submit" class="button button-main">
          {t('close.confirm')}
        </button>
        <button type="button" class="button" onClick={done}>
          {t('close.cancel')}
        </button>
      </div>
    </form>
  );
}
