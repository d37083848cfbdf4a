import { useState } from 'preact/hooks';
import { CallSign } from '../../call/signs';
import '../../call/texts';
import type { Call } from '../../call/wire';
import { lasted } from '../../call/words';
import { t, tMaybe } from '../../shared/i18n';
import { moment, now } from '../../shared/time';
import { useArrivals, useAsked } from '../asking';
import { Shown } from '../care/common';
import { can } from '../may';
import * as api from './api';
import { isMine } from './live';

const first = 3;

/** The calls with a resident, newest first. */
export function CallHistory({ home, name, zone }: { home: string; name: string; zone: string }) {
  const asked = useAsked(() => (can('video') ? api.calls({ home }) : never()), [home]);
  useArrivals(asked.again, ['call'], home);
  const [all, setAll] = useState(false);
  if (!can('video')) return null;
  return (
    <section aria-labelledby="calls-title" class="calls">
      <h2 id="calls-title">{t('history.title')}</h2>
      <Shown asked={asked} name={name}>
        {(calls) => (
          <>
            {calls.length === 0 && <p class="quiet">{t('history.none')}</p>}
            <ul>
              {calls.slice(0, all ? undefined : first).map((call) => (
                <Row key={call.id} call={call} zone={zone} />
              ))}
            </ul>
            <p class="row-actions">
              {calls.length > first && !all && (
                <button type="button" class="button" onClick={() => setAll(true)}>
                  {t('history.more', { n: calls.length })}
                </button>
              )}
              <a class="button button-plain" href="/call/check">
                <CallSign name="video" />
                {t('history.try')}
              </a>
            </p>
          </>
        )}
      </Shown>
    </section>
  );
}

const never = () => new Promise<never>(() => {});

function Row({ call, zone }: { call: Call; zone: string }) {
  const going = call.state !== 'ended';
  const how = going
    ? t('history.now')
    : call.answered
      ? lasted(call)
      : (tMaybe(`history.why.${call.why}`) ?? call.why);
  const others = (call.people ?? []).filter((p) => p.role !== 'home' && p.name !== call.by.name);
  return (
    <li class={call.answered || going ? 'call-row' : 'call-row call-row-missed'}>
      <p class="call-row-when">{moment(Date.parse(call.started), now.value, zone)}</p>
      <div>
        <p>
          <strong>{t('history.by', { by: call.by.name })}</strong>
          {' · '}
          {[
            how,
            call.how === 'automatic' && t('history.automatic'),
            call.outcome && tMaybe(`after.${call.outcome}`),
            call.saved_minutes > 0 && t('after.saved_short', { n: call.saved_minutes }),
          ]
            .filter(Boolean)
            .join(' · ')}
        </p>
        {others.length > 0 && (
          <p class="quiet">
            {t('history.people', { names: others.map((p) => p.name).join(', ') })}
          </p>
        )}
        {call.note && <p class="quiet">{call.note}</p>}
        {!going && call.answered && !call.outcome && isMine(call) && (
          <a href={`/call/${encodeURIComponent(call.id)}`}>{t('after.write')}</a>
        )}
      </div>
    </li>
  );
}
