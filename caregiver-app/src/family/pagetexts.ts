// The texts of the pages that are fetched when they are asked for.
import sharedEn from 'virtual:relatives-pages/en';
import sharedSv from 'virtual:relatives-pages/sv';
import en from '../../i18n/family/pages/en.json';
import sv from '../../i18n/family/pages/sv.json';
import { addTexts } from '../shared/i18n';

addTexts({ sv: { ...sharedSv, ...sv }, en: { ...sharedEn, ...en } });
