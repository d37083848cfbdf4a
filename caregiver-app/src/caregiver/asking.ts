import { useEffect, useRef, useState } from 'preact/hooks';
import { Problem } from '../api/client';
import { t, type Key } from '../shared/i18n';
import './pagetexts';
import { link } from './state';

/** Something asked of the server for the screen. */
export interface Asked<T> {
  /** The latest answer; it stays while a newer one is fetched, and when that fails. */
  value: T | undefined;
  /** Why the latest asking failed, in words; "" when it did not. */
  failed: string;
  /** The status of that refusal; 0 when the server was not reached. */
  status: number;
  /** Asks again, keeping what is shown. */
  again: () => void;
}

/** Asks when the screen opens, when `about` changes, and when the network is back. */
export function useAsked<T>(ask: () => Promise<T>, about: readonly unknown[]): Asked<T> {
  const [value, setValue] = useState<T>();
  const [failed, setFailed] = useState('');
  const [status, setStatus] = useState(0);
  // Only the answer to the latest question counts.
  const turn = useRef(0);
  const question = useRef(ask);
  question.current = ask;
  const again = () => {
    const mine = ++turn.current;
    question.current().then(
      (answer) => {
        if (mine !== turn.current) return;
        setValue(answer);
        setFailed('');
      },
      (error: unknown) => {
        if (mine !== turn.current) return;
        setStatus(error instanceof Problem ? error.status : 0);
        setFailed(inWords(error));
      },
    );
  };
  useEffect(() => {
    setValue(undefined);
    again();
    return () => void turn.current++;
  }, about as unknown[]);
  const { up } = link.value;
  const wasUp = useRef(up);
  useEffect(() => {
    if (up && !wasUp.current) again();
    wasUp.current = up;
  }, [up]);
  return { value, failed, status, again };
}

// What the service says of what was entered is in English; the usual refusals
// have words of their own here.
const known: readonly [RegExp, Key][] = [
  [/last resort of every area/, 'asking.last_resort'],
  [/a shift begins before it ends/, 'asking.shift'],
  [/are never silenced/, 'asking.silenced'],
  [/telephone number is written/, 'person.bad_number'],
];
const byStatus: Record<number, Key> = {
  403: 'asking.not_allowed',
  404: 'asking.gone',
  409: 'asking.taken',
};

/** What went wrong, as far as a person can use it. */
export function inWords(error: unknown): string {
  if (!(error instanceof Problem)) return t('error.network');
  const key = known.find(([says]) => says.test(error.detail))?.[1] ?? byStatus[error.status];
  const text = key ? t(key) : sentence(error.detail) || t('error.title');
  return error.id ? `${text} · ${t('error.id', { id: error.id })}` : text;
}

const sentence = (s: string) => s.charAt(0).toLocaleUpperCase() + s.slice(1);
