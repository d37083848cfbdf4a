import { checkInState, greeting, nextVisit } from './daywords';
import { Drawing, Lantern, type DrawingName } from './drawings';
import { HelpButton } from './help';
import type { Page, Props } from './model';
import type { Status } from './status';
import { t, type Key } from './texts';

const ways: [Page['name'] & ('day' | 'letters' | 'data' | 'settings'), DrawingName, Key][] = [
  ['day', 'day', 'kiosk.nav_day'],
  ['letters', 'letter', 'kiosk.nav_messages'],
  ['data', 'shield', 'kiosk.nav_data'],
  ['settings', 'screen', 'kiosk.nav_settings'],
];

/** The first screen, while nothing waits. */
export function Home({ model, acts }: Props) {
  const { view, deeds, help } = model;
  const status: Status = model.status ?? { online: true, sos: { state: 'none' } };
  const known = model.status !== undefined;
  const checkIn = checkInState(status, view.now, deeds.of('check_in'));
  const visit = nextVisit(status, view.now);
  // An alarm that is over is told of for a while.
  const over = view.saying?.key ? view.saying : undefined;
  return (
    <>
      <main class="today">
        <Lantern lit={checkIn.state === 'received'} />
        <div role="status">
          <h1 class={over || !visit.text ? 'alone' : ''}>
            {over?.headline ?? (known ? greeting(status, view.now) : t('kiosk.starting'))}
          </h1>
          {over ? (
            <p>{over.detail}</p>
          ) : (
            <>
              {visit.text && <p class="who">{visit.text}</p>}
              {visit.what && <p class="what">{visit.what}</p>}
              {visit.more && <p class="what">{visit.more}</p>}
            </>
          )}
          {view.link && <p class="link">{view.link}</p>}
        </div>
      </main>
      <div class="tiles">
        <button
          type="button"
          class="tile well"
          data-state={checkIn.state}
          aria-disabled={checkIn.state === 'saving'}
          onClick={acts.checkIn}
        >
          <Drawing name="check" />
          <span class="words">
            <strong>{t('kiosk.well')}</strong>{' '}
            <span class="hint" role="status">
              {checkIn.text}
            </span>
          </span>
        </button>
        <HelpButton help={help} big />
      </div>
      <nav class="bar" aria-label={t('kiosk.nav')}>
        {ways.map(([name, drawing, text]) => (
          <button type="button" class="plain" onClick={() => acts.go({ name })}>
            <Drawing name={drawing} />
            {t(text)}
          </button>
        ))}
      </nav>
    </>
  );
}
