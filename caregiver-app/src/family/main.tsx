import { render } from 'preact';
import './texts'; // first: the others use them
import '../shared/tokens.css';
import '../shared/base.css';
import './frame.css';
import './home.css';
import './pages.css'; // last: it overrides where there is room
import { startLanguage } from '../shared/i18n';
import { startClock } from '../shared/time';
import { App } from './app';
import { keepFocus } from './focus';
import { offerInstalling } from './install';
import { go, root, route, startRouter } from './route';
import { session, start, wake } from './state';

startRouter();
startClock();
keepFocus();
offerInstalling();
const show = () => render(<App />, document.getElementById('app')!);
const texts = startLanguage();
if (texts) void texts.then(show);
else show();

addEventListener('online', wake);
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') wake();
});
// What keeps the app on the device is not needed to show it. Nothing that is
// being written is thrown away for a newer version.
import('../shared/shell').then(
  ({ followMessages, keepApp }) => {
    followMessages(go);
    keepApp(root, () => !document.querySelector('dialog[open], form'));
  },
  () => {}, // the next time
);

// One who came by an invitation is nobody yet: asking who they are would only be refused.
if (route.value.screen === 'invitation') session.value = { state: 'signed-out', expired: false };
else void start();
