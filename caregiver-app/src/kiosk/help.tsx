import { Hold, type Presser } from './hold';
import { Drawing } from './drawings';
import { t } from './texts';

/** What is said after a press that was too short. */
export type Hint = '' | 'hold' | 'twice';

/** The help buttons on the screen: one guard for all of them. */
export interface Help {
  hint: Hint;
  /** A hold is under way: the screen is not to change under the finger. */
  busy: () => boolean;
  bind: (button: HTMLButtonElement | null) => void;
  press: (by: Presser, pointer?: number) => void;
  tap: () => void;
}

const frame = 33; // milliseconds
const hintFor = 6_000;

/** `call` is a press for help, `hinted` says aloud what to do, `changed` draws the screen again. */
export function makeHelp(
  call: () => void,
  hinted: (hint: 'hold' | 'twice') => void,
  changed: () => void,
): Help {
  const hold = new Hold();
  const buttons = new Set<HTMLButtonElement>();
  let timer: ReturnType<typeof setInterval> | undefined;
  let forget: ReturnType<typeof setTimeout> | undefined;
  let called = false;
  let pointer: number | undefined;

  const show = (hint: Hint) => {
    clearTimeout(forget);
    help.hint = hint;
    if (hint) forget = setTimeout(() => show(''), hintFor);
    changed();
  };
  const draw = () => {
    for (const button of buttons) {
      if (!button.isConnected) buttons.delete(button);
      else button.style.setProperty('--level', hold.level.toFixed(3));
    }
  };
  const fire = () => {
    called = true;
    show('');
    call();
  };
  const tick = () => {
    if (hold.tick(performance.now())) fire();
    draw();
    if (hold.down || hold.level > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
  const lift = (by: Presser) => {
    if (!hold.down) return;
    const meant = hold.lift(performance.now());
    pointer = undefined;
    if (meant === 'call') fire();
    called = false;
    if (meant === 'short') {
      const hint = by === 'key' ? 'twice' : 'hold';
      show(hint);
      hinted(hint);
    }
    tick();
    changed();
  };
  const help: Help = {
    hint: '',
    busy: () => hold.down && !called,
    bind: (button) => void (button && buttons.add(button)),
    press(by, id) {
      if (hold.down) return;
      pointer = id;
      hold.press(by, performance.now());
      timer ??= setInterval(tick, frame);
    },
    tap() {
      help.press('key');
      lift('key');
    },
  };
  // Where the finger is by then does not matter.
  const up = (event: PointerEvent) => event.pointerId === pointer && lift('pointer');
  addEventListener('pointerup', up);
  addEventListener('pointercancel', up);
  addEventListener('keyup', (event) => {
    if (isPress(event) && pointer === undefined) lift('key');
  });
  addEventListener('blur', () => lift('pointer'));
  return help;
}

const isPress = ({ key }: KeyboardEvent) => key === 'Enter' || key === ' ';

/** The way to help: held, not touched. `big` is the one of the first screen. */
export function HelpButton({ help, again, big }: { help: Help; again?: boolean; big?: boolean }) {
  const hint =
    help.hint === 'hold' ? 'kiosk.help_hold' : help.hint === 'twice' ? 'kiosk.help_twice' : '';
  return (
    <button
      type="button"
      class={`help ${big ? 'tile' : 'strip'}${again ? ' again' : ''}`}
      data-hint={help.hint}
      ref={help.bind}
      onPointerDown={(e) => e.button === 0 && help.press('pointer', e.pointerId)}
      onKeyDown={(e) => {
        if (!isPress(e)) return;
        e.preventDefault(); // no click of its own
        if (!e.repeat) help.press('key');
      }}
      onClick={(e) => e.detail === 0 && help.tap()} // a switch, or a screen reader
      onContextMenu={(e) => e.preventDefault()} // what a long touch would open
    >
      <span class="fill" aria-hidden="true" />
      <Drawing name="hand" />
      <span class="words">
        <strong>{t(again ? 'kiosk.help_again' : 'kiosk.help')}</strong>{' '}
        <span class="hint" aria-live="polite">
          {t(hint || 'kiosk.help_hint')}
        </span>
      </span>
    </button>
  );
}
