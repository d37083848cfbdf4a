import type { Answer } from './status';
import { rightTime } from './status';
import { t } from './texts';
import {
  clock,
  date,
  dayPart,
  linkOf,
  messageOf,
  sayingOf,
  silence,
  silenceHelp,
  type Message,
  type Saying,
} from './words';

/** After so long without an answer the screen says so, in milliseconds. */
const silentAfter = 5_000;
/** Shorter interruptions of the connection are not worth a worry. */
const offlineAfter = 5_000;

/** What is shown at a moment. */
export interface View {
  now: number | undefined;
  saying: Saying | undefined;
  message: Message | undefined;
  link: string;
  silent: boolean;
}

/** What happened when, by the page's own time in milliseconds. */
export interface Seen {
  began: number;
  answer: Answer | undefined;
  /** Since when the newest press has been closed, and the connection gone. */
  closed: number | undefined;
  offline: number | undefined;
}

/** Takes an answer in. */
export function seeing(seen: Seen, answer: Answer): Seen {
  const { status, came } = answer;
  return {
    began: seen.began,
    answer,
    closed: status.sos.state === 'resolved' ? (seen.closed ?? came) : undefined,
    offline: status.online ? undefined : (seen.offline ?? came),
  };
}

/** Works out what is shown at a moment. */
export function viewOf({ began, answer, closed, offline }: Seen, moment: number): View {
  const silent = moment - (answer?.came ?? began) > silentAfter;
  const now = answer && rightTime(answer, moment);
  const told = answer && sayingOf(answer.status, now, moment - (closed ?? moment));
  const cut = offline !== undefined && moment - offline > offlineAfter;
  return {
    now,
    saying: silent ? silence(told) : told,
    message: messageOf(answer?.status.notice, now),
    link: silent ? silenceHelp() : answer && told && cut ? linkOf(answer.status, told) : '',
    silent,
  };
}

export function Screen({ view: { now, saying, message, link, silent } }: { view: View }) {
  return (
    <div class="kiosk" data-tone={saying?.tone ?? 'calm'}>
      <header class="when">
        {now === undefined ? (
          saying && !silent && <p>{t('kiosk.no_time')}</p>
        ) : (
          <>
            <p class="clock">{clock(now)}</p>
            <p class="day">
              <span>{dayPart(now)}</span> <span>{date(now)}</span>
            </p>
          </>
        )}
      </header>
      <main class="state">
        <div role="status">
          <h1 class={(saying?.headline.length ?? 0) > 34 ? 'long' : ''}>
            {saying?.headline ?? t('kiosk.starting')}
          </h1>
          {saying?.detail && <p>{saying.detail}</p>}
        </div>
      </main>
      {message && (
        <section class="notice" aria-label={message.heading}>
          <h2>{message.heading}</h2>
          <p>{message.text}</p>
        </section>
      )}
      <footer class="link">
        <p role="status">{link}</p>
      </footer>
    </div>
  );
}
