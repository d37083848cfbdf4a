import type { Sos } from './status';
import type { Outcome, Say } from './voice';
import type { Saying } from './words';

/** Something to say once, after what there is to say of an alarm. */
export interface Aloud {
  key: string;
  aloud: string;
}

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
  /** Something has been read out, or has been tried to. */
  done?: (key: string, outcome: Outcome) => void;
}

const said = 'lykta.kiosk.said';
const spoken = 'lykta.kiosk.spoken';
const read = 'lykta.kiosk.read';
const most = 50; // of what was read out
const again = 10_000; // between two tries to report, milliseconds

/** The keys of what was read out, newest first. */
export const wasRead = (memory: Memory): string[] => (memory.getItem(read) ?? '').split('\n');

/**
 * Says each new state once, then a new message once, and reports each word
 * about a press that was shown. Call what it returns with every answer of the gateway.
 */
export function makeTeller({ say, memory, report, visible, done }: Teller) {
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
  const readOut = (message: Aloud) => {
    speaking = message.key;
    void say(message.aloud).then((outcome) => {
      if (outcome !== 'interrupted') {
        memory.setItem(read, [message.key, ...wasRead(memory)].slice(0, most).join('\n'));
      }
      if (speaking === message.key) speaking = '';
      done?.(message.key, outcome);
    });
  };
  const reportShown = ({ epoch, seq, told, heard }: Sos, key: string, moment: number) => {
    if (!epoch || !seq || !told || heard || moment - tried < again) return;
    tried = moment;
    void report({ epoch, seq, told, spoken: memory.getItem(spoken) === key });
  };

  return (saying: Saying, message: Aloud | undefined, moment: number): void => {
    if (!visible()) return;
    const { key, word } = saying;
    if (key && memory.getItem(said) !== key) {
      tried = -Infinity;
      return tell(saying);
    }
    if (speaking) return;
    if (key && word) reportShown(word, key, moment);
    if (message && !wasRead(memory).includes(message.key)) readOut(message);
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
