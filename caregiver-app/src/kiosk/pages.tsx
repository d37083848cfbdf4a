import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import { Drawing } from './drawings';
import { t } from './texts';

interface Props<T> {
  items: T[];
  label: string;
  of: (item: T) => ComponentChildren;
  keyOf: (item: T) => string;
  /** The one that is shown at first. */
  first?: number;
}

/**
 * As many items as fit, and buttons to the others: this screen is not
 * scrolled. Everything is laid out once, unseen, to find out what fits.
 */
export function Pages<T>({ items, label, of, keyOf, first = 0 }: Props<T>) {
  const list = useRef<HTMLUListElement>(null);
  const [breaks, setBreaks] = useState<number[]>([]);
  const [page, setPage] = useState(0);
  const [measured, setMeasured] = useState('');
  const what = `${items.map(keyOf).join()}|${innerWidth}x${innerHeight}|${sizeNow()}`;
  const measuring = measured !== what;

  useLayoutEffect(() => {
    if (!measuring || !list.current) return;
    const whole = breaksOf(list.current, 0);
    const found = whole.length > 1 ? breaksOf(list.current, turnerRoom(list.current)) : whole;
    setBreaks(found);
    setPage(found.findLastIndex((begin) => begin <= first));
    setMeasured(what);
  });

  const pages = Math.max(1, breaks.length);
  const current = Math.min(page, pages - 1);
  const shown = measuring ? items : items.slice(breaks[current] ?? 0, breaks[current + 1]);
  return (
    <div class="pages">
      <ul class="items" ref={list} aria-label={label} data-measuring={measuring}>
        {shown.map((item) => (
          <li key={keyOf(item)}>{of(item)}</li>
        ))}
      </ul>
      {pages > 1 && !measuring && <Turner page={current} pages={pages} turn={setPage} />}
    </div>
  );
}

const sizeNow = () => getComputedStyle(document.documentElement).fontSize;

/** What the buttons to the other pages take, in px. */
const turnerRoom = (list: HTMLElement) =>
  96 + (parseFloat(getComputedStyle(list.parentElement!).rowGap) || 0);

/** Where each page begins: the items whose row still ends within the list, less what is reserved. */
function breaksOf(list: HTMLElement, reserved: number): number[] {
  const items = [...list.children] as HTMLElement[];
  const height = list.clientHeight - reserved;
  const breaks = [0];
  for (const item of items) {
    const begin = breaks.at(-1)!;
    if (item.offsetTop + item.offsetHeight - items[begin]!.offsetTop <= height + 1) continue;
    // A page begins with a whole row.
    const row = items.findIndex((other) => other.offsetTop === item.offsetTop);
    if (row > begin) breaks.push(row);
  }
  return breaks;
}

/** The way to the page before and the next. */
export function Turner(props: { page: number; pages: number; turn: (page: number) => void }) {
  const { page, pages, turn } = props;
  return (
    <nav class="turner" aria-label={t('kiosk.page', { n: page + 1, of: pages })}>
      <button
        type="button"
        class="plain"
        aria-disabled={page === 0}
        onClick={() => turn(Math.max(0, page - 1))}
      >
        <Drawing name="back" />
        {t('kiosk.previous')}
      </button>
      <p aria-live="polite">{t('kiosk.page', { n: page + 1, of: pages })}</p>
      <button
        type="button"
        class="plain"
        aria-disabled={page >= pages - 1}
        onClick={() => turn(Math.min(pages - 1, page + 1))}
      >
        {t('kiosk.next')}
        <Drawing name="next" />
      </button>
    </nav>
  );
}
