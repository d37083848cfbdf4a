import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../../shared/i18n';
import { inWords } from '../asking';
import '../pagetexts';
import './dialog.css';

interface DialogProps {
  title: string;
  /** What the button that goes through with it is called; "Spara" when nothing is said. */
  save?: string;
  /** What the button that leaves all as it is is called; "Avbryt" when nothing is said. */
  leave?: string;
  /** Does what the form is for. What it throws is told in the form, which then stays. */
  onSave: () => Promise<unknown>;
  onClose: () => void;
  /** What is wrong with what was entered, in words; "" when nothing is. Asked on saving. */
  check?: () => string;
  children: ComponentChildren;
  /** More to do, beside saving. */
  more?: ComponentChildren;
  /** There is nothing to save: it can only be closed. */
  only?: boolean;
}

/** A form over the page. It closes by Escape, and then gives the focus back. */
export function Dialog({
  title,
  save,
  leave,
  onSave,
  onClose,
  check,
  children,
  more,
  only,
}: DialogProps) {
  const box = useRef<HTMLDialogElement>(null);
  const deed = useDeed();
  const [wrong, setWrong] = useState('');
  useEffect(() => {
    const dialog = box.current!;
    const opener = document.activeElement as HTMLElement | null;
    dialog.showModal();
    return () => {
      dialog.close();
      // A dialog that is gone from the page gives no focus back of its own accord.
      opener?.focus();
    };
  }, []);
  const said = wrong || deed.failed;
  return (
    <dialog
      class="dialog"
      ref={box}
      aria-labelledby="dialog-title"
      onCancel={(e) => {
        e.preventDefault();
        onClose();
      }}
    >
      <form
        noValidate
        onSubmit={(e) => {
          e.preventDefault();
          const problem = check?.() ?? '';
          setWrong(problem);
          if (!problem) void deed.run(onSave, onClose);
        }}
      >
        <h2 id="dialog-title">{title}</h2>
        {children}
        {said && (
          <p class="field-error" role="alert">
            {said}
          </p>
        )}
        <div class="dialog-actions">
          <button type="submit" class="button button-main" disabled={deed.busy}>
            {deed.busy ? t('form.saving') : (save ?? t('form.save'))}
          </button>
          {!only && (
            <button type="button" class="button" onClick={onClose}>
              {leave ?? t('form.cancel')}
            </button>
          )}
          {more}
        </div>
      </form>
    </dialog>
  );
}

/** Something that is done at the server, once at a time. */
export function useDeed() {
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState('');
  const run = async (work: () => Promise<unknown>, done?: () => void) => {
    if (busy) return;
    setBusy(true);
    setFailed('');
    try {
      await work();
      setBusy(false);
      done?.();
    } catch (error) {
      setBusy(false);
      setFailed(inWords(error));
    }
  };
  return { busy, failed, run };
}
