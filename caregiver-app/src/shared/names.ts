import type { Alert } from '../api/types';
import { readable, tMaybe } from './i18n';

// What every app calls things.

/** What a kind of reading is called: "Rörelse". */
export const kindName = (kind: string): string => tMaybe(`kind.${kind}`) ?? readable(kind);

/** What an alert is called: "Trygghetslarm". */
export const alertName = (alert: Pick<Alert, 'kind'>): string =>
  tMaybe(`alert.${alert.kind}`) ?? readable(alert.kind);

/** How an alert ended: "Hjälp given". */
export const outcomeName = (outcome: string): string =>
  tMaybe(`outcome.${outcome}`) ?? readable(outcome);
