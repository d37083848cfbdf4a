import { signal, type Signal } from '@preact/signals';

/** The text behind an escaped part of an address; what is not well escaped stays as it is. */
export function decode(s: string): string {
  try {
    return decodeURIComponent(s);
  } catch {
    return s;
  }
}

interface Steps<Route> {
  /** Where the person is. */
  route: Signal<Route>;
  /** Goes to an address of this app. */
  go(path: string, replace?: boolean): void;
  /** Follows the address bar, and turns clicks on links of this app into steps within it. */
  startRouter(): void;
}

/**
 * The steps of an app whose addresses begin with `root`. `parse` reads a route
 * from a path and a fragment; `first` is where one is before it has been asked.
 */
export function stepsOf<Route>(
  root: string,
  parse: (path: string, fragment: string) => Route,
  first: Route,
): Steps<Route> {
  const route = signal<Route>(first);
  const look = () => (route.value = parse(location.pathname, location.hash));
  const go = (path: string, replace = false) => {
    if (replace) history.replaceState(null, '', path);
    else history.pushState(null, '', path);
    look();
    scrollTo(0, 0);
  };
  const startRouter = () => {
    look();
    addEventListener('popstate', look);
    document.addEventListener('click', (event) => {
      if (event.defaultPrevented || event.button !== 0) return;
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
      const link = (event.target as Element).closest('a');
      if (!link || link.target || link.origin !== location.origin || link.hash) return;
      if (!link.pathname.startsWith(root)) return;
      event.preventDefault();
      go(link.pathname + link.search);
    });
  };
  return { route, go, startRouter };
}
