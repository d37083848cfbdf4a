import { render } from 'preact';
import '../shared/tokens.css';
import '../shared/base.css';
import './frame.css';
import './alerts.css';
import './homes.css';
import './home.css';
import './phone.css'; // last: it overrides
import { startLanguage } from '../shared/i18n';
import { go, route, startRouter } from '../shared/router';
import { startClock } from '../shared/time';
import { App, keepTitle } from './app';
import { session, start, wake } from './state';

startLanguage();
startRouter();
startClock();
keepTitle();
render(<App />, document.getElementById('app')!);

addEventListener('online', wake);
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') wake();
});

// A touch on a message opens what it is about in the window that is there already.
navigator.serviceWorker?.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
  const { go: path } = (data ?? {}) as { go?: unknown };
  if (typeof path === 'string' && path.startsWith('/')) go(path);
});

// One who came by a sign-in link is let in by its code; asking who they are
// first would only be refused.
const to = route.value;
if (to.screen === 'sign-in' && to.code) session.value = { state: 'signed-out', expired: false };
else void start();
