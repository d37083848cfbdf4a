import { addDays, local } from './local';

import type { Letter, Prompt, Status } from './status';
import type { Memory } from './teller';
import { t } from './texts';
import { messageOf } from './words';

/** Something that waits for the resident; `key` names this one time of it. */
export type Ask =
  | { kind: 'prompt'; key: string; prompt: Prompt }
  | { kind: 'letter'; key: string; letter: Letter }
  | { kind: 'question'; key: string };

const minute = 60_000;
/** A prompt is over an hour later: then the gateway notes a medicine as missed. */
const promptFor = 60;
/** The question how the resident is waits so many minutes. */
const questionFor = 240;
/** An unread letter comes forward by itself for so long, and is then among the others. */
const letterFor = 3 * 24 * 60 * minute;

/** "Not now": until when it is left alone. */
export const notNow = (now: number): number => now + 15 * minute;
/** Done with. */
export const done = (now: number): number => now + 30 * 24 * 60 * minute;

/** When a prompt that is due now began, as the date of that day; undefined when it is not due. */
export function dueSince(prompt: Prompt, now: number, zone?: string): string | undefined {
  const here = local(now, zone);
  for (const back of [0, 1]) {
    const since = here.minutes + back * 1_440 - prompt.at;
    const weekday = ((here.weekday - back + 6) % 7) + 1;
    const itsDay = !prompt.days?.length || prompt.days.includes(weekday);
    if (since >= 0 && since < promptFor && itsDay) return addDays(here.date, -back);
  }
  return undefined;
}

/**
 * What waits for the resident, first what is most needed: medicines, what to
 * remember, letters, and the question how they are. `aside` says until when
 * a key is left alone. A letter that was read out unasked, see `readOut`, waits
 * until somebody has touched it: nobody may have been there. Without the right
 * time only letters come.
 */
export function asksOf(
  status: Status,
  now: number | undefined,
  aside: Aside,
  readOut: (key: string) => boolean = () => false,
): Ask[] {
  const { day, zone } = status;
  const asks: Ask[] = [];
  if (now !== undefined) {
    for (const prompt of day?.prompts ?? []) {
      const date = dueSince(prompt, now, zone);
      if (!date || takenAfter(status, prompt, date)) continue;
      asks.push({ kind: 'prompt', key: `${prompt.id}@${date}`, prompt });
    }
    asks.sort((a, b) => order(a) - order(b));
  }
  const notice = messageOf(status.notice, now, zone);
  if (notice) {
    const { key, text } = notice;
    const from = t('kiosk.the_home_care');
    asks.push({
      kind: 'letter',
      key,
      letter: { id: key, from, text, at: status.notice?.at ?? 0, notice: true },
    });
  }
  for (const letter of status.messages ?? []) {
    const age = now === undefined ? 0 : now - letter.at / 1_000;
    const key = `letter ${letter.id}`;
    const waits = !letter.heard || readOut(key);
    if (age < letterFor && waits) asks.push({ kind: 'letter', key, letter });
  }
  if (now !== undefined && day?.ask && !status.well_being) {
    const { date, minutes } = local(now, zone);
    const since = minutes - day.ask;
    if (since >= 0 && since < questionFor) asks.push({ kind: 'question', key: `how@${date}` });
  }
  return asks.filter(({ key }) => !aside.has(key, now ?? 0));
}

const order = (ask: Ask): number =>
  ask.kind === 'prompt' ? (ask.prompt.medication ? 0 : 2_000) + ask.prompt.at : 0;

/** Whether the medicine was taken for the time that began on that date. */
function takenAfter({ taken, zone }: Status, { id, at }: Prompt, date: string): boolean {
  const when = taken?.[id];
  if (!when) return false;
  const here = local(when / 1_000, zone);
  return here.date > date || (here.date === date && here.minutes >= at - 2 * promptFor);
}

const kept = 'lykta.kiosk.aside';
const most = 100;

/** What is left alone for a while; remembered over a reload. */
export class Aside {
  #until: Record<string, number>;

  constructor(private readonly memory: Memory) {
    try {
      this.#until = JSON.parse(memory.getItem(kept) || '{}') as Record<string, number>;
    } catch {
      this.#until = {};
    }
  }

  has(key: string, now: number): boolean {
    return (this.#until[key] ?? 0) > now;
  }

  put(key: string, until: number): void {
    const rest = Object.entries({ ...this.#until, [key]: until }).sort(([, a], [, b]) => b - a);
    this.#until = Object.fromEntries(rest.slice(0, most));
    this.memory.setItem(kept, JSON.stringify(this.#until));
  }
}
