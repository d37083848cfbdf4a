import { decode, stepsOf } from '../shared/steps';

/** Where this app lives. */
export const root = '/family/';

export type Route =
  | { screen: 'start' | 'account' | 'missing' }
  | { screen: 'home' | 'visits' | 'messages' | 'call' | 'alert'; id: string }
  | { screen: 'invitation'; code: string };

/** Reads a route from a path and fragment of this app's addresses. */
export function parse(path: string, fragment = ''): Route {
  const below = path.replace(/^\/family/, '').replace(/\/+$/, '');
  if (below === '' || below === '/sign-in') return { screen: 'start' };
  if (below === '/account') return { screen: 'account' };
  if (below === '/invitation') return { screen: 'invitation', code: decode(fragment.slice(1)) };
  const alert = /^\/alert\/([^/]+)$/.exec(below);
  if (alert?.[1]) return { screen: 'alert', id: decode(alert[1]) };
  const home = /^\/homes\/([^/]+)(?:\/(visits|messages|call))?$/.exec(below);
  if (home?.[1]) {
    return {
      screen: (home[2] as 'visits' | 'messages' | 'call' | undefined) ?? 'home',
      id: decode(home[1]),
    };
  }
  return { screen: 'missing' };
}

/** The address of a home's page. */
export const homePath = (home: string, page: '' | 'visits' | 'messages' | 'call' = '') =>
  `${root}homes/${encodeURIComponent(home)}${page && `/${page}`}`;

export const { route, go, startRouter } = stepsOf<Route>(root, parse, { screen: 'start' });
