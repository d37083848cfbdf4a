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
  | 'test_missed'
  | 'visit_missed'
  | 'call_back'
>;
export type Stage = Open<'open' | 'acknowledged' | 'on_the_way' | 'resolved'>;
export type Protection = Open<'never_tested' | 'protected' | 'test_due'>;

/** An object of the API whose enumerations may grow. */
type Grown<T, Fields> = Omit<T, keyof Fields> & Fields;

export type Me = Grown<Schemas['MeView'], { role: Open<'caregiver' | 'coordinator' | 'operator'> }>;
/** A window of the day in the home's zone; minutes after midnight. */
export type CheckInWindow = Schemas['CheckIn'];
export type Home = Grown<
  Schemas['HomeView'],
  { highest_severity: Severity | ''; protection: Protection }
>;
export type Device = Schemas['DeviceView'];
export type Reading = Schemas['ReadingView'];
export type HomeDetail = Home &
  Pick<Schemas['HomeDetail'], 'devices' | 'last' | 'last_unavailable'>;
/** The sum of one series' numbers over one step of `every`. */
export type Window = Schemas['WindowView'];
export type Alert = Grown<
  Schemas['AlertView'],
  { kind: AlertKind; severity: Severity; state: AlertState; stage: Stage }
>;
/** An RFC 9457 problem document, or what of it arrived. */
export type ProblemDocument = Partial<Schemas['Problem']>;

/** What was done to tell of an alert, and is going to be. */
export type Chain = Grown<Schemas['ChainView'], { alert: Alert; told: Told[]; deeds: Deed[] }>;
export type Told = Grown<
  Schemas['ToldView'],
  { about: string; group: string; channel: string; state: string }
>;
export type Deed = Schemas['DeedView'];
export type Person = Grown<Schemas['PersonView'], { groups: Member[]; addresses?: Address[] }> & {
  role?: string;
  areas?: string[] | null;
  /** How many passkeys they have. */
  passkeys?: number;
  /** Until when their invitation is good; null when there is none. */
  invited?: Time | null;
};
export type Address = Grown<Schemas['AddressView'], { channel: string }>;
export type Member = Grown<Schemas['MemberView'], { group: string }>;
export type People = { people: Person[]; last_resort: boolean };
export type Shift = Schemas['ShiftView'];
export type Shifts = { shifts: Shift[]; on_duty: string[] };
export type Step = Grown<Schemas['StepView'], { groups: string[] }>;
export type Policy = Grown<Schemas['PolicyView'], { severity: Severity; steps: Step[] }>;
export type Silence = Schemas['SilenceView'];
export type TestAlarm = Grown<Schemas['TestView'], { state: string; failed?: string }>;
export type Load = Schemas['LoadView'];
