import { useState } from 'preact/hooks';
import { Icon } from '../../shared/icons';
import { t, tMaybe, type Key } from '../../shared/i18n';
import { addDays, shortDate, startOfDay } from '../../shared/time';
import { useAsked } from '../asking';
import { listOf } from '../chainwords';
import { acts } from '../deeds';
import { Dialog } from '../plan/dialog';
import { newKey } from '../queue';
import * as api from './api';
import { Shown, Sign, when } from './common';
import type { PartProps } from './parts';
import './records.css';

/** Who may see what of a resident; decisions of theirs are noted on their behalf. */
export function ConsentPart({ id, name, zone, decided }: PartProps & { decided: () => void }) {
  const asked = useAsked(() => api.consent(id), [id]);
  const [editing, setEditing] = useState<api.Grant | null>(null);
  return (
    <div class="part part-consent">
      <section aria-labelledby="consent-title">
        <h2 id="consent-title">{t('consent.heading')}</h2>
        <p class="lead">{t('consent.text', { name })}</p>
        <Shown asked={asked} name={name}>
          {({ grants, history }) => (
            <>
              <div class="parties">
                {partiesOf(grants).map((party) => (
                  <Party
                    key={party}
                    grants={grants.filter((g) => g.party === party)}
                    zone={zone}
                    edit={setEditing}
                  />
                ))}
              </div>
              <History history={history} zone={zone} />
            </>
          )}
        </Shown>
        {editing && (
          <Edit
            home={id}
            grant={editing}
            zone={zone}
            saved={() => {
              asked.again();
              decided();
            }}
            close={() => setEditing(null)}
          />
        )}
      </section>
    </div>
  );
}

const partiesOf = (grants: readonly api.Grant[]) => [...new Set(grants.map((g) => g.party))];

const partyName = (g: Pick<api.Grant, 'party' | 'name'>): string => {
  if (g.party === 'staff' || g.party === 'relatives') return t(`consent.${g.party}`);
  return g.name || g.party;
};

/** Whether it is about being told of alarms, which is more than seeing something. */
const ofAlarms = (g: Pick<api.Grant, 'party' | 'field'>): boolean =>
  g.field === 'alerts' && g.party !== 'staff';

/** What holds, in words; `only` is a contact who cannot sign in to see more. */
function stateWords(g: api.Grant, only = false): string {
  if (g.field === 'video') return t(g.allowed ? 'consent.rings' : 'consent.rings_not');
  if (g.field === 'auto_answer') return t(g.allowed ? 'consent.answers' : 'consent.answers_not');
  if (!ofAlarms(g)) return t(g.allowed ? 'consent.allowed' : 'consent.refused');
  if (!g.allowed) return t('consent.not_told');
  return t(only ? 'consent.told_only' : 'consent.told');
}

const fieldName = (field: string): string => tMaybe(`field.${field}`) ?? field;

interface PartyProps {
  grants: api.Grant[];
  zone: string | undefined;
  edit: (grant: api.Grant) => void;
}

function Party({ grants, zone, edit }: PartyProps) {
  const open = grants.filter((g) => !g.fixed);
  const names = (allowed: boolean) =>
    grants.filter((g) => g.fixed && g.allowed === allowed).map((g) => fieldName(g.field));
  const [needed, never] = [names(true), names(false)];
  const name = partyName(grants[0]!);
  const sees = open
    .filter((g) => g.allowed && g.field !== 'auto_answer')
    .map((g) => fieldName(g.field));
  // Of a contact who cannot sign in there is nothing but alarms to decide.
  const only = inherits(grants[0]!) && grants.every((g) => g.field === 'alerts');
  const summary = () => {
    if (only) return t(sees.length > 0 ? 'consent.told_of' : 'consent.not_told');
    if (sees.length === 0) return t('consent.sees_nothing');
    return t('consent.sees', { fields: listOf(sees).toLocaleLowerCase() });
  };
  const why = (g: api.Grant) => {
    if (g.at) return howWords(g);
    if (ofAlarms(g) && g.allowed) return t('consent.contact');
    return t(inherits(g) ? 'consent.as_relatives' : 'consent.default');
  };
  const list = (
    <>
      <ul class="grants">
        {open.map((g) => (
          <li key={g.field} class={g.allowed ? 'grant grant-yes' : 'grant grant-no'}>
            <span class="grant-sign">
              {g.allowed ? <Icon name="check" /> : <Sign name="hand" />}
            </span>
            <span class="grant-what">
              <strong>{fieldName(g.field)}</strong>
              <span>
                {stateWords(g, only)}
                {g.until &&
                  ` ${t('consent.until', { when: shortDate(Date.parse(g.until) - 1, zone) })}`}
                <span class="quiet"> · {why(g)}</span>
              </span>
            </span>
            {acts() && (
              <button type="button" class="button" onClick={() => edit(g)}>
                {t('consent.change')}
                <span class="visually-hidden">
                  {' '}
                  – {t('consent.edit', { party: name, field: fieldName(g.field) })}
                </span>
              </button>
            )}
          </li>
        ))}
      </ul>
      {needed.length > 0 && (
        <p class="quiet">{t('consent.fixed', { fields: listOf(needed).toLocaleLowerCase() })}</p>
      )}
      {never.length > 0 && (
        <p class="quiet">{t('consent.never', { fields: listOf(never).toLocaleLowerCase() })}</p>
      )}
    </>
  );
  if (grants[0]!.party === 'staff') {
    return (
      <section class="tool party">
        <h3>{name}</h3>
        {list}
      </section>
    );
  }
  return (
    <section class="tool party">
      <details>
        <summary>
          <h3>{name}</h3>
          <span class="quiet">{summary()}</span>
          <Icon name="right" />
        </summary>
        {list}
      </details>
    </section>
  );
}

// Of one relative, what is decided about all of them holds.
const inherits = (g: api.Grant): boolean => g.party.startsWith('person:');

const howWords = (g: api.Grant): string =>
  g.how === 'screen'
    ? t('consent.own')
    : t('consent.by', { how: tMaybe(`consent.${g.how}`) ?? g.how, by: g.by });

function History({ history, zone }: { history: readonly api.Grant[]; zone: string | undefined }) {
  return (
    <details class="more-below">
      <summary>{t('consent.history')}</summary>
      {history.length === 0 && <p>{t('consent.history_none')}</p>}
      <ul class="notes">
        {history.map((g, i) => (
          <li key={`${g.at}-${i}`} class="note">
            <p>
              <strong>{g.at && when(g.at, zone)}</strong> {partyName(g)}: {fieldName(g.field)} –{' '}
              {stateWords(g).toLocaleLowerCase()}
              {g.until &&
                ` ${t('consent.until', { when: shortDate(Date.parse(g.until) - 1, zone) })}`}
            </p>
            <p class="quiet">{[howWords(g), g.purpose].filter(Boolean).join(' · ')}</p>
          </li>
        ))}
      </ul>
    </details>
  );
}

/** What the resident can say to it. */
function answersAbout(g: Pick<api.Grant, 'party' | 'field'>): [Key, Key] {
  if (ofAlarms(g)) return ['consent.yes_told', 'consent.no_told'];
  if (g.field === 'video') return ['consent.yes_rings', 'consent.no_rings'];
  if (g.field === 'auto_answer') return ['consent.answers', 'consent.answers_not'];
  return ['consent.yes', 'consent.no'];
}

interface EditProps {
  home: string;
  grant: api.Grant;
  zone: string | undefined;
  saved: () => void;
  close: () => void;
}

function Edit({ home, grant, zone, saved, close }: EditProps) {
  const [allowed, setAllowed] = useState(!grant.allowed);
  const [how, setHow] = useState('');
  const [purpose, setPurpose] = useState('');
  const [until, setUntil] = useState('');
  const [yes, no] = answersAbout(grant);
  // One decision is one, however often the button is pressed.
  const [key] = useState(newKey);
  const choice = (name: string, label: string, on: boolean, set: () => void) => (
    <label class="segment">
      <input type="radio" name={name} checked={on} onChange={set} />
      <span>{label}</span>
    </label>
  );
  const check = () => {
    if (!how) return t('consent.how_missing');
    return allowed && !purpose.trim() ? t('consent.purpose_missing') : '';
  };
  const save = async () => {
    const over = until && new Date(startOfDay(addDays(until, 1), zone)).toISOString();
    await api.decide(
      home,
      {
        party: grant.party,
        field: grant.field,
        allowed,
        purpose: purpose.trim(),
        ...(over ? { until: over } : {}),
        how,
      },
      key,
    );
    saved();
  };
  return (
    <Dialog
      title={t('consent.edit', { party: partyName(grant), field: fieldName(grant.field) })}
      save={t('consent.note')}
      check={check}
      onSave={save}
      onClose={close}
    >
      <fieldset class="segments">
        <legend>{t('consent.answer')}</legend>
        {choice('allowed', t(yes), allowed, () => setAllowed(true))}
        {choice('allowed', t(no), !allowed, () => setAllowed(false))}
      </fieldset>
      <fieldset class="segments">
        <legend>{t('consent.how')}</legend>
        {choice('how', t('consent.spoken'), how === 'spoken', () => setHow('spoken'))}
        {choice('how', t('consent.paper'), how === 'paper', () => setHow('paper'))}
      </fieldset>
      <label class="field">
        <span>{t('consent.purpose')}</span>
        <input maxLength={400} value={purpose} onInput={(e) => setPurpose(e.currentTarget.value)} />
      </label>
      <label class="field">
        <span>{t('consent.until_field')}</span>
        <input type="date" value={until} onInput={(e) => setUntil(e.currentTarget.value)} />
      </label>
    </Dialog>
  );
}
