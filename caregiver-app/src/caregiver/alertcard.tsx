import { signal } from '@preact/signals';
import type { Alert } from '../api/types';
import { Icon } from '../shared/icons';
import { t } from '../shared/i18n';
import { ago, atMoment, clock, clockSeconds, now } from '../shared/time';
import { alertName, deviceName, inRoom } from '../shared/words';
import { standing, trouble, wordBack } from './alertwords';
import { acts, Deeds } from './deeds';
import { Later } from './later';
import type { Action } from './queue';
import { homes, me, needsSomebody, queue, turns } from './state';

/** One alert: who, what, where, since when, who has it; to be taken and closed in place. */
export function AlertCard({ alert, atHome = false, page = false }: CardProps) {
  const zone = homes.value.get(alert.home)?.zone;
  const name = me.value?.name ?? '';
  const waiting = queue.waiting.value.filter((a) => a.alert === alert.id && a.who === name);
  const close = waiting.find((a) => a.kind === 'resolve');
  const at = now.value;
  const observed = Date.parse(alert.observed);
  const raised = Date.parse(alert.raised);
  const place = inRoom(alert.room);
  const moment = (ms: number) => atMoment(ms, at, zone);
  // The device of a missed check-in is the window that it missed.
  const named = alert.severity === 'technical' && alert.kind !== 'check_in_missed';
  // Presses again and again look alike: their number and second tell them apart.
  const turn = turns.value.get(alert.id);
  const when = turn ? clockSeconds(observed, zone) : clock(observed, zone);
  const which = turn ? `${alert.home_name}, ${when}` : alert.home_name;
  const back = wordBack(alert, name, at, zone);
  const wrong = trouble(alert);

  const Heading = page ? 'h2' : 'h3';
  const classes = ['card', `card-${alert.test ? 'test' : shown(alert.severity)}`];
  if (needsSomebody(alert) && waiting.length === 0) classes.push('card-open');

  return (
    <article
      class={classes.join(' ')}
      data-alert={alert.id}
      tabIndex={-1}
      aria-labelledby={`who-${alert.id}`}
    >
      <div class="card-head">
        <span class="card-icon">
          <Icon name={alert.test ? 'check' : alert.kind} />
        </span>
        <div class="card-who">
          <div class="card-top">
            {!atHome && <p class="card-kind">{titleOf(alert)}</p>}
            <p class="card-when">{since(observed, at, zone, when)}</p>
          </div>
          <Heading id={`who-${alert.id}`} class="card-name">
            {atHome ? (
              titleOf(alert)
            ) : (
              <a href={`/homes/${encodeURIComponent(alert.home)}`}>{alert.home_name}</a>
            )}
          </Heading>
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
          {alert.state !== 'open' && <Icon name={alert.overdue ? 'clock' : 'check'} />}
          <span>{standing(alert, name, at, zone)}</span>
        </p>
        {back && <p class={alert.reached ? 'card-back' : 'card-extra'}>{back}</p>}
        {wrong && <p class="card-trouble">{wrong}</p>}
        {alert.state === 'resolved' && alert.note && <p class="card-extra">{alert.note}</p>}
      </div>
      <Unsent waiting={waiting} />
      {acts() && alert.state !== 'resolved' && (
        <Deeds alert={alert} which={which} waiting={waiting} closing={close !== undefined} />
      )}
      {!page && <CardChain alert={alert} />}
    </article>
  );
}

interface CardProps {
  alert: Alert;
  /** On the page of its home, which names the home. */
  atHome?: boolean;
  /** On the page of the alert, which shows its whole chain. */
  page?: boolean;
}

const titleOf = (alert: Alert) =>
  alert.test ? t('alert.as_test', { kind: alertName(alert) }) : alertName(alert);

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

// What the person did shows at once, and as not sent until the server has it.
function Unsent({ waiting }: { waiting: readonly Action[] }) {
  const last = waiting.at(-1);
  if (!last) return null;
  const sending = queue.sending.value === last.key;
  const text = unsent[last.kind];
  return (
    <p class={sending ? 'card-unsent' : 'card-unsent card-unsent-late'} role="status">
      {sending ? t('alert.sending') : t(text)}
    </p>
  );
}

const unsent = {
  acknowledge: 'alert.take_unsent',
  take_over: 'alert.take_unsent',
  on_the_way: 'alert.way_unsent',
  resolve: 'alert.close_unsent',
} as const;

// Which alerts' chains are open, wherever their cards move.
const opened = signal<ReadonlySet<string>>(new Set());

// Who was told of it, fetched when it is asked for.
function CardChain({ alert }: { alert: Alert }) {
  const open = opened.value.has(alert.id);
  return (
    <details
      class="card-chain"
      open={open}
      onToggle={(e) => {
        const next = new Set(opened.value);
        if (e.currentTarget.open) next.add(alert.id);
        else next.delete(alert.id);
        opened.value = next;
      }}
    >
      <summary>
        {t('alert.chain')}
        <span class="visually-hidden"> – {alert.home_name}</span>
      </summary>
      {open && (
        <div class="card-chain-box">
          <Later page="chain" alert={alert.id} />
          <a href={`/alert/${encodeURIComponent(alert.id)}`}>{t('alert.chain_whole')}</a>
        </div>
      )}
    </details>
  );
}
