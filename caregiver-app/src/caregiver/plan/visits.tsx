import { useState } from 'preact/hooks';
import type { Person } from '../../api/types';
import { Icon } from '../../shared/icons';
import { locale, t, tn } from '../../shared/i18n';
import { addDays, dayOf, longDate, serverNow, shortDate, startOfDay } from '../../shared/time';
import * as api from '../admin/api';
import '../admin/texts';
import { useArrivals, useAsked } from '../asking';
import { may } from '../may';
import { homes } from '../state';
import { people } from '../teamapi';
import { Answer, AreaPicker, Frame, zoneOf } from './frame';
import { areaName, areasOf, mondayOf } from './rotawords';
import { CopyWeek, Decline, VisitForm, type Draft } from './visit';
import './visits.css';
import { rowsOf, stateWords, timesOf, type By, type VisitRow } from './visitwords';
import { WeekPicker } from './weekpicker';

/** For how long ahead relatives' requests are looked for. */
const ahead = 90 * 86_400_000;

type Open =
  { form: 'visit'; draft: Draft } | { form: 'decline'; visit: api.Visit } | { form: 'copy' };

/** Who visits whom when, a week at a time; and what relatives ask for. */
export function VisitsScreen() {
  return <Frame page="visits">{may('plan_visits') && <Planner />}</Frame>;
}

interface Standing {
  requests: api.Visit[];
  staff: Person[];
}

async function askStanding(area: string): Promise<Standing> {
  const at = serverNow();
  const [coming, team] = await Promise.all([api.visits(at, at + ahead, area), people()]);
  return {
    requests: coming.filter((v) => v.state === 'requested'),
    staff: team.people.filter(isStaff),
  };
}

// Whose role is not said is of the staff when they are in a group of it.
const isStaff = (p: Person) =>
  p.role
    ? p.role === 'caregiver' || p.role === 'coordinator'
    : p.groups.some((m) => m.group === 'all_staff');

function Planner() {
  const zone = zoneOf();
  const today = dayOf(serverNow(), zone);
  const [area, setArea] = useState<string>();
  const [monday, setMonday] = useState(mondayOf(today));
  const [day, setDay] = useState(today);
  const [by, setBy] = useState<By>('person');
  const [open, setOpen] = useState<Open | null>(null);
  const from = startOfDay(monday, zone);
  const to = startOfDay(addDays(monday, 7), zone);
  const areas = areasOf(
    [...homes.value.values()].map((h) => h.area),
    locale(),
  );
  const shown = area ?? areas[0] ?? '';
  const standing = useAsked(() => askStanding(shown), [shown]);
  // By itself, so that the way to the next week stays where it is while one is fetched.
  const planned = useAsked(() => api.visits(from, to, shown), [shown, monday]);
  const again = () => {
    standing.again();
    planned.again();
  };
  useArrivals(again, ['visit']);
  const choose = (week: string) => {
    setMonday(week);
    setDay(week === mondayOf(today) ? today : week);
  };
  const close = () => setOpen(null);
  const changed = () => {
    again();
    close();
  };
  const collator = new Intl.Collator(locale());
  return (
    <>
      <AreaPicker areas={areas} area={shown} name={(a) => areaName(a, areas)} choose={setArea} />
      <Answer asked={{ ...standing, again }}>
        {({ requests, staff }) => {
          const inArea = staff.filter((p) => !p.areas?.length || p.areas.includes(shown));
          const edit = (visit: api.Visit) => setOpen({ form: 'visit', draft: { visit } });
          const add = (on: string, row?: VisitRow) =>
            setOpen({
              form: 'visit',
              draft: {
                day: on,
                ...(row && by === 'person' ? { person: row.id } : {}),
                ...(row && by === 'home' ? { home: row.id } : {}),
              },
            });
          return (
            <>
              {requests.length > 0 && (
                <Requests
                  requests={requests}
                  zone={zone}
                  accept={edit}
                  decline={(visit) => setOpen({ form: 'decline', visit })}
                />
              )}
              <div class="plan-tools">
                <WeekPicker monday={monday} zone={zone} choose={choose} />
                <div class="visits-deeds">
                  <button type="button" class="button" onClick={() => setOpen({ form: 'copy' })}>
                    {t('planned.copy')}
                  </button>
                  <button
                    type="button"
                    class="button button-main"
                    onClick={() => add(day < today ? today : day)}
                  >
                    {t('planned.add')}
                  </button>
                </div>
              </div>
              <fieldset class="segments">
                <legend class="visually-hidden">{t('planned.view')}</legend>
                {(['person', 'home'] as const).map((b) => (
                  <label key={b} class="segment">
                    <input type="radio" name="by" checked={by === b} onChange={() => setBy(b)} />
                    <span>{t(b === 'person' ? 'planned.by_person' : 'planned.by_home')}</span>
                  </label>
                ))}
              </fieldset>
              <Answer asked={planned} said={standing.failed !== ''}>
                {(visits) => {
                  const all = by === 'person' ? inArea : [];
                  const rows = rowsOf(visits, by, monday, zone, all, collator);
                  const week = { rows, by, monday, zone, edit, add, today };
                  return (
                    <>
                      <WeekTable {...week} />
                      <DayLists {...week} day={day} choose={setDay} />
                      {open?.form === 'visit' && (
                        <VisitForm
                          draft={open.draft}
                          area={shown}
                          zone={zone}
                          staff={staff}
                          visits={visits}
                          close={close}
                          changed={changed}
                        />
                      )}
                      {open?.form === 'copy' && (
                        <CopyWeek
                          monday={monday}
                          zone={zone}
                          area={shown}
                          present={visits}
                          close={close}
                          changed={changed}
                        />
                      )}
                    </>
                  );
                }}
              </Answer>
              {open?.form === 'decline' && (
                <Decline visit={open.visit} zone={zone} close={close} changed={changed} />
              )}
            </>
          );
        }}
      </Answer>
    </>
  );
}

interface RequestsProps {
  requests: readonly api.Visit[];
  zone: string | undefined;
  accept: (visit: api.Visit) => void;
  decline: (visit: api.Visit) => void;
}

function Requests({ requests, zone, accept, decline }: RequestsProps) {
  return (
    <section class="panel requests" aria-labelledby="requests">
      <h2 id="requests">{t('planned.requests')}</h2>
      <ul>
        {requests.map((v) => (
          <li key={v.id}>
            <p>
              <strong>
                {shortDate(Date.parse(v.from), zone)} {timesOf(v, zone)}, {v.home_name}
              </strong>
              <span>
                {t('planned.request_by', { name: v.asked_by })}
                {v.what && `: ${v.what}`}
                {v.video && ` (${t('planned.is_video')})`}
              </span>
            </p>
            <button type="button" class="button button-main" onClick={() => accept(v)}>
              {t('planned.accept')}
              <span class="visually-hidden"> {v.asked_by}</span>
            </button>
            <button type="button" class="button" onClick={() => decline(v)}>
              {t('planned.decline')}
              <span class="visually-hidden"> {v.asked_by}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

interface WeekProps {
  rows: readonly VisitRow[];
  by: By;
  monday: string;
  zone: string | undefined;
  today: string;
  edit: (visit: api.Visit) => void;
  add: (day: string, row?: VisitRow) => void;
}

// The week at once, where there is room for it.
function WeekTable({ rows, by, monday, zone, today, edit, add }: WeekProps) {
  const days = Array.from({ length: 7 }, (_, i) => addDays(monday, i));
  return (
    <div class="plan-visit-week">
      <table>
        <caption class="visually-hidden">{t('planned.table')}</caption>
        <thead>
          <tr>
            <td />
            {days.map((day) => (
              <th key={day} scope="col" class={day === today ? 'plan-visit-today' : ''}>
                {shortDate(startOfDay(day, zone), zone)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.id}>
              <th scope="row" class={row.id ? '' : 'plan-visit-nobody'}>
                {row.name}
              </th>
              {row.days.map((visits, i) => {
                const day = days[i]!;
                return (
                  <td key={day} class={day === today ? 'plan-visit-today' : ''}>
                    {visits.map((v) => (
                      <Chip key={v.id} visit={v} by={by} zone={zone} edit={edit} />
                    ))}
                    {day >= today && (
                      <button type="button" class="plan-visit-add" onClick={() => add(day, row)}>
                        <span aria-hidden="true">+</span>
                        <span class="visually-hidden">
                          {t('planned.add_for', {
                            day: shortDate(startOfDay(day, zone), zone),
                            name: row.name,
                          })}
                        </span>
                      </button>
                    )}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length === 0 && <p class="plan-wait">{t('planned.none')}</p>}
    </div>
  );
}

// On a telephone one day at a time.
function DayLists(props: WeekProps & { day: string; choose: (day: string) => void }) {
  const { rows, by, monday, zone, today, edit, add, day, choose } = props;
  const index = Array.from({ length: 7 }, (_, i) => addDays(monday, i)).indexOf(day);
  const count = (i: number) => rows.reduce((n, r) => n + r.days[i]!.length, 0);
  const busy = rows.filter((r) => r.days[index]?.length);
  return (
    <div class="plan-visit-days">
      <fieldset class="plan-visit-strip">
        <legend class="visually-hidden">{t('planned.days')}</legend>
        {Array.from({ length: 7 }, (_, i) => {
          const on = addDays(monday, i);
          const ms = startOfDay(on, zone);
          const [name, date] = [shortDate(ms, zone).split(/[ ,]+/)[0], Number(on.slice(8))];
          return (
            <label key={on} class="segment">
              <input
                type="radio"
                name="day"
                checked={on === day}
                aria-label={`${longDate(ms, zone)}, ${tn('planned.count', count(i))}`}
                onChange={() => choose(on)}
              />
              <span class={on === today ? 'plan-visit-today' : ''}>
                <small>{name}</small>
                <strong>{date}</strong>
                <small>{count(i) || '–'}</small>
              </span>
            </label>
          );
        })}
      </fieldset>
      <h2>{longDate(startOfDay(day, zone), zone)}</h2>
      {busy.length === 0 && <p class="quiet">{t('planned.none_day')}</p>}
      {busy.map((row) => (
        <section key={row.id} class="plan-visit-group" aria-label={row.name}>
          <h3 class={row.id ? '' : 'plan-visit-nobody'}>{row.name}</h3>
          {row.days[index]!.map((v) => (
            <Chip key={v.id} visit={v} by={by} zone={zone} edit={edit} />
          ))}
          {day >= today && (
            <button type="button" class="button button-plain" onClick={() => add(day, row)}>
              + {t('planned.add')}
              <span class="visually-hidden"> {row.name}</span>
            </button>
          )}
        </section>
      ))}
    </div>
  );
}

interface ChipProps {
  visit: api.Visit;
  by: By;
  zone: string | undefined;
  edit: (visit: api.Visit) => void;
}

// What has been, or was called off, is to be read; what is planned can be changed.
function Chip({ visit, by, zone, edit }: ChipProps) {
  const state = stateWords(visit.state);
  const words = (
    <>
      <strong>{timesOf(visit, zone)}</strong>
      <span>{by === 'person' ? visit.home_name : visit.who || t('planned.unassigned')}</span>
      <span class="quiet">
        {visit.state === 'done' && <Icon name="check" />}
        {[visit.what, visit.video && t('planned.is_video'), state].filter(Boolean).join(' · ')}
      </span>
      {visit.note && visit.state !== 'planned' && <span class="quiet">{visit.note}</span>}
    </>
  );
  if (visit.state !== 'planned')
    return <p class={`plan-visit plan-visit-${visit.state}`}>{words}</p>;
  return (
    <button
      type="button"
      class={visit.person ? 'plan-visit' : 'plan-visit plan-visit-open'}
      onClick={() => edit(visit)}
    >
      {words}
    </button>
  );
}
