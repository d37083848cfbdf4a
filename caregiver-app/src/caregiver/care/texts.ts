// The texts of the pages about residents, fetched with them.
import sv from '../../../i18n/care/sv.json';
import { addPage } from '../../shared/i18n';
import '../pagetexts';

addPage(sv, () => import('../../../i18n/care/en.json'));
