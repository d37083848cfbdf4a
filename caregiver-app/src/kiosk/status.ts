/** What the gateway says about the home: GET /status. Times are microseconds since 1970. */
export interface Status {
  online: boolean;
  /** The right time; absent when the box does not know it. */
  now?: number;
  /** The newest press, and the newest presses, newest first. */
  sos: Sos;
  presses?: Sos[];
  notice?: Notice;
  /** What else there is to show; absent until the home has been told. */
  day?: Day;
  check_in?: CheckIn | null;
  /** Not over, newest first. */
  messages?: Letter[];
  /** When each medicine of today was taken, by the prompt's id. */
  taken?: Record<string, number>;
  /** When the question how the resident is was answered today. */
  well_being?: number | null;
  /** The home's IANA time zone. */
  zone?: string;
  /** The call that rings, or is under way. */
  call?: Call | null;
  /** Who rang and was not answered, newest first. */
  missed?: Missed[];
}

/** A call with the home: gateway/kiosk. */
export interface Call {
  call: string;
  state: 'ringing' | 'answered';
  /** Who calls, and as what: staff or relative. */
  by: string;
  role: string;
  /** It is about an alarm of the resident's. */
  alert?: boolean;
  /** Where there is a picture of who calls; "" is nowhere. */
  picture?: string;
  /** When it stops ringing by itself. */
  until?: number;
  /** How many seconds are left until it is answered by itself, and when that is; 0 is never. */
  countdown?: number;
  answers_at?: number;
  how?: string;
}

export interface Missed {
  call: string;
  by: string;
  at: number;
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

/** The newest "I am OK". */
export interface CheckIn {
  at: number;
  state: 'sending' | 'received';
}

/** What the service has told the screen: devices/wire/screen.go. */
export interface Day {
  name?: string;
  language?: string;
  /** When to ask how the resident is, minutes after midnight; 0 or absent is never. */
  ask?: number;
  visits?: Visit[];
  prompts?: Prompt[];
  grants?: Grant[];
  /** Newest first. */
  looks?: Look[];
}

export interface Visit {
  id: string;
  from: number;
  to: number;
  who?: string;
  what?: string;
  video?: boolean;
}

export interface Prompt {
  id: string;
  text: string;
  /** Minutes after midnight. */
  at: number;
  /** ISO 8601 days of the week, 1–7; empty is every day. */
  days?: number[];
  medication?: boolean;
}

export interface Grant {
  party: string;
  name: string;
  field: string;
  allowed: boolean;
  fixed?: boolean;
}

export interface Look {
  at: number;
  who: string;
  role: string;
  what: string;
}

export interface Letter {
  id: string;
  from: string;
  family?: boolean;
  text?: string;
  picture?: boolean;
  at: number;
  heard?: boolean;
  /** An announcement: the gateway does not ask whether it was heard. */
  notice?: boolean;
}

/** The gateway's answer, and when it was asked for and came by the page's own running time, in milliseconds. */
export interface Answer {
  status: Status;
  asked?: number;
  came: number;
}

const every = 1_000;
const patience = 3_000;

/**
 * Asks for the status every second. Who hears nothing for a while is not
 * answered: that is for the hearer to notice.
 */
export function poll(heard: (answer: Answer) => void): void {
  const ask = async () => {
    const asked = performance.now();
    const status = await fetchStatus();
    setTimeout(() => void ask(), every);
    if (status) heard({ status, asked, came: performance.now() });
  };
  void ask();
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
