import type { HomeDetail } from '../api/types';
import { t } from '../shared/i18n';
import './hometools.css';
import { may } from './may';
import { Silencing } from './silence';
import { Testing } from './testing';

/** What is done to a home: its button is proven, what is expected is silenced. */
export function HomeTools({ home }: { home: HomeDetail }) {
  return (
    <>
      {may('add_homes') && (
        <p class="tools-place">
          <a class="button" href={`/install/${encodeURIComponent(home.id)}`}>
            {t('tools.place')}
          </a>
        </p>
      )}
      <div class="tools-row">
        <Testing key={`test-${home.id}`} home={home} />
        <Silencing key={`silence-${home.id}`} home={home} />
      </div>
    </>
  );
}
