import { t } from '../shared/i18n';
import { alertName } from '../shared/words';
import { AlertCard } from './alertcard';
import { Lines, useChain } from './chain';
import { alerts, later } from './state';

/** One alert with all that was done about it; messages lead here. */
export function AlertScreen({ id }: { id: string }) {
  const { value, failed, status, again } = useChain(id);
  const alert = value && later(alerts.value.get(id), value.alert);
  if (!alert) {
    return (
      <div class="empty" role={failed ? 'alert' : 'status'}>
        <h1 tabIndex={-1}>{failed ? t('alert.title') : t('app.loading')}</h1>
        {failed && <p>{status === 404 ? t('alertpage.missing') : failed}</p>}
        {failed && status !== 404 && (
          <button type="button" class="button" onClick={again}>
            {t('error.retry')}
          </button>
        )}
        {failed && (
          <a class="button" href="/">
            {t('missing.home')}
          </a>
        )}
      </div>
    );
  }
  return (
    <div class="alert-page">
      <h1 tabIndex={-1} class="visually-hidden">
        {alertName(alert)} – {alert.home_name}
      </h1>
      <div class="alert-columns">
        <div>
          <AlertCard alert={alert} page />
          <p class="alert-links">
            <a class="button" href={`/homes/${encodeURIComponent(alert.home)}`}>
              {t('alert.show_home')}
            </a>
          </p>
        </div>
        <section aria-labelledby="chain-title">
          <h2 id="chain-title">{t('chain.title')}</h2>
          {failed && (
            <p class="quiet" role="status">
              {t('chain.old')}
            </p>
          )}
          <Lines chain={{ ...value, alert }} />
        </section>
      </div>
    </div>
  );
}
