import type { ComponentChildren } from 'preact';
import type { Props } from './model';
import { t, type Key } from './texts';

/** What the resident chooses about the screen. */
export function SettingsPage({ model, acts }: Props) {
  const { settings, language } = model;
  return (
    <div class="settings">
      <Choice label="kiosk.set_language">
        <Pick on={language === 'sv'} pick={() => acts.set({ language: 'sv' })}>
          <span lang="sv">Svenska</span>
        </Pick>
        <Pick on={language === 'en'} pick={() => acts.set({ language: 'en' })}>
          <span lang="en">English</span>
        </Pick>
      </Choice>
      <Choice label="kiosk.set_text">
        {([1, 2, 3] as const).map((text) => (
          <Pick
            on={settings.text === text}
            pick={() => acts.set({ text })}
            label={t(`kiosk.text_${text}`)}
          >
            <span class="letter-a" data-text={text}>
              A
            </span>
          </Pick>
        ))}
      </Choice>
      <Choice label="kiosk.set_voice">
        <OnOff on={settings.voice} set={(voice) => acts.set({ voice })} />
      </Choice>
      <Choice label="kiosk.set_night">
        <OnOff on={settings.night} set={(night) => acts.set({ night })} />
        <button type="button" class="plain" onClick={acts.darken}>
          {t('kiosk.dark_now')}
        </button>
      </Choice>
    </div>
  );
}

function Choice({ label, children }: { label: Key; children: ComponentChildren }) {
  return (
    <fieldset>
      <legend>{t(label)}</legend>
      <div class="picks">{children}</div>
    </fieldset>
  );
}

interface PickProps {
  on: boolean;
  pick: () => void;
  label?: string;
  children: ComponentChildren;
}

const Pick = ({ on, pick, label, children }: PickProps) => (
  <button type="button" class="plain pick" aria-pressed={on} aria-label={label} onClick={pick}>
    {children}
  </button>
);

const OnOff = ({ on, set }: { on: boolean; set: (on: boolean) => void }) => (
  <>
    <Pick on={on} pick={() => set(true)}>
      {t('kiosk.on')}
    </Pick>
    <Pick on={!on} pick={() => set(false)}>
      {t('kiosk.off')}
    </Pick>
  </>
);
