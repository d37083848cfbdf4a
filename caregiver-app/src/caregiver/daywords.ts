import { t } from '../shared/i18n';
import { clock } from '../shared/time';
import { kindName, saying } from '../shared/words';
import type { Interval, Mark } from './timeline';

/** What a mark is called: "Medicin inte tagen". */
export function markName(mark: Mark): string {
  if (mark.kind === 'medication' && mark.reading.v === 0) return t('mark.medication_missed');
  const name = t(`mark.${mark.kind}`);
  return mark.kind === 'button' && mark.reading.s ? `${name}: ${saying(mark.reading)}` : name;
}

/** What an interval is called: "Öppen dörr eller lucka", "Vattenläcka". */
export const intervalName = (i: Interval): string =>
  i.kind === 'danger' || i.what === 'vibration' ? kindName(i.what) : t(`legend.${i.kind}`);

/** The time or times of something: "13:58–14:05". */
export function times(from: number, to: number, zone: string): string {
  const [a, b] = [clock(from, zone), clock(to, zone)];
  return a === b ? a : `${a}–${b}`;
}
