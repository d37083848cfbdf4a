import { useState } from 'preact/hooks';
import type { HomeDetail, Silence } from '../api/types';
import { t, type Key } from '../shared/i18n';
import { atMoment, now, serverNow } from '../shared/time';
import { alertName } from '../shared/words';
import { unbroken } from '../shared/unbroken';
import { useAsked } from './asking';
import './hometools.css';
import { Dialog, useDeed } from './plan/dialog';
import { instantOf, local } from './plan/zoned';
import { say } from './state';
import * as api from './teamapi';

/** The kinds of alert that may be silenced: those about no danger to anybody. */
export const silenceable = [
  'check_in_missed',
  'gateway_silent',
  'sensor_silent',
  'battery_low',
  'water_leak',
  'test_missed',
  'visit_missed',
] as const;

/** What is silenced in a home, and silencing it. */
export function Silencing({ home }: { home: HomeDetail }) {
  const asked = useAsked(() => api.silences(home.id), [home.id]);
  const [adding, setAdding] = useState(false);
  return (
    <section class="tool" aria-labelledby="silence-title">
      <h2 id="silence-title">{t('silence.heading')}</h2>
      <p class="quiet">{t('silence.never')}</p>
      {asked.failed && (
        <p class="field-error" role="alert">
          {unbroken(asked.failed)}
        </p>
      )}
      {asked.value?.length === 0 && <p>{t('silence.none')}</p>}
      <SilenceList silences={asked.value ?? []} zone={home.zone} changed={asked.again} />
      <button type="button" class="button" onClick={() => setAdding(true)}>
        {t('silence.add')}
      </button>
      {adding && (
        <SilenceForm
          home={home}
          close={() => setAdding(false)}
          saved={() => {
            asked.again();
            setAdding(false);
          }}
        />
      )}
    </section>
  );
}

interface ListProps {
  silences: readonly Silence[];
  zone: string;
  /** Name the home of each. */
  named?: boolean;
  changed: () => void;
}

/** Silences, each with what, until when, why and by whom, and a way to end it. */
export function SilenceList({ silences, zone, named, changed }: ListProps) {
  const deed = useDeed();
  const at = now.value;
  if (silences.length === 0) return null;
  return (
    <>
      <ul class="silence-list">
        {silences.map((s) => (
          <li key={s.id} class="silence">
            {named && (
              <a class="silence-home" href={`/homes/${encodeURIComponent(s.home)}`}>
                {s.home_name}
              </a>
            )}
            <p>
              {t('silence.says', {
                kinds: kindsOf(s),
                when: atMoment(Date.parse(s.to), at, zone),
              })}
              {Date.parse(s.from) > at &&
                ` (${t('silence.from', { when: atMoment(Date.parse(s.from), at, zone) })})`}
            </p>
            <p class="quiet">{t('silence.by', { reason: s.reason, author: s.author })}</p>
            <button
              type="button"
              class="button"
              disabled={deed.busy}
              onClick={() =>
                void deed.run(
                  () => api.endSilence(s.id),
                  () => {
                    say(t('silence.ended', { name: s.home_name }));
                    changed();
                  },
                )
              }
            >
              {t('silence.end')}
              <span class="visually-hidden">
                {' '}
                – {s.home_name}, {s.reason}
              </span>
            </button>
          </li>
        ))}
      </ul>
      {deed.failed && (
        <p class="field-error" role="alert">
          {unbroken(deed.failed)}
        </p>
      )}
    </>
  );
}

const kindsOf = (s: Silence) =>
  s.kinds.length === 0 ? t('silence.all') : s.kinds.map((kind) => alertName({ kind })).join(', ');

const presets = ['hospital', 'away', 'installer', 'other'] as const;
type Preset = (typeof presets)[number];

/** Until when a preset lasts at first: an installer works for a few hours, a stay lasts days. */
const hoursOf: Record<Preset, number> = { hospital: 72, away: 72, installer: 4, other: 24 };

interface FormProps {
  home: HomeDetail;
  close: () => void;
  saved: () => void;
}

function SilenceForm({ home, close, saved }: FormProps) {
  const until = (preset: Preset) => local(serverNow() + hoursOf[preset] * 3_600_000, home.zone);
  const [preset, setPreset] = useState<Preset>('hospital');
  const [reason, setReason] = useState('');
  const [to, setTo] = useState(until('hospital'));
  const [kinds, setKinds] = useState<readonly string[]>(silenceable);
  const end = instantOf(to, home.zone);
  return (
    <Dialog
      title={t('silence.title', { name: home.name })}
      save={t('silence.save')}
      onClose={close}
      check={() => {
        if (preset === 'other' && !reason.trim()) return t('silence.bad_reason');
        if (kinds.length === 0) return t('silence.bad_kinds');
        const left = end - serverNow();
        return left > 0 && left <= 60 * 86_400_000 ? '' : t('silence.bad_until');
      }}
      onSave={async () => {
        const word = preset === 'other' ? '' : t(`silence.preset.${preset}`);
        await api.addSilence(home.id, {
          kinds: kinds.length === silenceable.length ? [] : [...kinds],
          to: new Date(end).toISOString(),
          reason: [word, reason.trim()].filter(Boolean).join(': '),
        });
        const when = atMoment(end, serverNow(), home.zone);
        say(t('silence.added', { name: home.name, when }));
        saved();
      }}
    >
      <p class="quiet">{t('silence.never')}</p>
      <fieldset class="segments">
        <legend>{t('silence.reason')}</legend>
        {presets.map((p) => (
          <label key={p} class="segment">
            <input
              type="radio"
              name="preset"
              checked={preset === p}
              onChange={() => {
                setPreset(p);
                setTo(until(p));
              }}
            />
            <span>{t(`silence.preset.${p}` as Key)}</span>
          </label>
        ))}
      </fieldset>
      <label class="field">
        <span>{t(preset === 'other' ? 'silence.reason_text' : 'close.note')}</span>
        <input
          type="text"
          maxLength={200}
          value={reason}
          onInput={(e) => setReason(e.currentTarget.value)}
        />
      </label>
      <label class="field">
        <span>{t('silence.until')}</span>
        <input type="datetime-local" value={to} onInput={(e) => setTo(e.currentTarget.value)} />
      </label>
      <fieldset class="group-of-checks">
        <legend>{t('silence.kinds')}</legend>
        {silenceable.map((kind) => (
          <label key={kind} class="check">
            <input
              type="checkbox"
              checked={kinds.includes(kind)}
              onChange={(e) =>
                setKinds(
                  e.currentTarget.checked ? [...kinds, kind] : kinds.filter((k) => k !== kind),
                )
              }
            />
            <span>{alertName({ kind })}</span>
          </label>
        ))}
      </fieldset>
    </Dialog>
  );
}
