// The texts of the installer's pages, which come with them.
import en from '../../../i18n/install/en.json';
import sv from '../../../i18n/install/sv.json';
import { addTexts } from '../../shared/i18n';
import '../pagetexts';

addTexts({ sv, en });
