import type { HomeDetail } from '../api/types';
import { Icon } from '../shared/icons';
import { t } from '../shared/i18n';
import './care/care.css';
import './fault.css';
import { may } from './may';
import './pagetexts';

/** Something that is stored of a home cannot be read: what that means, and who does what now. */
export function Fault({ home: { id, name, fault = '' } }: { home: HomeDetail }) {
  const sets = may('manage_home') && may('add_homes'); // where it is done is the installer's page
  return (
    <section class="fault" aria-labelledby="fault-title">
      <Icon name="clock" />
      <div>
        <h2 id="fault-title">{t('fault.title')}</h2>
        <p>{t('fault.text', { name })}</p>
        <p>{t(sets ? 'fault.set' : 'fault.tell', { name })}</p>
        {sets && (
          <a class="button button-main" href={`/install/${encodeURIComponent(id)}`}>
            {t('fault.do')}
          </a>
        )}
        <p class="quiet error-id">{t('error.id', { id: fault })}</p>
      </div>
    </section>
  );
}
