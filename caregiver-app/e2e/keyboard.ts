import type { Page } from '@playwright/test';

// What the keyboard alone reaches. The page is asked before each walk which
// elements can be acted on, and after each step where the focus is.

/** Where a step of the keyboard led. */
interface Stop {
  /** The element's place in the page's order; -1 is none of those that can be acted on. */
  at: number;
  says: string;
  /** Whether it has several stops, as a date has. */
  parts: boolean;
  /** What a person would miss about it: "" when all is well. */
  wrong: string;
}

/**
 * Goes through the page by Tab, from its beginning to its end, and says what is
 * wrong: what cannot be reached, comes in another order than it is read, cannot
 * be seen when it has the focus (WCAG 2.4.7, 2.4.11), or keeps the focus (2.1.2).
 */
export async function walk(page: Page): Promise<string[]> {
  // Somebody is at the keyboard: a page that has just come does not move the focus any more.
  await page.keyboard.press('Shift');
  const { all, begun } = await page.evaluate(prepare);
  const wrong: string[] = [];
  let expected = begun;
  // A date has a stop for each of its parts.
  for (let steps = 0; steps < 8 * all.length + 20; steps++) {
    await page.keyboard.press('Tab');
    const stop = await page.evaluate(look);
    if (stop === null) break; // out of the page, into the browser's own
    const within = stop.parts && stop.at === expected - 1;
    // Round again, or out of what lies over the page.
    if (expected >= all.length && !within) break;
    // Of a part that scrolls, the focus is there for the arrows.
    if (stop.at < 0 || within) continue;
    if (stop.at < expected) {
      wrong.push(`${stop.says}: comes back, after ${all[expected - 1]}`);
      break;
    }
    for (; expected < stop.at; expected++) wrong.push(`${all[expected]}: not reached by Tab`);
    if (stop.wrong) wrong.push(`${stop.says}: ${stop.wrong}`);
    expected = stop.at + 1;
  }
  for (; expected < all.length; expected++) wrong.push(`${all[expected]}: not reached by Tab`);
  return wrong;
}

interface Walking {
  stops: Element[];
  says(element: Element): string;
}

// In the page: finds what can be acted on, in its order, and puts the focus before the first.
function prepare(): { all: string[]; begun: number } {
  // What lies over the page is a page of its own.
  const over = document.querySelector('dialog[open], .menu[open]');
  const seen = (e: HTMLElement) =>
    e.checkVisibility({ checkVisibilityCSS: true }) && !e.closest('[inert]');
  const chosen = (e: HTMLElement) => {
    if (!(e instanceof HTMLInputElement) || e.type !== 'radio' || !e.name) return true;
    const group = [
      ...(e.form ?? document).querySelectorAll<HTMLInputElement>('[type=radio]'),
    ].filter((r) => r.name === e.name && !r.disabled);
    const checked = group.find((r) => r.checked);
    return e === (checked ?? group[0]);
  };
  const stops = [
    ...(over ?? document).querySelectorAll<HTMLElement>(
      'a[href], button, input, select, textarea, summary, [tabindex]',
    ),
  ].filter((e) => e.tabIndex >= 0 && !e.matches(':disabled') && seen(e) && chosen(e));
  const says = (e: Element) => {
    const text = (e.getAttribute('aria-label') ?? (e as HTMLElement).innerText ?? '')
      .trim()
      .replace(/\s+/g, ' ');
    const label = (e as HTMLInputElement).labels?.[0]?.innerText ?? '';
    return `${e.tagName.toLowerCase()} “${(text || label || e.className).slice(0, 60)}”`;
  };
  Object.assign(window, { walking: { stops, says } });
  if (over?.matches('.menu')) {
    // It shuts when the focus leaves it, so it is gone through from what opens it.
    stops[0]!.focus();
    return { all: stops.map(says), begun: 1 };
  }
  // Where the keyboard goes on from is the beginning.
  const start = document.createElement('span');
  start.tabIndex = -1;
  (over ?? document.body).prepend(start);
  start.focus();
  start.remove();
  if (!over) scrollTo(0, 0);
  return { all: stops.map(says), begun: 0 };
}

// In the page: where the focus is now. null is nowhere in it.
function look(): Stop | null {
  const { stops, says } = (window as unknown as { walking: Walking }).walking;
  const e = document.activeElement;
  if (!e || e === document.body || e === document.documentElement) return null;
  const at = stops.indexOf(e);

  // A choice that is drawn by its label is seen where the label is.
  const label = (e as HTMLInputElement).labels?.[0];
  const own = e.getBoundingClientRect();
  const drawn = own.width * own.height < 16 && label ? label : e;
  drawn.scrollIntoView({ block: 'nearest' });
  // Of a link over two lines, the first.
  const box = drawn.getClientRects()[0] ?? drawn.getBoundingClientRect();
  const outlined = (x: Element | null | undefined) => {
    if (!x) return false;
    const style = getComputedStyle(x);
    return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
  };
  const marked = [e, e.nextElementSibling, label].some(outlined);

  // Seen: its middle, or else most of its points, lie in the window with nothing over them.
  const points = [0.5, 0.1, 0.9].flatMap((y) => [0.5, 0.1, 0.9].map((x) => [x, y] as const));
  const open = points.filter(([x, y]) => {
    const px = box.left + box.width * x;
    const py = box.top + box.height * y;
    const there = document.elementFromPoint(px, py);
    return (
      !!there && (drawn.contains(there) || !!there.contains(drawn) || !!label?.contains(there))
    );
  });
  const wrong = [
    !marked && 'no mark of focus',
    open.length < 6 && `hidden: ${open.length} of 9 points are seen`,
  ].filter(Boolean);
  const parts = /^(date|time|datetime-local)$/.test(e.getAttribute('type') ?? '');
  return { at, says: says(e), parts, wrong: wrong.join(', ') };
}
