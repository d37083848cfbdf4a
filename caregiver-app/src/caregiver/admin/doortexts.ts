// The texts of the ways in: few, as who is not in yet waits for them.
import en from '../../../i18n/door/en.json';
import sv from '../../../i18n/door/sv.json';
import { addTexts } from '../../shared/i18n';

addTexts({ sv, en });
