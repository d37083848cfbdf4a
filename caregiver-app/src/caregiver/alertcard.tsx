import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Alert, Outcome } from '../api/types';
import { Icon } from '../shared/icons';
import { t } from '../shared/i18n';
import { ago, atMoment, clock, clockSeconds, now } from '../shared/time';
import { alertName, deviceName, inRoom, outcomeName } from '../shared/words';
import { homes, me, notice, queue, turns } from './state';

const outcomes: readonly Outcome[] = [
  'helped',
  'false_press',
  'could_not_reach',
  'test',
  'technical',
  'other',
];

// Which alert's closing form is open. Kept here, so that a card that moves in
// the list does not lose what was being written.
const closing = signal<{ alert: string; outcome: Outcome | ''; note: string } | null>(null);

/** One alert: who, what, where, since when, who has it; to be taken and closed in place. */
export function AlertCard({ alert, atHome = false }: { alert: Alert; atHome?: boolean }) {
  const zone = homes.value.get(alert.home)?.zone;
  const waiting = queue.waiting.value.filter(
    (a) => a.alert === alert.id && a.who === me.value?.name,
  );
  const take = waiting.find((a) => a.kind === 'acknowledge');
  const close = waiting.find((a) => a.kind === 'resolve');
  const open = alert.state === 'open';
  const form = closing.value?.alert === alert.id;
  const closeButton = useRef<HTMLButtonElement>(null);
  const observed = Date.parse(alert.observed);
  const raised = Date.parse(alert.raised);
  const place = inRoom(alert.room);
  const moment = (ms: number) => atMoment(ms, now.value, zone);
  // The device of a missed check-in is the window that it missed.
  const named = alert.severity === 'technical' && alert.kind !== 'check_in_missed';
  // Presses again and again look alike: their number and second tell them apart.
  const turn = turns.value.get(alert.id);
  const when = turn ? clockSeconds(observed, zone) : clock(observed, zone);
  const which = turn ? `${alert.home_name}, ${when}` : alert.home_name;

  const classes = ['card', `card-${shown(alert.severity)}`];
  if (open && !take && !close) classes.push('card-open');

  return (
    <article class={classes.join(' ')} data-alert={alert.id} aria-labelledby={`who-${alert.id}`}>
      <div class="card-head">
        <span class="card-icon">
          <Icon name={alert.kind} />
        </span>
        <div class="card-who">
          <div class="card-top">
            {!atHome && <p class="card-kind">{alertName(alert)}</p>}
            <p class="card-when">{since(observed, now.value, zone, when)}</p>
          </div>
          <h3 id={`who-${alert.id}`} class="card-name">
            {atHome ? (
              alertName(alert)
            ) : (
              <a href={`/homes/${encodeURIComponent(alert.home)}`}>{alert.home_name}</a>
            )}
          </h3>
        </div>
      </div>
      <div class="card-facts">
        {(place || turn || (named && alert.device)) && (
          <p class="card-place">
            {[
              place && sentence(place),
              turn && t('alert.nth', { n: turn.n, of: turn.of }),
              named && alert.device && t('alert.device', { device: deviceName(alert.device) }),
            ]
              .filter(Boolean)
              .join(' · ')}
          </p>
        )}
        {alert.kind === 'check_in_missed' && (
          <p class="card-place">{t('alert.check_in_due', { when: moment(observed) })}</p>
        )}
        {!absences.has(alert.kind) && raised - observed > 120_000 && (
          <p class="card-extra">{t('alert.late', { when: moment(raised) })}</p>
        )}
        {alert.recovered && (
          <p class="card-extra">
            {t('alert.recovered', { when: moment(Date.parse(alert.recovered)) })}
          </p>
        )}
        <p class="card-state">
          {!open && <Icon name="check" />}
          <span>{stateOf(alert, moment)}</span>
        </p>
      </div>
      <Unsent take={take?.key} close={close?.key} />
      {!acts() ? null : form && !close ? (
        <CloseForm alert={alert} done={() => closeButton.current?.focus()} />
      ) : (
        <div class="card-actions">
          {open && !take && !close && (
            <button
              type="button"
              class="button button-main"
              onClick={() => {
                queue.add({ alert: alert.id, kind: 'acknowledge' });
                closeButton.current?.focus();
              }}
            >
              {t('alert.take')}
              <span class="visually-hidden"> – {which}</span>
            </button>
          )}
          {!close && (
            <button
              type="button"
              class="button"
              ref={closeButton}
              onClick={() => {
                closing.value = { alert: alert.id, outcome: '', note: '' };
                // What was said of the last act lies over the form on a phone.
                if (!notice.value?.bad) notice.value = null;
              }}
            >
              {t('alert.close')}
              <span class="visually-hidden"> – {which}</span>
            </button>
          )}
        </div>
      )}
    </article>
  );
}

// Who runs the machines sees alerts and leaves them to those who give care.
const acts = () => me.value?.role !== 'operator';

// These are raised a while after what they are about by their nature; they are not late.
const absences = new Set(['check_in_missed', 'gateway_silent', 'sensor_silent']);

// "4 min sedan · 14:08"; what is from another day says its clock time already.
function since(ms: number, at: number, zone: string | undefined, time: string): string {
  const words = ago(ms, at, zone);
  return words.includes(time) ? words : `${words} · ${time}`;
}

const shown = (severity: string) =>
  ['emergency', 'attention', 'technical'].includes(severity) ? severity : 'technical';

const sentence = (s: string) => s.charAt(0).toLocaleUpperCase() + s.slice(1);

function stateOf(alert: Alert, moment: (ms: number) => string): string {
  const time = (s?: string) => (s ? moment(Date.parse(s)) : '');
  switch (alert.state) {
    case 'open':
      return t(alert.severity === 'technical' ? 'alert.open_technical' : 'alert.open');
    case 'resolved': {
      const values = { when: time(alert.resolved_at), outcome: outcomeName(alert.outcome ?? '') };
      return alert.resolved_by
        ? t('alert.resolved', { ...values, name: alert.resolved_by })
        : t('alert.resolved_self', values);
    }
  }
  if (!alert.acknowledged_by) return t('alert.taken_unknown');
  return alert.acknowledged_by === me.value?.name
    ? t('alert.taken_me', { when: time(alert.acknowledged_at) })
    : t('alert.taken', { name: alert.acknowledged_by, when: time(alert.acknowledged_at) });
}

// What the person did shows at once, and as not sent until the server has it.
function Unsent({ take, close }: { take: string | undefined; close: string | undefined }) {
  const key = close ?? take;
  if (!key) return null;
  const sending = queue.sending.value === key;
  return (
    <p class={sending ? 'card-unsent' : 'card-unsent card-unsent-late'} role="status">
      {sending ? t('alert.sending') : t(close ? 'alert.close_unsent' : 'alert.take_unsent')}
    </p>
  );
}

function CloseForm({ alert, done }: { alert: Alert; done: () => void }) {
  const form = useRef<HTMLFormElement>(null);
  const draft = closing.value;
  const missing = useRef<HTMLParagraphElement>(null);
  useEffect(() => form.current?.querySelector('input')?.focus(), []);
  if (!draft) return null;

  const cancel = () => {
    closing.value = null;
    requestAnimationFrame(done);
  };
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
    closing.value = null;
    // The card is about to go; the heading of the screen is where to go on from.
    document.querySelector<HTMLElement>('h1')?.focus();
  };

  return (
    <form
      class="close-form"
      ref={form}
      onSubmit={submit}
      onKeyDown={(e) => e.key === 'Escape' && cancel()}
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
                  closing.value = { ...draft, outcome: o };
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
          onInput={(e) => (closing.value = { ...draft, note: e.currentTarget.value })}
        />
      </label>
      <div class="card-actions">
        <button type="submit" class="button button-main">
          {t('close.confirm')}
        </button>
        <button type="button" class="button" onClick={cancel}>
          {t('close.cancel')}
        </button>
      </div>
    </form>
  );
}
