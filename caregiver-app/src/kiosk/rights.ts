import { addDays, clock, daysBetween, format, local } from './local';
import type { Grant, Look } from './status';
import { capital, locale, t, tMaybe, type Key } from './texts';

/** "i dag", "i går", "i lördags", "den 3 november": a day that has been. */
export function pastDay(ms: number, now: number, zone?: string): string {
  const ago = daysBetween(local(ms, zone).date, local(now, zone).date);
  if (ago <= 0) return t('kiosk.today');
  if (ago === 1) return t('kiosk.yesterday');
  if (ago < 7) {
    const weekday = format(locale(), zone, { weekday: 'long' }).format(ms);
    return t('kiosk.last_weekday', { weekday });
  }
  return t('kiosk.on_date', {
    date: format(locale(), zone, { day: 'numeric', month: 'long' }).format(ms),
  });
}

/** "i morgon", "på tisdag": a day that comes, of a date YYYY-MM-DD. */
export function comingDay(date: string, today: string): string {
  if (date <= today) return t('kiosk.today');
  if (date === addDays(today, 1)) return t('kiosk.tomorrow');
  const weekday = format(locale(), 'UTC', { weekday: 'long' }).format(
    Date.parse(`${date}T12:00:00Z`),
  );
  return t('kiosk.on_weekday', { weekday });
}

// What is in the log goes by the names that the service gives it
// (cloud/web/audit.go); these are the screen's words for them, the first that fits.
const deeds: [RegExp, Key][] = [
  [/^look (at )?(readings|activity|day)$/, 'kiosk.did.activity'],
  [/^(allow|refuse) /, 'kiosk.did.note_consent'],
  [/^(take over|acknowledge)/, 'kiosk.did.acknowledge'],
  [/^on the way/, 'kiosk.did.on_the_way'],
  [/^resolve/, 'kiosk.did.resolve'],
  [/^call$/, 'kiosk.did.call' as Key],
  [/^join call$/, 'kiosk.did.join_call' as Key],
  [/^invite to call$/, 'kiosk.did.invite_call' as Key],
  [/^note call$/, 'kiosk.did.note_call' as Key],
  [/^auto answer$/, 'kiosk.did.auto_answer' as Key],
  [/^visit requested|^ask for visit/, 'kiosk.did.ask_visit'],
  [/^visit( |$)/, 'kiosk.did.visit'],
  [/^write card/, 'kiosk.did.card'],
  [/^(write )?note$/, 'kiosk.did.note'],
  [/reminder$/, 'kiosk.did.reminder'],
  [/^take back message/, 'kiosk.did.take_back'],
  [/^(write )?message$/, 'kiosk.did.message'],
  [/^invite$/, 'kiosk.did.invite'],
  [/^(add to|remove from) /, 'kiosk.did.told'],
  [/ test$|^test/, 'kiosk.did.test'],
  [/silence$/, 'kiosk.did.silence'],
  [/^(add|change) home|^(write |change )?rooms|^configure/, 'kiosk.did.change_home'],
  [/^(pair|locate)/, 'kiosk.did.command'],
];

/** What somebody did, after their name: "tittade på din dag". */
export function did(what: string): string {
  const plain = what.trim().toLowerCase();
  const known = deeds.find(([form]) => form.test(plain));
  if (known) return t(known[1]);
  const field = /^(?:look (?:at )?|follow |read[ _])?([a-z_]+)$/.exec(plain)?.[1];
  const looked = field && tMaybe(`kiosk.did.${field}`);
  return looked || t('kiosk.did.other', { what: plain.replace(/[_-]+/g, ' ') });
}

/** One line of who looked: many looks of one kind on one day are one. */
export interface LookLine {
  key: string;
  text: string;
}

/** Who looked, newest first, in plain sentences. */
export function lookLines(looks: Look[], now: number | undefined, zone?: string): LookLine[] {
  const groups = new Map<string, { look: Look; times: number }>();
  for (const look of looks) {
    const { date } = local(look.at / 1_000, zone);
    const key = [date, look.who, look.role, did(look.what)].join('|');
    const group = groups.get(key);
    if (group) group.times++;
    else groups.set(key, { look, times: 1 });
  }
  return [...groups].map(([key, { look, times }]) => {
    const at = look.at / 1_000;
    const text = t(times > 1 ? 'kiosk.look_times' : 'kiosk.look', {
      who: lookedBy(look),
      did: did(look.what),
      n: times,
      day: pastDay(at, now ?? at, zone),
      clock: clock(at, zone),
    });
    return { key, text: capital(text) };
  });
}

function lookedBy({ who, role }: Look): string {
  const said = tMaybe(`kiosk.role.${role}`);
  // What was changed on the service's own machine has no person's name.
  if (who === 'command line') return t('kiosk.command_line');
  const name = who || t('kiosk.someone');
  return said ? t('kiosk.look_who', { name, role: said }) : name;
}

/** Whom a decision is about. */
export function partyName({ party, name }: Pick<Grant, 'party' | 'name'>): string {
  if (party === 'staff') return t('kiosk.party_staff');
  if (party === 'relatives') return t('kiosk.party_relatives');
  return name || t('kiosk.party_person');
}

/** The parties, in the order in which they come. */
export const partiesOf = (grants: Grant[]): Grant[] =>
  grants.filter((g, i) => grants.findIndex(({ party }) => party === g.party) === i);

/** What a decision is about. */
export const fieldName = (field: string): string =>
  tMaybe(`kiosk.field.${field}`) ?? capital(field.replace(/[_-]+/g, ' '));

// Some fields have words of their own: writing to the screen is something to
// do, and of alarms one is told.
const own = (key: string, { field }: Grant) =>
  (tMaybe(`kiosk.${key}_${field}`) ? `kiosk.${key}_${field}` : `kiosk.${key}`) as Key;

/** "Får veta" or "Får inte veta". */
export const grantState = (grant: Grant): string =>
  t(own(grant.allowed ? 'may' : 'may_not', grant));

/** Why it is not for the resident to change; "" when it is. */
export function fixedBecause({ fixed, party, allowed }: Grant): string {
  if (!fixed) return '';
  if (party === 'staff' && allowed) return t('kiosk.fixed_staff');
  return t(party !== 'staff' && !allowed ? 'kiosk.fixed_never' : 'kiosk.fixed');
}

/** What is asked before a decision is changed. */
export function grantQuestion(grant: Grant): { now: string; change: string } {
  const name = /^(staff|relatives)$/.test(grant.party)
    ? t(`kiosk.party_${grant.party}_in` as Key)
    : partyName(grant);
  const [now, change] = grant.allowed
    ? (['now_may', 'refuse'] as const)
    : (['now_may_not', 'allow'] as const);
  return { now: t(own(now, grant), { name }), change: t(own(change, grant), { name }) };
}
