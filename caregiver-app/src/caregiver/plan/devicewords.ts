import { t } from '../../shared/i18n';
import { deviceName, kindName, roomName } from '../../shared/words';
import type { DeviceState } from '../admin/api';

/** Among batteries that are to be changed, one at most this full, in percent, is nearly empty. */
const emptyBattery = 10;
/** Zigbee's link quality, 0–255: below these a device is lost now and then, or soon. */
const weakSignal = 40;
const fairSignal = 90;

export type Need = 'silent' | 'battery' | 'signal' | '';

/** What the device needs somebody's hands for first; "" for nothing. */
export function needOf(d: DeviceState): Need {
  if (d.silent) return 'silent';
  if (d.battery_low) return 'battery';
  if (d.signal !== null && d.signal < weakSignal) return 'signal';
  return '';
}

const order: readonly Need[] = ['silent', 'battery', 'signal', ''];

/** Those that need hands first, the emptiest and the longest silent before others; then by home and room. */
export function byNeed(collator: Intl.Collator): (a: DeviceState, b: DeviceState) => number {
  return (a, b) => {
    const need = needOf(a);
    const worse =
      need === 'silent'
        ? (a.last_seen ?? '').localeCompare(b.last_seen ?? '')
        : need === 'battery'
          ? (a.battery ?? 0) - (b.battery ?? 0)
          : need === 'signal'
            ? a.signal! - b.signal!
            : 0;
    return (
      order.indexOf(need) - order.indexOf(needOf(b)) ||
      worse ||
      collator.compare(a.home_name, b.home_name) ||
      collator.compare(roomName(a.room), roomName(b.room)) ||
      a.device.localeCompare(b.device)
    );
  };
}

/** How full the battery is: the word for it, and how many of four bars. The service says whether it is low. */
export function batteryWords({
  battery,
  battery_low: low,
}: Pick<DeviceState, 'battery' | 'battery_low'>): { text: string; level: number } {
  if (battery === null) {
    return low
      ? { text: kindName('battery_low'), level: 1 }
      : { text: t('devices.battery.none'), level: -1 };
  }
  const n = Math.round(battery);
  if (low && battery <= emptyBattery) return { text: t('devices.battery.empty', { n }), level: 0 };
  if (low) return { text: t('devices.battery.low', { n }), level: 1 };
  return { text: t('devices.battery.good', { n }), level: Math.min(4, Math.ceil(battery / 25)) };
}

/** How well the device is heard: the word for it, and how many of four bars. */
export function signalWords(signal: number | null): { text: string; level: number } {
  if (signal === null) return { text: t('devices.signal.none'), level: -1 };
  if (signal < weakSignal) return { text: t('devices.signal.weak'), level: 1 };
  if (signal < fairSignal) return { text: t('devices.signal.fair'), level: 2 };
  return { text: t('devices.signal.good'), level: signal < 160 ? 3 : 4 };
}

/** Whether every word is found in the device's home, room or name. */
export function matches(d: DeviceState, search: string): boolean {
  const text =
    `${d.home_name} ${roomName(d.room)} ${deviceName(d.device)} ${d.device}`.toLocaleLowerCase();
  return search
    .toLocaleLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

const technical = ['battery', 'battery_low', 'link_quality', 'availability', 'tamper'];

/** What a device tells besides of itself: what it is for. */
export const itsKinds = (kinds: readonly string[]): string[] =>
  kinds.filter((k) => !technical.includes(k));
