import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { t, tMaybe, readable, type Key } from '../shared/i18n';
import { addDays, atMinute, clock, dayOf, now } from '../shared/time';
import type { Visit } from './api';
import type { FamilyDeed } from './deeds';
import { FamilyIcon } from './icons';
import './pagetexts';
import { homeOf, me, queue, waitingFor } from './state';
import { dayName, span } from './words';

const byTime = (a: Visit, b: Visit) => Date.parse(a.from) - Date.parse(b.from);

/** Who comes, and asking to come or to call. */
export function VisitsScreen({ home }: { home: string }) {
  const here = homeOf(home);
  const asking = useSignal(false);
  if (!here) return null;
  const at = now.value;
  const { zone } = here;
  const unsent = waitingFor(home).filter((d) => d.kind === 'visit');
  const mine = (v: Visit) => v.asked !== '' && v.asked === me.value?.person;
  const own = here.visits
    .filter((v) => mine(v) && (Date.parse(v.to) > at || v.state === 'requested'))
    .sort(byTime);
  const coming = here.visits
    .filter((v) => !(mine(v) && v.state !== 'planned') && v.state !== 'requested')
    .sort(byTime);
  const days = new Map<string, Visit[]>();
  for (const v of coming) {
    const day = dayOf(Date.parse(v.from), zone);
    days.set(day, [...(days.get(day) ?? []), v]);
  }
  return (
    <>
      <h1 tabIndex={-1}>{t('family.visits.title', { name: here.name })}</h1>
      {clock(at, zone) !== clock(at) && (
        <p class="quiet">{t('family.visits.zone', { name: here.name })}</p>
      )}
      {asking.value ? (
        <Asker home={home} zone={zone} name={here.name} done={() => (asking.value = false)} />
      ) : (
        here.allowed.includes('visits') && (
          <button type="button" class="button button-main" onClick={() => (asking.value = true)}>
            <FamilyIcon name="calendar" />
            {t('family.visits.ask')}
          </button>
        )
      )}
      {own.length + unsent.length > 0 && (
        <>
          <h2 class="list-title">{t('family.visits.own')}</h2>
          <ul class="visits">
            {unsent.map((d) => (
              <UnsentVisit key={d.key} deed={d} zone={zone} />
            ))}
            {own.map((v) => (
              <VisitRow key={v.id} visit={v} zone={zone} dated own />
            ))}
          </ul>
        </>
      )}
      {here.allowed.includes('visits') ? (
        <>
          {coming.length === 0 && <p class="panel quiet">{t('family.visits.none')}</p>}
          {[...days].map(([day, visits]) => (
            <section key={day}>
              <h2 class="list-title">{dayName(Date.parse(visits[0]!.from), at, zone)}</h2>
              <ul class="visits">
                {visits.map((v) => (
                  <VisitRow key={v.id} visit={v} zone={zone} own={mine(v)} />
                ))}
              </ul>
            </section>
          ))}
        </>
      ) : (
        <div class="panel">
          <p>{t('family.visits.refused', { name: here.name })}</p>
          <p class="quiet">{t('family.decides', { name: here.name })}</p>
        </div>
      )}
    </>
  );
}

function VisitRow({
  visit: v,
  zone,
  dated = false,
  own,
}: {
  visit: Visit;
  zone: string | undefined;
  dated?: boolean;
  own: boolean;
}) {
  const [from, to] = [Date.parse(v.from), Date.parse(v.to)];
  const said =
    v.state === 'planned' && !own
      ? ''
      : (tMaybe(`family.visits.state.${v.state}`) ?? readable(v.state));
  return (
    <li class={`visit visit-${v.state}`}>
      <strong>
        {dated && `${dayName(from, now.value, zone)} `}
        {span(from, to, zone)}
      </strong>
      <span>
        {[v.who || (own ? t('family.visits.you') : ''), v.what].filter(Boolean).join(' · ')}
      </span>
      {v.video && (
        <span class="visit-video">
          <FamilyIcon name="video" />
          {t('family.visits.video')}
        </span>
      )}
      {said && <span class={`tag tag-${v.state}`}>{said}</span>}
      {v.state === 'declined' && v.note && (
        <span class="visit-note">{t('family.visits.why', { note: v.note })}</span>
      )}
    </li>
  );
}

function UnsentVisit({ deed, zone }: { deed: FamilyDeed; zone: string | undefined }) {
  const sending = queue.sending.value === deed.key;
  const from = deed.from ?? 0;
  return (
    <li class="visit">
      <strong>
        {dayName(from, now.value, zone)} {span(from, deed.to ?? 0, zone)}
      </strong>
      {deed.what && <span>{deed.what}</span>}
      <span class="unsent" role="status">
        {t(sending ? 'family.sending' : 'family.visits.unsent')}
      </span>
      {!sending && (
        <button type="button" class="button" onClick={() => queue.takeBack(deed.key)}>
          {t('family.messages.drop')}
        </button>
      )}
    </li>
  );
}

const lengths = [15, 30, 60, 120] as const;

function Asker({
  home,
  zone,
  name,
  done,
}: {
  home: string;
  zone: string | undefined;
  name: string;
  done: () => void;
}) {
  const today = dayOf(now.value, zone);
  const video = useSignal(false);
  const day = useSignal(addDays(today, 1));
  const time = useSignal('14:00');
  const length = useSignal(60);
  const what = useSignal('');
  const wrong = useSignal<Key | ''>('');
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);

  const ask = () => {
    const [h = NaN, m = NaN] = time.value.split(':').map(Number);
    const from = atMinute(day.value, h * 60 + m, zone);
    if (!/^\d{4}-\d\d-\d\d$/.test(day.value) || !Number.isFinite(from)) {
      wrong.value = 'family.visits.no_time';
      return;
    }
    if (from < now.value) {
      wrong.value = 'family.visits.past';
      return;
    }
    const taken = queue.add({
      kind: 'visit',
      home,
      from,
      to: from + length.value * 60_000,
      what: what.value.trim(),
      video: video.value,
    });
    if (taken) done();
    else wrong.value = 'family.full';
  };
  const choice = (is: boolean, key: Key) => (
    <label class="segment">
      <input
        type="radio"
        name="how"
        checked={video.value === is}
        onChange={() => (video.value = is)}
      />
      <span>{t(key)}</span>
    </label>
  );
  return (
    <form
      class="panel asker"
      onSubmit={(e) => {
        e.preventDefault();
        ask();
      }}
    >
      <h2 ref={heading} tabIndex={-1}>
        {t('family.visits.ask_title')}
      </h2>
      <p class="quiet">{t('family.visits.ask_text')}</p>
      {me.value?.features?.includes('video') && (
        <fieldset class="segments">
          <legend>{t('family.visits.how')}</legend>
          {choice(false, 'family.visits.at_home')}
          {choice(true, 'family.visits.by_video')}
        </fieldset>
      )}
      <div class="asker-when">
        <label class="field">
          <span>{t('family.visits.day')}</span>
          <input
            type="date"
            required
            min={today}
            max={addDays(today, 90)}
            value={day.value}
            onInput={(e) => (day.value = e.currentTarget.value)}
          />
        </label>
        <label class="field">
          <span>{t('family.visits.time')}</span>
          <input
            type="time"
            required
            value={time.value}
            onInput={(e) => (time.value = e.currentTarget.value)}
          />
        </label>
        <label class="field">
          <span>{t('family.visits.length')}</span>
          <select
            value={String(length.value)}
            onChange={(e) => (length.value = Number(e.currentTarget.value))}
          >
            {lengths.map((n) => (
              <option key={n} value={n}>
                {t(`family.visits.length_${n}`)}
              </option>
            ))}
          </select>
        </label>
      </div>
      <label class="field">
        <span>{t('family.visits.what')}</span>
        <input
          type="text"
          maxLength={200}
          value={what.value}
          placeholder={t('family.visits.what_hint', { name })}
          onInput={(e) => (what.value = e.currentTarget.value)}
        />
      </label>
      {wrong.value && (
        <p class="field-error" role="alert">
          {t(wrong.value)}
        </p>
      )}
      <div class="deeds">
        <button type="submit" class="button button-main">
          {t('family.visits.send')}
        </button>
        <button type="button" class="button" onClick={done}>
          {t('family.cancel')}
        </button>
      </div>
    </form>
  );
}
