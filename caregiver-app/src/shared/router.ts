import { decode, stepsOf } from './steps';

/** The pages about who comes, who is told of what, and how it went. */
export const planning = [
  'rota',
  'visits',
  'people',
  'policies',
  'silences',
  'devices',
  'statistics',
  'load',
] as const;
export type Planning = (typeof planning)[number];

/** The parts of a resident's page; the day is the page's own address. */
export const parts = ['day', 'notes', 'card', 'trends', 'messages', 'consent'] as const;
export type Part = (typeof parts)[number];

export type Route =
  | { screen: 'now' | 'shift' | 'hand-over' | 'search' }
  | { screen: 'homes' }
  | { screen: 'home'; id: string; part: Part }
  | { screen: 'alert' | 'call'; id: string }
  | { screen: Planning }
  | { screen: 'sign-in'; code: string }
  | { screen: 'invitation'; code: string }
  | { screen: 'account' }
  | { screen: 'install'; id: string }
  | { screen: 'missing' };

/** Reads a route from a path and fragment of this app's addresses. */
export function parse(path: string, fragment = ''): Route {
  const trimmed = path.replace(/\/+$/, '') || '/';
  if (trimmed === '/') return { screen: 'now' };
  if (trimmed === '/homes') return { screen: 'homes' };
  if (trimmed === '/sign-in') return { screen: 'sign-in', code: decode(fragment.slice(1)) };
  if (trimmed === '/invitation') return { screen: 'invitation', code: decode(fragment.slice(1)) };
  if (trimmed === '/account') return { screen: 'account' };
  const install = /^\/install(?:\/([^/]+))?$/.exec(trimmed);
  if (install) return { screen: 'install', id: decode(install[1] ?? '') };
  const page = (['shift', 'hand-over', 'search'] as const).find((name) => trimmed === `/${name}`);
  if (page) return { screen: page };
  const home = /^\/homes\/([^/]+)(?:\/([a-z]+))?$/.exec(trimmed);
  const part = parts.find((name) => name === (home?.[2] ?? 'day'));
  if (home?.[1] && part) return { screen: 'home', id: decode(home[1]), part };
  const one = /^\/(alert|call)\/([^/]+)$/.exec(trimmed);
  if (one) return { screen: one[1] as 'alert', id: decode(one[2]!) };
  const plan = planning.find((name) => trimmed === `/${name}`);
  if (plan) return { screen: plan };
  return { screen: 'missing' };
}

export const { route, go, startRouter } = stepsOf<Route>('/', parse, { screen: 'now' });
