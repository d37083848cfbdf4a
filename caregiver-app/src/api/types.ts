// The shapes of the HTTP API. Enumerations stay open (`string`) where the
// server may learn new values before this app does: unknown ones must show
// sensibly, never crash.

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

export interface Me {
  name: string;
  role: Open<'caregiver' | 'coordinator' | 'operator'>;
  language: string;
}

/** A window of the day in the home's zone; minutes after midnight. */
export interface CheckInWindow {
  from: number;
  by: number;
}

export interface Home {
  id: string;
  name: string;
  gateway: string;
  online: boolean;
  last_heard: Time | null;
  silent: boolean;
  clock_ok: boolean;
  spool_depth: number;
  open_alerts: number;
  highest_severity: Severity | '';
  last_check_in: Time | null;
  check_ins: CheckInWindow[];
  zone: string;
  last_activity: { t: Time; room: string; kind: string } | null;
  devices_silent: number;
  battery_low: number;
}

export interface Device {
  device: string;
  room: string;
  kinds: string[];
  last_seen: Time | null;
  silent: boolean;
  /** Percent, 0–100; null when the device does not say. */
  battery: number | null;
}

export interface Reading {
  t: Time;
  device: string;
  kind: string;
  room: string;
  v?: number;
  s?: string;
  unit?: string;
}

export interface HomeDetail extends Home {
  devices: Device[];
  last: Reading[];
}

/** The sum of one series' numbers over one step of `every`. */
export interface Window {
  t: Time;
  device: string;
  kind: string;
  room: string;
  count: number;
  min: number;
  max: number;
  mean: number;
  last: number;
}

export interface Alert {
  id: string;
  home: string;
  home_name: string;
  kind: AlertKind;
  severity: Severity;
  state: AlertState;
  device: string;
  room: string;
  observed: Time;
  raised: Time;
  acknowledged_by?: string;
  acknowledged_at?: Time;
  resolved_by?: string;
  resolved_at?: Time;
  outcome?: string;
  note?: string;
  recovered?: Time;
}

/** An RFC 9457 problem document. */
export interface ProblemDocument {
  title?: string;
  detail?: string;
  status?: number;
  /** The fixed id of the error, such as LYK-0501. */
  id?: string;
}
