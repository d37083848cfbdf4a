import '../shared/tokens.css';
import { options, render } from 'preact';
import { follow, lookOf, type Look } from './looks';
import { Page } from './page';
import { Alone, enter } from './show';
import type { Catalogue } from './specimen';
import { speak } from './texts';
import { answerHere } from './world';

const query = new URLSearchParams(location.search);
const look = lookOf(query);
const only = query.get('only');

// Each app brings its own styles, which do not go together.
const catalogues: Record<Look['app'], () => Promise<{ default: Catalogue }>> = {
  caregiver: () => import('./caregiver'),
  family: () => import('./family'),
  kiosk: () => import('./kiosk'),
};

async function start(): Promise<void> {
  speak(look.language);
  document.documentElement.lang = look.language;
  const catalogue = (await catalogues[look.app]()).default;
  const specimens = catalogue.groups.flatMap(({ sections }) =>
    sections.flatMap(({ name, states }) => states.map((s) => ({ at: `${name}/${s.state}`, s }))),
  );
  const specimen = specimens.find(({ at }) => at === only)?.s;
  answerHere();
  await catalogue.speak(look.language);

  // What was drawn of the components, for who asks whether any is missing.
  const drawn = new Set<string>();
  const next = options.vnode;
  options.vnode = (vnode) => {
    const name = catalogue.components.get(vnode.type);
    if (name) drawn.add(name);
    next?.(vnode);
  };

  const app = document.getElementById('app')!;
  if (specimen) {
    enter(catalogue, look, specimen);
    await catalogue.dress?.();
    follow(look);
    render(<Alone specimen={specimen} drawn={drawn} bare={catalogue.framed === true} />, app);
    return;
  }
  follow(look);
  if (only) document.body.textContent = `? ${only}`;
  else render(<Page catalogue={catalogue} look={look} drawn={drawn} />, app);
}

void start();
