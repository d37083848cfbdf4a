import '../shared/texts'; // first: the others use them
import '../shared/base.css';
import '../caregiver/frame.css';
import '../caregiver/alerts.css';
import '../caregiver/homes.css';
import '../caregiver/home.css';
import '../caregiver/phone.css'; // last: it overrides
import '../caregiver/curve';
import { chooseLanguage, language, pagesSpeak } from '../shared/i18n';
import { now, setServerTime } from '../shared/time';
import * as sound from '../caregiver/sound';
import {
  alerts,
  announcement,
  homes,
  link,
  loaded,
  notice,
  session,
  show,
} from '../caregiver/state';
import { push, pushFailure } from '../shared/push';
import { route } from '../shared/router';
import { adminGroup } from './staff/admin';
import { alertsGroup, putWaiting } from './staff/alerts';
import { base } from './staff/base';
import { callGroup } from './staff/call';
import { careGroup, putWritten } from './staff/care';
import { frameGroup } from './staff/frame';
import { homesGroup, putTests } from './staff/homes';
import { planGroup } from './staff/plan';
import { componentsOf, type Catalogue } from './specimen';
import { alert, saturday, iso, type World } from './world';

let world: World;
const here = () => world;

const groups = () => [
  base(),
  frameGroup(),
  alertsGroup(here),
  homesGroup(here),
  careGroup(here),
  callGroup(),
  planGroup(),
  adminGroup(here),
];

const catalogue: Catalogue = {
  groups: groups(),
  components: componentsOf(
    import.meta.glob(
      ['../caregiver/**/*.tsx', '../call/*.tsx', '../shared/**/*.tsx', '!../caregiver/main.tsx'],
      { eager: true },
    ),
  ),
  speak: speakIn,
  know(of, alone) {
    world = of;
    setServerTime(saturday);
    now.value = saturday;
    putTests(world);
    putWritten(world, alone);
    putWaiting(alone);
    session.value = { state: 'signed-in', me: world.me };
    homes.value = new Map(world.homes);
    // Two presses in one home tell which is which.
    const nth = [1, 2].map((n) => alert(`nth-${n}`, { home: 'nth', observed: iso(n) }));
    const open = [...world.alerts.values(), ...(alone ? [] : nth)].filter(
      (a) => a.state !== 'resolved',
    );
    alerts.value = new Map(open.map((a) => [a.id, a]));
    link.value = { up: true, heard: saturday };
    loaded.value = true;
    notice.value = null;
    announcement.value = '';
    route.value = { screen: 'now' };
    sound.wanted.value = sound.blocked.value = false;
    push.value = 'unknown';
    pushFailure.value = undefined;
    show('');
  },
};

/** Has the app speak; its texts come when they are asked for. */
async function speakIn(l: 'sv' | 'en'): Promise<void> {
  chooseLanguage(l);
  for (let i = 0; i < 200 && language.value !== l; i++) {
    await new Promise((later) => setTimeout(later, 10));
  }
  await pagesSpeak();
}

export default catalogue;
