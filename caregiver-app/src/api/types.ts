// The shapes of the HTTP API, from its description (npm run generate).
// Enumerations stay open (`string`) where the
// server may learn new values before this app does: unknown ones must show
// sensibly, never crash.

import type { components } from './openapi';

type Schemas = components['schemas'];

type Open<Known extends string> = Known | (string & {});

/** An RFC 3339 time in UTC. */
export type Time = string;

export type Severity = Open<'emergency' | 'attention' | 'technical'>;
export type AlertState = Open<'open' | 'acknowledged' | 'resolved'>;
export type Outcome = 'helped' | 'false_press' | 'test' | 'technical' | 'could_not_reach' | 'other';
export type AlertKind = Open<
  | 'sos'
  | 'fall'
  | 'smoke'
  | 'carbon_monoxide'
  | 'water_leak'
  | 'check_in_missed'
  | 'gateway_silent'
  | 'sensor_silent'
  | 'battery_low'
>;

/** An object of the API whose enumerations may grow. */
type Grown<T, Fields> = Omit<T, keyof Fields> & Fields;

export type Me = Grown<Schemas['MeView'], { role: Open<'caregiver' | 'coordinator' | 'operator'> }>;
/** A window of the day in the home's zone; minutes after midnight. */
export type CheckInWindow = Schemas['CheckIn'];
export type Home = Grown<Schemas['HomeView'], { highest_severity: Severity | '' }>;
export type Device = Schemas['DeviceView'];
export type Reading = Schemas['ReadingView'];
export type HomeDetail = Grown<Schemas['HomeDetail'], { highest_severity: Severity | '' }>;
/** The sum of one series' numbers over one step of `every`. */
export type Window = Schemas['WindowView'];
export type Alert = Grown<
  Schemas['AlertView'],
  { kind: AlertKind; severity: Severity; state: AlertState }
>;
/** An RFC 9457 problem document, or what of it arrived. */
export type ProblemDocument = Partial<Schemas['Problem']>;
