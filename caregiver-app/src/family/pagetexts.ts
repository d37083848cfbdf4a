// The texts of the pages that are fetched when they are asked for.
import en from '../../i18n/family/pages/en.json';
import sv from '../../i18n/family/pages/sv.json';
import { addTexts } from '../shared/i18n';

addTexts({ sv, en });
