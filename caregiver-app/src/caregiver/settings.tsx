import { chooseLanguage, language, t, type Language } from '../shared/i18n';
import * as sound from './sound';

const languages: Record<Language, string> = { sv: 'Svenska', en: 'English' };

/** The language of this device. `group` tells apart two of them on one page. */
export function LanguageChoice({ group = 'language' }: { group?: string }) {
  return (
    <fieldset class="segments">
      <legend>{t('menu.language')}</legend>
      {(Object.keys(languages) as Language[]).map((l) => (
        <label key={l} class="segment">
          <input
            type="radio"
            name={group}
            checked={language.value === l}
            onChange={() => chooseLanguage(l)}
          />
          <span lang={l}>{languages[l]}</span>
        </label>
      ))}
    </fieldset>
  );
}

/** Whether an alarm sounds on this device, and a way to hear it. */
export function SoundChoice() {
  return (
    <>
      <label class="switch">
        <input
          type="checkbox"
          checked={sound.wanted.value}
          onChange={(e) => sound.want(e.currentTarget.checked)}
        />
        <span>{t('menu.sound')}</span>
      </label>
      <button type="button" class="button" onClick={() => void sound.play()}>
        {t('menu.sound_test')}
      </button>
    </>
  );
}
