import { useEffect, useRef } from 'preact/hooks';
import { t, type Key } from '../../shared/i18n';
import * as keys from '../keys';
import '../plan/dialog.css';
import './find.css';

import './texts';

const shown: readonly [string[], Key][] = [
  [['j'], 'keys.next'],
  [['k'], 'keys.previous'],
  [['a'], 'keys.take'],
  [['o'], 'keys.way'],
  [['/'], 'keys.search'],
  [['?'], 'keys.help'],
  [['Esc'], 'keys.close'],
];

/** Which keys do what, and whether they do. */
export function KeyHelp({ done }: { done: () => void }) {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = box.current!;
    const before = document.activeElement as HTMLElement | null;
    dialog.showModal();
    return () => {
      dialog.close();
      before?.focus();
    };
  }, []);
  return (
    <dialog
      class="dialog key-help"
      ref={box}
      aria-labelledby="keys-title"
      onCancel={(e) => {
        e.preventDefault();
        done();
      }}
    >
      <h2 id="keys-title">{t('keys.title')}</h2>
      <dl>
        {shown.map(([names, what]) => (
          <div key={what}>
            <dt>
              {names.map((name) => (
                <kbd key={name}>{name}</kbd>
              ))}
            </dt>
            <dd>{t(what)}</dd>
          </div>
        ))}
      </dl>
      <p class="quiet">{t('keys.note')}</p>
      <label class="switch">
        <input
          type="checkbox"
          checked={keys.wanted.value}
          onChange={(e) => keys.want(e.currentTarget.checked)}
        />
        <span>{t('keys.on')}</span>
      </label>
      <button type="button" class="button button-main" onClick={done}>
        {t('form.close')}
      </button>
    </dialog>
  );
}
