import { inTrouble } from '../trouble';
import type { Phase } from './course';

/** How long the screen is without a call that could not be shown, before it is tried once more. In milliseconds. */
const again = 3_000;

/** The calls that could not be shown. The screen goes on without them. */
export class Breaks {
  #what = '';
  #times = 0;
  #at = 0;
  readonly #reported = new Set<string>();

  /** Something broke while this was to be shown. Each fault is reported once, to the gateway and to whoever reads the browser’s log. */
  note(phase: Phase | undefined, error: unknown, moment: number): void {
    const what = nameOf(phase);
    this.#times = what === this.#what ? this.#times + 1 : 1;
    this.#what = what;
    this.#at = moment;
    const text = String(error);
    if (this.#reported.has(text)) return;
    this.#reported.add(text);
    inTrouble('call', error);
    reportError(error);
  }

  /** What is to become of what would be shown now. */
  of(phase: Phase | undefined, moment: number): 'show' | 'wait' | 'give up' {
    if (this.#times === 0 || nameOf(phase) !== this.#what) return 'show';
    if (this.#times > 1) return 'give up';
    return moment - this.#at < again ? 'wait' : 'show';
  }
}

const nameOf = (phase: Phase | undefined): string =>
  phase ? `${phase.is} ${'call' in phase ? phase.call.call : ''}` : '';
