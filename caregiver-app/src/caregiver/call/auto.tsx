import { CallSign } from '../../call/signs';
import { t } from '../../shared/i18n';

interface AutoProps {
  name: string;
  call: () => void;
  /** Calls as usual: somebody has to answer. */
  usual: () => void;
  leave: () => void;
}

/** Before the screen is asked to answer by itself: what that does. */
export function AutoAnswer({ name, call, usual, leave }: AutoProps) {
  return (
    <section class="check" data-state="auto">
      <h1 tabIndex={-1}>{t('auto.title')}</h1>
      <ol class="auto-steps">
        <li>{t('auto.rings', { name })}</li>
        <li>{t('auto.opens')}</li>
        <li>{t('auto.refuse', { name })}</li>
      </ol>
      <p>
        {t('auto.allowed', { name })} {t('auto.log', { name })}
      </p>
      <div class="check-actions">
        <button type="button" class="button button-main" onClick={call}>
          <CallSign name="video" />
          {t('auto.confirm')}
        </button>
        <button type="button" class="button" onClick={usual}>
          {t('auto.usual')}
        </button>
        <button type="button" class="button button-plain" onClick={leave}>
          {t('after.skip')}
        </button>
      </div>
    </section>
  );
}
