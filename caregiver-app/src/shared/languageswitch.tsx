import { chooseLanguage, language } from './i18n';

/** The other language, in its own words. */
export function LanguageSwitch() {
  const other = language.value === 'sv' ? 'en' : 'sv';
  return (
    <button
      type="button"
      class="button button-plain"
      lang={other}
      onClick={() => chooseLanguage(other)}
    >
      {other === 'en' ? 'In English' : 'På svenska'}
    </button>
  );
}
