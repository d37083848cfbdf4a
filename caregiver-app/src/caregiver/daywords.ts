import { t } from '../shared/i18n';
import { clock } from '../shared/time';
import { deviceName, kindName, saying } from '../shared/words';
import type { Interval, Mark } from './timeline';

/** What a mark is called: "Medicin inte tagen". */
export function markName(mark: Mark): string {
  if (mark.kind === 'medication' && mark.reading.v === 0) return t('mark.medication_missed');
  const name = t(`mark.${mark.kind}`);
  return mark.kind === 'button' && mark.reading.s ? `${name}: ${saying(mark.reading)}` : name;
}

/** What an interval is called: "Öppen dörr eller lucka (Front door)", "Vattenläcka". */
export function intervalName(i: Interval): string {
  if (i.kind === 'danger' || i.what === 'vibration') return kindName(i.what);
  const name = t(`legend.${i.kind}`);
  // A room may have several doors and appliances.
  return i.kind === 'contact' || i.kind === 'power' ? `${name} (${deviceName(i.device)})` : name;
}

/** The time or times of something: "13:58–14:05". */
export function times(from: number, to: number, zone: string): string {
  const [a, b] = [clock(from, zone), clock(to, zone)];
  return a === b ? a : `${a}–${b}`;
}
