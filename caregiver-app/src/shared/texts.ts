// The texts of the caregiver app's first screen, and what all of its pages
// share. Swedish comes with the app; English when somebody wants it.
import sv from '../../i18n/sv.json';
import { addTexts, bringTexts } from './i18n';

addTexts({ sv, en: {} });

let english: Promise<unknown> | undefined;

bringTexts((l) => {
  if (l === 'sv') return undefined;
  english ??= import('./english').catch((error: unknown) => {
    english = undefined; // the next choice tries again
    throw error;
  });
  return english;
});
