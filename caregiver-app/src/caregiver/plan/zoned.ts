import { atMinute, clock, dayOf } from '../../shared/time';

/** The instant as a date-and-time field of the zone shows it: "2026-11-21T14:00". */
export const local = (ms: number, zone?: string): string => `${dayOf(ms, zone)}T${clock(ms, zone)}`;

/** The instant, in milliseconds since 1970, that a date-and-time field says in the zone; NaN for none. */
export function instantOf(field: string, zone?: string): number {
  const parts = /^(\d{4}-\d\d-\d\d)T(\d\d):(\d\d)/.exec(field);
  if (!parts?.[1]) return NaN;
  return atMinute(parts[1], Number(parts[2]) * 60 + Number(parts[3]), zone);
}
