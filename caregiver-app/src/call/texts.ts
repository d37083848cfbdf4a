// The texts of calls by video, fetched with them.
import sv from '../../i18n/call/sv.json';
import { addPage } from '../shared/i18n';

addPage(sv, () => import('../../i18n/call/en.json'));
