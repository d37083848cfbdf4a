import type { Ask } from './asks';
import { Drawing } from './drawings';
import { HelpButton } from './help';
import { LetterText, MoreOfIt, useParts } from './letters';
import { deedOf, type Props } from './model';
import type { Deed } from './deeds';
import { t } from './texts';

/** What waits for the resident has the screen; help stays within reach. */
export function Asking({ model, acts }: Props) {
  const { ask, thanks, help } = model;
  return (
    <>
      {thanks ? (
        <main class="ask centred" data-thanks={thanks.kind}>
          <div role="status">
            <h1>{t(thanks.kind === 'bad' ? 'kiosk.how_bad' : 'kiosk.thanks')}</h1>
            <p>
              {t(
                thanks.kind === 'bad'
                  ? 'kiosk.how_bad_detail'
                  : thanks.kind === 'taken'
                    ? 'kiosk.thanks_taken'
                    : 'kiosk.thanks_answer',
              )}
            </p>
          </div>
          {thanks.kind === 'bad' && (
            <div class="choices">
              <button type="button" class="plain" onClick={acts.enough}>
                {t('kiosk.no_help')}
              </button>
            </div>
          )}
        </main>
      ) : ask?.kind === 'prompt' ? (
        <PromptAsk ask={ask} model={model} acts={acts} />
      ) : ask?.kind === 'letter' ? (
        <LetterAsk ask={ask} model={model} acts={acts} />
      ) : ask ? (
        <Question ask={ask} model={model} acts={acts} />
      ) : null}
      <HelpButton help={help} />
    </>
  );
}

/** How the saving goes, as far as it has to be known. */
export const troubleOf = (deed: Deed | undefined): string =>
  deed?.state === 'trouble'
    ? t('kiosk.not_saved_yet', { id: deed.id })
    : deed?.state === 'failed'
      ? t('kiosk.failed', { id: deed.id })
      : '';

const isSaving = (deed: Deed | undefined) => deed?.state === 'saving' || deed?.state === 'trouble';

function PromptAsk({ ask, model, acts }: Props & { ask: Ask & { kind: 'prompt' } }) {
  const { text, medication } = ask.prompt;
  const deed = model.deeds.of(deedOf.prompt(ask.key));
  return (
    <main class="ask centred">
      <Drawing name={medication ? 'pill' : 'bell'} />
      <div role="status">
        <h1>{t(medication ? 'kiosk.medicine_time' : 'kiosk.reminder_time')}</h1>
        <p class="large">{text}</p>
        {troubleOf(deed) && <p class="quiet">{troubleOf(deed)}</p>}
      </div>
      <div class="choices">
        <button
          type="button"
          class="yes"
          aria-disabled={isSaving(deed)}
          onClick={() => (medication ? acts.take(ask) : acts.finish(ask))}
        >
          <Drawing name="check" />
          {isSaving(deed) ? t('kiosk.saving') : t(medication ? 'kiosk.taken' : 'kiosk.done')}
        </button>
        <button type="button" class="plain" onClick={() => acts.notNow(ask)}>
          <span class="words">
            {t('kiosk.not_now')} <span class="hint">{t('kiosk.not_now_hint')}</span>
          </span>
        </button>
      </div>
    </main>
  );
}

function LetterAsk({ ask, model, acts }: Props & { ask: Ask & { kind: 'letter' } }) {
  const { text, last, turn } = useParts(ask.letter);
  return (
    <main class="ask">
      <LetterText letter={ask.letter} text={text} model={model} />
      <div class="choices">
        <ReadAloud letter={ask.letter} model={model} acts={acts} />
        {last ? (
          <button type="button" class="yes" onClick={() => acts.haveRead(ask.letter)}>
            <Drawing name="check" />
            {t('kiosk.have_read')}
          </button>
        ) : (
          <MoreOfIt last={last} turn={turn} />
        )}
      </div>
    </main>
  );
}

export function ReadAloud({
  letter,
  model,
  acts,
}: Props & { letter: (Ask & { kind: 'letter' })['letter'] }) {
  const words =
    model.reading === letter.id
      ? t('kiosk.reading')
      : t(model.voiceless ? 'kiosk.no_voice' : 'kiosk.read_aloud');
  return (
    <button type="button" class="plain" onClick={() => acts.read(letter)}>
      <Drawing name="speaker" />
      <span aria-live="polite">{words}</span>
    </button>
  );
}

function Question({ ask, model, acts }: Props & { ask: Ask }) {
  const deed = model.deeds.of('well_being');
  const saving = isSaving(deed);
  return (
    <main class="ask centred">
      <div role="status">
        <h1>{t('kiosk.how')}</h1>
        {(saving || deed) && <p class="quiet">{troubleOf(deed) || t('kiosk.saving')}</p>}
      </div>
      <div class="choices faces">
        {([3, 2, 1] as const).map((value) => (
          <button
            type="button"
            class="plain"
            aria-disabled={saving}
            onClick={() => acts.answer(ask, value)}
          >
            <Drawing name={`face${value}`} />
            {t(`kiosk.how_${value}`)}
          </button>
        ))}
        <button type="button" class="plain later" onClick={() => acts.notNow(ask)}>
          {t('kiosk.not_now')}
        </button>
      </div>
    </main>
  );
}
