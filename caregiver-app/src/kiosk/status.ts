/** What the gateway says about the home: GET /status. Times are microseconds since 1970. */
export interface Status {
  online: boolean;
  /** The right time; absent when the box does not know it. */
  now?: number;
  /** The newest press, and the newest presses, newest first. */
  sos: Sos;
  presses?: Sos[];
  notice?: Notice;
}

/** How a press for help is going. */
export interface Sos {
  epoch?: string;
  seq?: number;
  state: string;
  at?: number;
  by?: string;
  /** When the newest word about it was said. */
  told?: number;
  /** When the one who has it is expected. */
  expected?: number;
  heard?: string;
}

export interface Notice {
  id: string;
  text: string;
  at?: number;
}

/** The gateway's answer, and when it came by the page's own running time, in milliseconds. */
export interface Answer {
  status: Status;
  came: number;
}

const every = 1_000;
const patience = 3_000;

/**
 * Asks for the status every second until stopped. Who hears nothing for a
 * while is not answered: that is for the hearer to notice.
 */
export function poll(heard: (answer: Answer) => void): () => void {
  let stopped = false;
  const ask = async () => {
    const status = await fetchStatus();
    if (stopped) return;
    setTimeout(() => void ask(), every);
    if (status) heard({ status, came: performance.now() });
  };
  void ask();
  return () => (stopped = true);
}

async function fetchStatus(): Promise<Status | undefined> {
  try {
    const signal = AbortSignal.timeout(patience);
    const response = await fetch('/status', { cache: 'no-store', signal });
    const status = response.ok ? ((await response.json()) as Status) : undefined;
    return status?.sos && status;
  } catch {
    return undefined; // not reachable, or not in time: asked again
  }
}

/** The right time, in milliseconds since 1970, at a moment of the page's own time. */
export const rightTime = ({ status, came }: Answer, moment: number): number | undefined =>
  status.now ? status.now / 1_000 + (moment - came) : undefined;
