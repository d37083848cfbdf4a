import { signal } from '@preact/signals';

/** Where this app lives. */
export const root = '/family/';

export type Route =
  | { screen: 'start' | 'account' | 'missing' }
  | { screen: 'home' | 'visits' | 'messages' | 'alert'; id: string }
  | { screen: 'invitation'; code: string };

/** Reads a route from a path and fragment of this app's addresses. */
export function parse(path: string, fragment = ''): Route {
  const below = path.replace(/^\/family/, '').replace(/\/+$/, '');
  if (below === '' || below === '/sign-in') return { screen: 'start' };
  if (below === '/account') return { screen: 'account' };
  if (below === '/invitation') return { screen: 'invitation', code: decode(fragment.slice(1)) };
  const alert = /^\/alert\/([^/]+)$/.exec(below);
  if (alert?.[1]) return { screen: 'alert', id: decode(alert[1]) };
  const home = /^\/homes\/([^/]+)(?:\/(visits|messages))?$/.exec(below);
  if (home?.[1]) {
    return {
      screen: (home[2] as 'visits' | 'messages' | undefined) ?? 'home',
      id: decode(home[1]),
    };
  }
  return { screen: 'missing' };
}

function decode(s: string): string {
  try {
    return decodeURIComponent(s);
  } catch {
    return s;
  }
}

/** The address of a home's page. */
export const homePath = (home: string, page: '' | 'visits' | 'messages' = '') =>
  `${root}homes/${encodeURIComponent(home)}${page && `/${page}`}`;

/** Where the person is. */
export const route = signal<Route>({ screen: 'start' });

const here = () => parse(location.pathname, location.hash);

/** Goes to an address of this app. */
export function go(path: string, replace = false): void {
  if (replace) history.replaceState(null, '', path);
  else history.pushState(null, '', path);
  route.value = here();
  scrollTo(0, 0);
}

/** Follows the address bar, and turns clicks on links of this app into steps within it. */
export function startRouter(): void {
  route.value = here();
  addEventListener('popstate', () => (route.value = here()));
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element).closest('a');
    if (!link || link.target || link.origin !== location.origin || link.hash) return;
    if (!link.pathname.startsWith(root)) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}
