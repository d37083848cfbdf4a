import type { Sos } from './status';
import type { Say } from './voice';
import type { Message, Saying } from './words';

/** That the screen has shown the newest word about a press: POST /heard. */
export interface Heard {
  epoch: string;
  seq: number;
  told: number;
  spoken: boolean;
}

/** What is remembered over a reload, so that nothing is said twice. */
export interface Memory {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

export interface Teller {
  say: Say;
  memory: Memory;
  /** Lets the gateway know; false when it did not take it. */
  report: (heard: Heard) => Promise<boolean>;
  /** Whether the page is in the foreground. */
  visible: () => boolean;
}

const said = 'lykta.kiosk.said';
const spoken = 'lykta.kiosk.spoken';
const read = 'lykta.kiosk.read';
const again = 10_000; // between two tries to report, milliseconds

/**
 * Says each new state once, then a new message once, and reports each word
 * about a press that was shown. Call what it returns with every answer of the gateway.
 */
export function makeTeller({ say, memory, report, visible }: Teller) {
  let speaking = '';
  let tried = -Infinity;

  const tell = (saying: Saying) => {
    speaking = saying.key;
    memory.setItem(said, saying.key);
    memory.setItem(spoken, '');
    void say(saying.aloud).then((outcome) => {
      if (speaking !== saying.key) return; // something newer is being said
      speaking = '';
      if (outcome === 'spoken') memory.setItem(spoken, saying.key);
    });
  };
  const readOut = (message: Message) => {
    speaking = message.key;
    void say(message.aloud).then((outcome) => {
      if (outcome !== 'interrupted') memory.setItem(read, message.key);
      if (speaking === message.key) speaking = '';
    });
  };
  const reportShown = ({ epoch, seq, told, heard }: Sos, key: string, moment: number) => {
    if (!epoch || !seq || !told || heard || moment - tried < again) return;
    tried = moment;
    void report({ epoch, seq, told, spoken: memory.getItem(spoken) === key });
  };

  return (saying: Saying, message: Message | undefined, moment: number): void => {
    if (!visible()) return;
    const { key, word } = saying;
    if (key && memory.getItem(said) !== key) {
      tried = -Infinity;
      return tell(saying);
    }
    if (speaking) return;
    if (key && word) reportShown(word, key, moment);
    if (message && memory.getItem(read) !== message.key) readOut(message);
  };
}

/** The browser's memory, or one until the page is closed where there is none. */
export function browserMemory(): Memory {
  const own = new Map<string, string>();
  return {
    getItem: (key) => own.get(key) ?? safely(() => localStorage.getItem(key)) ?? null,
    setItem: (key, value) => {
      own.set(key, value);
      safely(() => localStorage.setItem(key, value));
    },
  };
}

function safely<T>(use: () => T): T | undefined {
  try {
    return use();
  } catch {
    return undefined; // storage is off, or full
  }
}
