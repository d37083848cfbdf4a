import { me } from './state';

// What each role may do, for a service that does not say it itself.
const byRole: Record<string, readonly string[]> = {
  caregiver: ['plan_visits', 'write_card', 'read_rota'],
  coordinator: [
    'plan_visits',
    'write_card',
    'read_rota',
    'manage_people',
    'manage_home',
    'send_commands',
    'add_homes',
    'read_load',
    'read_statistics',
  ],
  operator: [
    'read_rota',
    'manage_people',
    'manage_home',
    'send_commands',
    'add_homes',
    'read_load',
    'read_statistics',
  ],
};

/** Whether who is signed in may do it, as far as their role goes: what they may not is not shown. */
export function may(action: string): boolean {
  const person = me.value as { role: string; may?: readonly string[] | null } | null;
  if (!person) return false;
  return (person.may ?? byRole[person.role] ?? []).includes(action);
}

/** Whether the service can do it: what it cannot is not offered. */
export const can = (feature: string): boolean =>
  (me.value as { features?: readonly string[] } | null)?.features?.includes(feature) === true;
