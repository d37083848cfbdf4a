import shared from 'virtual:relatives-texts/en';
import en from '../../i18n/family/en.json';
import { addTexts } from '../shared/i18n';

addTexts({ sv: {}, en: { ...shared, ...en } });
