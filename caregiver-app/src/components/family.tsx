import '../family/texts'; // first: the others use them
import '../shared/base.css';
import '../family/frame.css';
import '../family/home.css';
import '../family/pages.css'; // last: it overrides where there is room
import { chooseLanguage, language, pagesSpeak } from '../shared/i18n';
import { push, pushFailure } from '../shared/push';
import { now, setServerTime } from '../shared/time';
import { route } from '../family/route';
import { homes, link, messages, notice, session } from '../family/state';
import type { FamilyHome } from '../family/api';
import { familyHome } from '../../e2e/mock/family.mjs';
import { familyGroups, putWaiting } from './relatives/sections';
import { base } from './staff/base';
import { componentsOf, type Catalogue } from './specimen';
import { saturday } from './world';

const catalogue: Catalogue = {
  groups: [base(), ...familyGroups()],
  components: componentsOf(
    import.meta.glob(['../family/**/*.tsx', '../shared/**/*.tsx', '!../family/main.tsx'], {
      eager: true,
    }),
  ),
  async speak(l) {
    chooseLanguage(l);
    for (let i = 0; i < 200 && language.value !== l; i++) {
      await new Promise((later) => setTimeout(later, 10));
    }
    await pagesSpeak();
  },
  know(world, alone) {
    setServerTime(saturday);
    now.value = saturday;
    session.value = { state: 'signed-in', me: world.me };
    homes.value = [...world.family.homes.values()].map(
      (h) => familyHome(h, world.alerts) as FamilyHome,
    );
    messages.value = new Map();
    link.value = { up: true, heard: saturday };
    notice.value = null;
    route.value = { screen: 'start' };
    push.value = 'unknown';
    pushFailure.value = undefined;
    putWaiting(alone);
  },
};

export default catalogue;
