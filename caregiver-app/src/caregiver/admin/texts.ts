// The texts of the pages that run the service, which come with them.
import en from '../../../i18n/admin/en.json';
import sv from '../../../i18n/admin/sv.json';
import { addTexts } from '../../shared/i18n';
import '../pagetexts';

addTexts({ sv, en });
