import { t } from '../../shared/i18n';
import { useAsked } from '../asking';
import { SilenceList } from '../silence';
import * as api from '../teamapi';
import { Answer, Frame, zoneOf } from './frame';

/** All that is silenced, in every home. */
export function SilencesScreen() {
  const asked = useAsked(() => api.silences(), []);
  return (
    <Frame page="silences">
      <p class="quiet">
        {t('silences.lead')} {t('silence.never')}
      </p>
      <Answer asked={asked}>
        {(silences) =>
          silences.length === 0 ? (
            <p class="plan-wait">{t('silences.none')}</p>
          ) : (
            <div class="silences">
              <SilenceList silences={silences} zone={zoneOf() ?? ''} named changed={asked.again} />
            </div>
          )
        }
      </Answer>
    </Frame>
  );
}
