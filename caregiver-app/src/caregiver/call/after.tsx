import { useRef, useState } from 'preact/hooks';
import type { Call } from '../../call/wire';
import { lasted, personIn } from '../../call/words';
import { t } from '../../shared/i18n';
import { written } from '../state';

const outcomes = ['well', 'needs_visit', 'technical', 'other'] as const;
const savedKey = 'lykta.call.saved';

interface AfterProps {
  call: Call;
  done: () => void;
}

/** What who called says of it afterwards: how it went, a note, and the travel that it saved. */
export function After({ call, done }: AfterProps) {
  const name = personIn(call);
  // The way to a home is as long the next time.
  const remembered = `${savedKey}.${call.home}`;
  const [outcome, setOutcome] = useState<string>('');
  const [note, setNote] = useState('');
  const [saved, setSaved] = useState(localStorage.getItem(remembered) ?? '0');
  const [wrong, setWrong] = useState('');
  const form = useRef<HTMLFormElement>(null);

  const submit = (event: Event) => {
    event.preventDefault();
    const missing = !outcome ? 'input' : outcome === 'other' && !note.trim() ? 'textarea' : '';
    if (missing) {
      setWrong(t(outcome ? 'after.say' : 'after.pick'));
      form.current?.querySelector<HTMLElement>(missing)?.focus();
      return;
    }
    const minutes = Math.min(600, Math.max(0, Math.round(Number(saved) || 0)));
    localStorage.setItem(remembered, String(minutes));
    written.add({
      kind: 'call',
      home: call.home,
      what: t('after.what', { name }),
      method: 'POST',
      path: `/calls/${encodeURIComponent(call.id)}/went`,
      body: { outcome, note: note.trim(), saved_minutes: minutes },
    });
    done();
  };

  return (
    <form class="after" ref={form} onSubmit={submit} noValidate>
      <h2>{t('after.title')}</h2>
      <p class="quiet">{t('after.lasted', { time: lasted(call) })}</p>
      <fieldset class="after-outcomes">
        <legend class="visually-hidden">{t('after.title')}</legend>
        <div class="choices">
          {outcomes.map((o) => (
            <label class="choice" key={o}>
              <input
                type="radio"
                name="call-outcome"
                checked={outcome === o}
                onChange={() => {
                  setOutcome(o);
                  setWrong('');
                }}
              />
              <span>{t(`after.${o}`)}</span>
            </label>
          ))}
        </div>
      </fieldset>
      <label class="field">
        <span>{t('after.note')}</span>
        <textarea
          rows={3}
          maxLength={4000}
          value={note}
          onInput={(e) => setNote(e.currentTarget.value)}
        />
      </label>
      <label class="field after-saved">
        <span>{t('after.saved')}</span>
        <input
          type="number"
          inputMode="numeric"
          min={0}
          max={600}
          value={saved}
          aria-describedby="after-saved-text"
          onInput={(e) => setSaved(e.currentTarget.value)}
        />
      </label>
      <p class="quiet" id="after-saved-text">
        {t('after.saved_text')}
      </p>
      <p class="field-error" role="alert">
        {wrong}
      </p>
      <div class="check-actions">
        <button type="submit" class="button button-main">
          {t('after.confirm')}
        </button>
        <button type="button" class="button" onClick={done}>
          {t('after.skip')}
        </button>
      </div>
    </form>
  );
}
