import { useState } from 'preact/hooks';
import { Problem } from '../../api/client';
import { t } from '../../shared/i18n';
import { moment, now, shortDate } from '../../shared/time';
import * as api from '../admin/api';
import { say } from '../state';
import { Dialog } from './dialog';
import { changedWords, stateWords, timesOf } from './visitwords';

/** Whether the server says that somebody else has changed the visit meanwhile. */
export const isMeanwhile = (error: unknown): boolean =>
  error instanceof Problem && error.id === 'LYK-0532';

interface Change {
  /** What one wanted, and the visit as one knew it then. */
  mine: api.VisitEntry | undefined;
  known: api.Visit | undefined;
  /** The visit as it is now; undefined while nobody has come between. */
  theirs: api.Visit | undefined;
  put: (id: string, entry: api.VisitEntry) => Promise<unknown>;
}

/** Plans a visit, and finds out what has become of it when somebody else came between. */
export function useMeanwhile(known: api.Visit | undefined): Change {
  const [mine, setMine] = useState<api.VisitEntry>();
  const [theirs, setTheirs] = useState<api.Visit>();
  const put = async (id: string, entry: api.VisitEntry) => {
    try {
      return await api.putVisit(id, entry);
    } catch (error) {
      if (isMeanwhile(error)) {
        setMine(entry);
        setTheirs(await api.visit(id));
      }
      throw error;
    }
  };
  return { mine, known: theirs && known, theirs, put };
}

interface Props extends Change {
  theirs: api.Visit;
  zone: string | undefined;
  /** What a person is called. */
  nameOf?: (person: string) => string;
  changed: () => void;
}

/** Says what somebody else has done to the visit, and asks which of the two is to be. */
export function Meanwhile({ mine, known, theirs, put, zone, nameOf, changed }: Props) {
  // What has been is not planned away.
  const over = theirs.state === 'done' || theirs.state === 'missed' || !mine;
  return (
    <Dialog
      key="meanwhile"
      title={t('planned.meanwhile')}
      save={over ? t('form.close') : t('planned.mine_anyway')}
      {...(over ? {} : { leave: t('planned.keep_theirs') })}
      onClose={changed}
      onSave={async () => {
        if (!over) {
          await put(theirs.id, { ...mine, rev: theirs.rev });
          say(t('planned.saved'));
        }
        changed();
      }}
    >
      <p class="meanwhile-what">{changedWords(theirs, known, zone)}</p>
      <dl class="meanwhile">
        <dt>{t('planned.is_now')}</dt>
        <dd>
          <Plan visit={theirs} zone={zone} who={theirs.who} />
          {theirs.note && theirs.state !== 'planned' && <span class="quiet">{theirs.note}</span>}
          {theirs.changed && (
            <span class="quiet">
              {t('planned.last_change', {
                by: theirs.by || t('planned.service'),
                when: moment(Date.parse(theirs.changed), now.value, zone),
              })}
            </span>
          )}
        </dd>
        {!over && (
          <>
            <dt>{t('planned.yours')}</dt>
            <dd>
              <Plan visit={mine} zone={zone} who={nameOf?.(mine.person) ?? ''} />
              {mine.note && mine.state !== 'planned' && <span class="quiet">{mine.note}</span>}
            </dd>
          </>
        )}
      </dl>
    </Dialog>
  );
}

interface PlanProps {
  visit: api.VisitEntry;
  zone: string | undefined;
  who: string;
}

function Plan({ visit, zone, who }: PlanProps) {
  const state = stateWords(visit.state);
  return (
    <strong>{[dayTimes(visit, zone), who, visit.what, state].filter(Boolean).join(' · ')}</strong>
  );
}

const dayTimes = (v: api.VisitEntry, zone?: string) =>
  `${shortDate(Date.parse(v.from), zone)} ${timesOf(v, zone)}`;
