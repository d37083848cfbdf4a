import { render } from 'preact';
import '../shared/texts'; // first: the others use them
import '../shared/tokens.css';
import '../shared/base.css';
import './frame.css';
import './alerts.css';
import './homes.css';
import './home.css';
import './phone.css'; // last: it overrides
import { startLanguage } from '../shared/i18n';
import { go, route, startRouter } from '../shared/router';
import { followMessages, keepApp } from '../shared/shell';
import { startClock } from '../shared/time';
import { App, keepTitle } from './app';
import { startKeys } from './keys';
import { session, start, wake } from './state';
import { keepWall } from './wall';

startRouter();
startClock();
keepTitle();
startKeys();
const show = () => render(<App />, document.getElementById('app')!);
const texts = startLanguage();
if (texts) void texts.then(show);
else show();

addEventListener('online', wake);
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') wake();
});

keepWall(() => session.value.state === 'signed-in');
followMessages(go);
keepApp('/');

// One who came by a sign-in link or an invitation is let in by its code; asking who they are
// first would only be refused.
const to = route.value;
if ((to.screen === 'sign-in' && to.code) || to.screen === 'invitation')
  session.value = { state: 'signed-out', expired: false };
else void start();
