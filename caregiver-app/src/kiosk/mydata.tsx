import { troubleOf } from './asking';
import { rowsOf } from './daywords';
import { Drawing } from './drawings';
import { deedOf, type Props } from './model';
import { Pages } from './pages';
import {
  fieldName,
  fixedBecause,
  grantQuestion,
  grantState,
  lookLines,
  partiesOf,
  partyName,
} from './rights';
import type { Grant } from './status';
import { t } from './texts';

const grantsOf = ({ model }: Props): Grant[] => model.status?.day?.grants ?? [];

/** Today and the days after. */
export function MyDay({ model }: Props) {
  const { now } = model.view;
  const rows = model.status && now !== undefined ? rowsOf(model.status, now) : [];
  if (rows.length === 0) return <p class="empty">{t('kiosk.day_empty')}</p>;
  return (
    <Pages
      items={rows}
      label={t('kiosk.nav_day')}
      // The last that has been, and what comes.
      first={Math.max(0, rows.findIndex(({ past }) => !past) - 1)}
      keyOf={({ key, day }) => key + day}
      of={({ day, time, text, detail, past, done }) => (
        <div class="row" data-past={past}>
          {day && <p class="daylabel">{day}</p>}
          <p class="time">{time}</p>
          <p class="text">
            <strong>{text}</strong> <span class="quiet">{detail}</span>
          </p>
          {done && <Drawing name="check" />}
        </div>
      )}
    />
  );
}

/** Whom the resident decides about, and who has looked. */
export function MyData(props: Props) {
  const { acts } = props;
  const parties = partiesOf(grantsOf(props));
  const items = [{ party: '', name: '' }, ...parties];
  return (
    <>
      <p class="intro">{t('kiosk.data_intro')}</p>
      <Pages
        items={items}
        label={t('kiosk.nav_data')}
        keyOf={({ party }) => party}
        of={(item) =>
          item.party === '' ? (
            <button type="button" class="plain across" onClick={() => acts.go({ name: 'looks' })}>
              <Drawing name="eye" />
              {t('kiosk.data_looks')}
            </button>
          ) : (
            <button
              type="button"
              class="plain"
              onClick={() => acts.go({ name: 'party', party: item.party })}
            >
              <Drawing name="person" />
              {partyName(item)}
            </button>
          )
        }
      />
    </>
  );
}

/** Who has looked, in sentences. */
export function Looks({ model }: Props) {
  const lines = lookLines(model.status?.day?.looks ?? [], model.view.now, model.status?.zone);
  if (lines.length === 0) return <p class="empty">{t('kiosk.looks_empty')}</p>;
  return (
    <Pages
      items={lines}
      label={t('kiosk.data_looks')}
      keyOf={({ key }) => key}
      of={({ text }) => <p class="sentence">{text}</p>}
    />
  );
}

/** What one party may know. */
export function PartyGrants(props: Props & { party: string }) {
  const { model, acts, party } = props;
  const grants = grantsOf(props).filter((g) => g.party === party);
  // What can be changed first.
  grants.sort((a, b) => Number(a.fixed ?? false) - Number(b.fixed ?? false));
  if (grants.length === 0) return <p class="empty">{t('kiosk.grants_empty')}</p>;
  return (
    <Pages
      items={grants}
      label={partyName(grants[0]!)}
      keyOf={({ field }) => field}
      of={(grant) =>
        grant.fixed ? (
          <div class="grant" data-allowed={grant.allowed}>
            <Drawing name="lock" />
            <span class="words">
              <strong>{fieldName(grant.field)}</strong>{' '}
              <span class="hint">{fixedBecause(grant)}</span>
            </span>
          </div>
        ) : (
          <button
            type="button"
            class="plain grant"
            data-allowed={grant.allowed}
            onClick={() => acts.go({ name: 'grant', party, field: grant.field })}
          >
            <Drawing name={grant.allowed ? 'check' : 'no'} />
            <span class="words">
              <strong>{fieldName(grant.field)}</strong>{' '}
              <span class="hint">
                {troubleOf(model.deeds.of(deedOf.grant(grant))) || grantState(grant)}
              </span>
            </span>
          </button>
        )
      }
    />
  );
}

/** The step before a decision is changed. */
export function GrantChange(props: Props & { party: string; field: string }) {
  const { model, acts, party, field } = props;
  const grant = grantsOf(props).find((g) => g.party === party && g.field === field);
  if (!grant || grant.fixed) return <p class="empty">{t('kiosk.grants_empty')}</p>;
  const { now, change } = grantQuestion(grant);
  const deed = model.deeds.of(deedOf.grant(grant));
  const busy = deed?.state === 'saving' || deed?.state === 'trouble';
  return (
    <div class="one decide">
      <div role="status">
        <p class="large">{fieldName(field)}</p>
        <p>{now}</p>
        {troubleOf(deed) && <p class="quiet">{troubleOf(deed)}</p>}
      </div>
      <div class="choices">
        <button
          type="button"
          class={grant.allowed ? 'plain' : 'yes'}
          aria-disabled={busy}
          onClick={() => acts.decide(grant)}
        >
          <Drawing name={grant.allowed ? 'no' : 'check'} />
          <span class="words">{busy ? t('kiosk.saving') : change}</span>
        </button>
        <button type="button" class="plain" onClick={acts.back}>
          {t(deed?.state === 'stored' ? 'kiosk.back' : 'kiosk.keep')}
        </button>
      </div>
    </div>
  );
}
