import { useEffect, useState } from 'preact/hooks';
import type { Person, Shift } from '../../api/types';
import { locale, t } from '../../shared/i18n';
import { addDays, dayOf, now, serverNow, shortDate, startOfDay } from '../../shared/time';
import { useAsked } from '../asking';
import { homes } from '../state';
import * as api from '../teamapi';
import { Answer, AreaPicker, Frame, manages, zoneOf } from './frame';
import {
  areaName,
  areasOf,
  barsOf,
  dutiesOf,
  gapsIn,
  gapWords,
  mondayOf,
  replaced,
  stretchWords,
  type Duty,
  type Stretch,
} from './rotawords';
import { HandOver, ShiftForm } from './shift';
import { WeekPicker } from './weekpicker';

const ahead = 7 * 86_400_000;

/** Who is on duty when, a week at a time; and when nobody is. */
export function RotaScreen() {
  const zone = zoneOf();
  const [area, setArea] = useState<string>();
  const [monday, setMonday] = useState(mondayOf(dayOf(serverNow(), zone)));
  const [open, setOpen] = useState<Open | null>(null);
  const from = startOfDay(monday, zone);
  const to = startOfDay(addDays(monday, 7), zone);
  const areas = areasOf(
    [...homes.value.values()].map((h) => h.area),
    locale(),
  );
  const shown = area ?? areas[0] ?? '';
  const present = useAsked(() => askPresent(shown), [shown]);
  // By itself, so that the way to the next week stays where it is while one is fetched.
  const week = useAsked(() => askDuties(shown, from, to), [shown, monday]);
  const again = () => {
    present.again();
    week.again();
  };
  useEffect(() => {
    const timer = setInterval(() => document.hidden || again(), 60_000);
    return () => clearInterval(timer);
  }, []);
  const changed = () => {
    again();
    setOpen(null);
  };
  return (
    <Frame page="rota">
      <AreaPicker areas={areas} area={shown} name={(a) => areaName(a, areas)} choose={setArea} />
      <Answer asked={{ ...present, again }}>
        {({ people, onDuty, gaps }) => {
          const name = (id: string) => people.find((p) => p.id === id)?.name ?? id;
          const act = (shift: Shift) => setOpen({ form: manages() ? 'change' : 'hand', shift });
          const add = (gap?: Stretch) => setOpen({ form: 'add', ...(gap ? { gap } : {}) });
          return (
            <>
              <OnDuty names={onDuty.map(name)} />
              <Gaps gaps={gaps} zone={zone} fill={add} />
              <div class="plan-tools">
                <WeekPicker monday={monday} zone={zone} choose={setMonday} />
                {manages() && (
                  <button type="button" class="button button-main" onClick={() => add()}>
                    {t('rota.add')}
                  </button>
                )}
              </div>
              <Answer asked={week} said={present.failed !== ''}>
                {(duties) => (
                  <Week monday={monday} duties={duties} zone={zone} name={name} act={act} />
                )}
              </Answer>
              {open && open.form !== 'hand' && (
                <ShiftForm
                  key={open.form}
                  area={shown}
                  zone={zone}
                  people={people}
                  {...(open.form === 'change' ? { shift: open.shift } : {})}
                  {...(open.form === 'add' && open.gap ? { gap: open.gap } : {})}
                  close={() => setOpen(null)}
                  changed={changed}
                  handOver={(shift) => setOpen({ form: 'hand', shift })}
                />
              )}
              {open?.form === 'hand' && (
                <HandOver
                  shift={open.shift}
                  zone={zone}
                  people={people}
                  close={() => setOpen(null)}
                  changed={changed}
                />
              )}
            </>
          );
        }}
      </Answer>
    </Frame>
  );
}

type Open = { form: 'add'; gap?: Stretch } | { form: 'change' | 'hand'; shift: Shift };

interface Present {
  people: Person[];
  onDuty: string[];
  /** When nobody is on duty in the seven days to come. */
  gaps: Stretch[];
}

async function askPresent(area: string): Promise<Present> {
  const at = serverNow();
  const [coming, { people }] = await Promise.all([api.shifts(area, at, at + ahead), api.people()]);
  return {
    people,
    onDuty: coming.on_duty,
    gaps: gapsIn(dutiesOf(coming.shifts), { from: at, to: at + ahead }),
  };
}

const askDuties = async (area: string, from: number, to: number): Promise<Duty[]> =>
  dutiesOf((await api.shifts(area, from, to)).shifts);

function OnDuty({ names }: { names: readonly string[] }) {
  return (
    <p class="on-duty">
      <span>{t('rota.now')}:</span>
      {names.length === 0
        ? t('rota.nobody')
        : names.map((name) => <strong key={name}>{name}</strong>)}
    </p>
  );
}

interface GapsProps {
  gaps: readonly Stretch[];
  zone: string | undefined;
  fill: (gap: Stretch) => void;
}

function Gaps({ gaps, zone, fill }: GapsProps) {
  if (gaps.length === 0) return <p class="quiet">{t('rota.covered')}</p>;
  return (
    <section class="plan-warning" aria-label={t('rota.gaps')}>
      <ul class="gaps">
        {gaps.map((gap) => (
          <li key={gap.from} class="gap-line">
            <span>{gapWords(gap, zone)}</span>
            {manages() && (
              <button type="button" class="button" onClick={() => fill(gap)}>
                {t('rota.fill')}
                <span class="visually-hidden"> {stretchWords(gap, zone)}</span>
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

interface WeekProps {
  monday: string;
  duties: readonly Duty[];
  zone: string | undefined;
  name: (person: string) => string;
  act: (shift: Shift) => void;
}

// On a wide screen a picture, on a telephone a list of each day.
function Week({ monday, duties, zone, name, act }: WeekProps) {
  const at = now.value;
  const days = Array.from({ length: 7 }, (_, i) => {
    const day = addDays(monday, i);
    const span = { from: startOfDay(day, zone), to: startOfDay(addDays(day, 1), zone) };
    // What has been cannot be mended: only gaps to come are shown.
    const open = { from: Math.max(span.from, at), to: span.to };
    return { day, span, gaps: open.from < open.to ? gapsIn(duties, open) : [] };
  });
  // On a telephone the days of this week that have been are out of the way.
  const present = days.some(({ span }) => at >= span.from && at < span.to);
  const coming = present ? days.filter(({ span }) => span.to > at) : days;
  const says = (d: Duty) =>
    [
      `${name(d.shift.person)}, ${stretchWords(d, zone)}`,
      d.shift.override && t('rota.is_override'),
      replaced(d, duties) && t('rota.replaced'),
    ]
      .filter(Boolean)
      .join(', ');
  return (
    <>
      <section class="panel week" aria-label={t('rota.picture')}>
        <div class="week-hours" aria-hidden="true">
          <span />
          <div>
            {[0, 3, 6, 9, 12, 15, 18, 21].map((h) => (
              <span key={h}>{String(h).padStart(2, '0')}</span>
            ))}
          </div>
        </div>
        {days.map(({ day, span, gaps }) => {
          const bars = barsOf(duties, span);
          const rows = Math.max(1, ...bars.map((b) => b.row + 1));
          const today = at >= span.from && at < span.to;
          return (
            <div key={day} class={today ? 'week-day week-today' : 'week-day'}>
              <span class="week-name">{shortDate(span.from, zone)}</span>
              <div class="week-track" style={{ height: `${rows * 48 - 2}px` }}>
                {bars.map((b) => (
                  <button
                    key={b.what.shift.id}
                    type="button"
                    class={barClass(b.what, duties)}
                    style={{ ...across(b), top: `${b.row * 48}px` }}
                    aria-label={says(b.what)}
                    title={says(b.what)}
                    onClick={() => act(b.what.shift)}
                  >
                    {name(b.what.shift.person)}
                  </button>
                ))}
                {barsOf(gaps, span).map((b) => (
                  <span
                    key={b.left}
                    class="bar-gap"
                    style={across(b)}
                    title={gapWords(b.what, zone)}
                  />
                ))}
                {today && (
                  <span
                    class="now-line"
                    style={{ left: percent((at - span.from) / (span.to - span.from)) }}
                  />
                )}
              </div>
            </div>
          );
        })}
      </section>
      <div class="days">
        {coming.map(({ day, span, gaps }, i) => {
          // A night is told of on the evening on which it begins.
          const own = duties.filter((d) =>
            i === 0
              ? d.from < span.to && d.to > Math.max(span.from, coming.length < 7 ? at : 0)
              : d.from < span.to && d.from >= span.from,
          );
          return (
            <section key={day} aria-labelledby={`day-${day}`}>
              <h2 id={`day-${day}`}>{shortDate(span.from, zone)}</h2>
              <ul>
                {own.map((d) => (
                  <li key={d.shift.id}>
                    <button
                      type="button"
                      class={`day-duty ${replaced(d, duties) ? 'bar-replaced' : ''}`}
                      onClick={() => act(d.shift)}
                    >
                      <strong>{name(d.shift.person)}</strong>
                      <span>
                        {stretchWords(d, zone)}
                        {d.shift.override && ` · ${t('rota.is_override')}`}
                      </span>
                    </button>
                  </li>
                ))}
                {gaps.map((gap) => (
                  <li key={gap.from} class="day-gap">
                    {gapWords(gap, zone)}
                  </li>
                ))}
                {own.length + gaps.length === 0 && <li class="quiet">{t('rota.empty_day')}</li>}
              </ul>
            </section>
          );
        })}
      </div>
    </>
  );
}

const percent = (part: number) => `${part * 100}%`;
const across = (b: { left: number; width: number }) => ({
  left: percent(b.left),
  width: `calc(${percent(b.width)} - 2px)`,
});

const barClass = (d: Duty, all: readonly Duty[]) =>
  ['bar-duty', d.shift.override && 'bar-override', replaced(d, all) && 'bar-replaced']
    .filter(Boolean)
    .join(' ');
