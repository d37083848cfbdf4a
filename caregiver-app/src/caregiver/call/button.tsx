import { useEffect, useState } from 'preact/hooks';
import { CallSign } from '../../call/signs';
import '../../call/texts';
import { shortName } from '../../call/words';
import { t } from '../../shared/i18n';
import { consent } from '../care/api';
import { can } from '../may';
import { me } from '../state';
import { live, ring } from './live';

interface ButtonProps {
  home: string;
  /** What the resident is called in a sentence; the name of the home when that is not known. */
  name: string;
  /** The planned visit that it is, or the alert that it is about. */
  visit?: string;
  alert?: string;
  /** The alert is an emergency: the screen may answer by itself where the resident has allowed that. */
  emergency?: boolean;
  /** It is what is to be done. */
  main?: boolean;
  /** Its name among others, for who cannot see what it stands beside. */
  which?: string;
}

/** "Ring med bild". */
export function CallButton({ home, name, visit, alert, emergency, main, which }: ButtonProps) {
  const [allowed, setAllowed] = useState(false);
  useEffect(() => {
    if (emergency && can('video')) void mayAnswer(home).then(setAllowed);
  }, [home, emergency]);
  if (!can('video') || me.value?.role === 'operator') return null;
  const called = shortName(name);
  const more = { ...(visit ? { visit } : {}), ...(alert ? { alert } : {}) };
  const says = which && <span class="visually-hidden"> – {which}</span>;
  const other = [...live.value.values()].find((c) => c.home === home);
  if (other) {
    return (
      <a class="button" data-deed="call" href={`/call/${encodeURIComponent(other.id)}`}>
        <CallSign name="video" />
        {t('call.join')}
        {says}
      </a>
    );
  }
  return (
    <>
      <button
        type="button"
        class={main ? 'button button-main' : 'button'}
        data-deed="call"
        onClick={() => ring(home, called, more)}
      >
        <CallSign name="video" />
        {t('call.ring')}
        {says}
      </button>
      {allowed && (
        <button
          type="button"
          class="button"
          data-deed="auto"
          onClick={() => ring(home, called, { ...more, automatic: true })}
        >
          {t('auto.button')}
          {says}
        </button>
      )}
    </>
  );
}

/** Whether the resident lets the screen answer this person by itself. */
async function mayAnswer(home: string): Promise<boolean> {
  const own = `person:${(me.value as { person?: string } | null)?.person ?? ''}`;
  try {
    const { grants } = await consent(home);
    const of = (party: string) =>
      grants.find((g) => g.field === 'auto_answer' && g.party === party)?.allowed;
    return of(own) ?? of('staff') ?? false;
  } catch {
    return false;
  }
}
