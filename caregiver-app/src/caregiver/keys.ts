import { signal } from '@preact/signals';
import { go, route } from '../shared/router';

const remembered = 'lykta.keys';

/** Whether this person wants single keys to do something. */
export const wanted = signal(localStorage.getItem(remembered) !== 'off');
/** Whether the list of the keys is on screen. */
export const helpShown = signal(false);

export function want(on: boolean): void {
  localStorage.setItem(remembered, on ? 'on' : 'off');
  wanted.value = on;
}

/** Makes the keys do what the list of them says. */
export function startKeys(): void {
  document.addEventListener('keydown', (e) => {
    if (!wanted.value || e.defaultPrevented || e.metaKey || e.ctrlKey || e.altKey) return;
    if (document.querySelector('dialog[open]') || writes(e.target as Element)) return;
    if (press(e.key)) e.preventDefault();
  });
}

const writes = (at: Element | null) =>
  at?.closest('textarea, select, [contenteditable], input:not([type=radio], [type=checkbox])') !=
  null;

function press(key: string): boolean {
  switch (key) {
    case '/':
      if (route.value.screen === 'search') {
        document.querySelector<HTMLElement>('input[type=search]')?.focus();
      } else go('/search');
      return true;
    case '?':
      return (helpShown.value = true);
    case 'j':
      return step(1);
    case 'k':
      return step(-1);
    case 'a':
      return deed('take');
    case 'o':
      return deed('way');
  }
  return false;
}

const current = () => document.activeElement?.closest<HTMLElement>('[data-alert]');

function step(by: 1 | -1): boolean {
  const cards = [...document.querySelectorAll<HTMLElement>('[data-alert]')];
  const card = current();
  const at = card ? cards.indexOf(card) + by : 0;
  const next = cards[Math.min(Math.max(at, 0), cards.length - 1)];
  next?.focus();
  next?.scrollIntoView({ block: 'nearest' });
  return next !== undefined;
}

function deed(name: string): boolean {
  const button = current()?.querySelector<HTMLElement>(`[data-deed="${name}"]`);
  button?.click();
  return button != null;
}
