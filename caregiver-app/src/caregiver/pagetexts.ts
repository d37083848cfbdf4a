// The texts of the pages that are fetched when they are asked for.
import sv from '../../i18n/pages/sv.json';
import { addPage } from '../shared/i18n';

addPage(sv, () => import('../../i18n/pages/en.json'));
