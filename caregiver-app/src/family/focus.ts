import { t } from '../shared/i18n';

// Where the focus is, for who goes by key or by ear: pressing something often
// takes it away, and a page comes some time after the step to it.

/** What was pressed last, until the person leaves it; and what it stood in, the nearest first. */
let pressed: HTMLElement | undefined;
let around: Element[] = [];
/** Whether a heading is to have the focus as soon as there is one. */
let sought = false;

const nowhere = () => document.activeElement === document.body;

function seek(): void {
  const place = around.find((p) => p.isConnected) ?? document;
  const heading = place.querySelector<HTMLElement>('h1, h2');
  if (!heading) return;
  sought = false;
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
  if (heading.matches(':focus-visible')) heading.scrollIntoView({ block: 'nearest' });
}

/** After a step to another page the focus goes to its heading. */
export function toHeading(): void {
  around = [];
  sought = true;
  seek();
}

function changed(): void {
  const heading = document.querySelector('h1')?.textContent;
  document.title = [heading, t('app.name')].filter(Boolean).join(' – ');
  if (sought) return seek();
  if (!pressed || !nowhere()) return;
  if (!pressed.isConnected) {
    pressed = undefined;
    sought = true;
    seek();
  } else if (!pressed.matches(':disabled')) pressed.focus(); // it was at work
}

/** Keeps the focus from getting lost when what has it goes away, and the window's title that of the page. */
export function keepFocus(): void {
  document.addEventListener('focusin', ({ target }) => {
    pressed = target as HTMLElement;
    around = ['article', 'section', 'form', 'main']
      .map((kind) => pressed!.closest(kind))
      .filter((p) => p !== null);
    sought = false;
  });
  document.addEventListener('focusout', ({ target }) =>
    // What is taken away loses the focus, too: it is not the person who leaves then.
    queueMicrotask(() => {
      const left = target as HTMLElement;
      if (left === pressed && left.isConnected && !left.matches(':disabled')) pressed = undefined;
    }),
  );
  new MutationObserver(changed).observe(document.body, {
    childList: true,
    subtree: true,
    characterData: true,
    attributeFilter: ['disabled'],
  });
}
