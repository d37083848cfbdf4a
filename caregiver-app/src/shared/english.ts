import en from '../../i18n/en.json';
import { addTexts } from './i18n';

addTexts({ sv: {}, en });
