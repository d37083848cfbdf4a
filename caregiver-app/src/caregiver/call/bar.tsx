import { useEffect } from 'preact/hooks';
import { CallSign } from '../../call/signs';
import '../../call/texts';
import { personIn } from '../../call/words';
import { t } from '../../shared/i18n';
import { route } from '../../shared/router';
import './bar.css';
import { isMine, keepUp, live, present } from './live';

/** On every page: the call that one is in, or has made and is not in, to go back to. */
export function CallBar() {
  useEffect(keepUp, []);
  if (route.value.screen === 'call') return null;
  const here = present.value;
  const left = [...live.value.values()].find(isMine);
  const shown = here ?? (left && { id: left.id, name: personIn(left), ringing: false });
  if (!shown) return null;
  const { id, name, ringing } = shown;
  const says = here ? (ringing ? 'bar.ringing' : 'bar.text') : 'bar.rejoin';
  return (
    <aside class="call-bar" aria-label={t('bar.label')} data-call-bar={id}>
      <a href={`/call/${encodeURIComponent(id)}`}>
        <CallSign name="video" />
        <span>{t(says, { name })}</span>
        <strong>{t('bar.back')}</strong>
      </a>
    </aside>
  );
}
