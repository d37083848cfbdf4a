// The texts of this app's first screen, and those that it shares with the
// staff's. Swedish comes with the app; English when somebody wants it.
import shared from 'virtual:relatives-texts/sv';
import sv from '../../i18n/family/sv.json';
import { addTexts, bringTexts } from '../shared/i18n';

addTexts({ sv: { ...shared, ...sv }, en: {} });

let english: Promise<unknown> | undefined;

bringTexts((l) => {
  if (l === 'sv') return undefined;
  english ??= import('./english').catch((error: unknown) => {
    english = undefined; // the next choice tries again
    throw error;
  });
  return english;
});
