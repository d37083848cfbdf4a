/** What does not work: gateway/kiosk/trouble.go. */
type What = 'script' | 'call' | 'load';

/** Which fault it was and where in the program. Its own words may hold a name, and stay here. */
export function faultOf(error: unknown): { name: string; at: string } {
  const { name, stack } = error instanceof Error ? error : { name: '', stack: '' };
  return {
    name: /^[A-Za-z]{0,40}Error$/.test(name) ? name : '',
    at: /^ +at (?:\S+ \()?http\S+\/([\w.-]+\.js:\d+:\d+)\)?$/m.exec(stack ?? '')?.[1] ?? '',
  };
}

/** So many faults are said: who has many has one. */
const most = 5;

/** Says each fault once. */
export class Troubles {
  readonly #known = new Set<unknown>();
  #said = 0;

  constructor(private readonly say: (trouble: object) => void) {}

  note(what: What, error: unknown): void {
    const fault = faultOf(error);
    const key = `${what} ${fault.name} ${fault.at}`;
    if (this.#known.has(error) || this.#known.has(key) || this.#said >= most) return;
    this.#known.add(error).add(key);
    this.#said++;
    this.say({ what, ...fault });
  }
}

const troubles = new Troubles(
  (trouble) =>
    void fetch('/trouble', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(trouble),
    }).catch(() => {}), // that nobody answers is said on the screen
);

/** Tells the gateway that something here does not work. */
export const inTrouble = (what: What, error: unknown): void => troubles.note(what, error);

/** Tells it of every fault that nothing else takes. */
export function watchTrouble(): void {
  addEventListener('error', ({ error }) => inTrouble('script', error));
  addEventListener('unhandledrejection', ({ reason }) => inTrouble('script', reason));
}
