import { useEffect, useRef, useState } from 'preact/hooks';
import { Problem } from '../api/client';
import { t, type Key } from '../shared/i18n';
import { NotProven } from '../shared/notproven';
import './pagetexts';
import { arrivals, link, onChange, type Change } from './state';

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

/** How long others' changes are gathered before they are asked for, and between two such askings, in milliseconds. */
const gather = 400;
const pause = 5_000;

/**
 * Asks again when something that was written here has arrived, and when others
 * have changed something of these kinds: in one home, or in any.
 */
export function useArrivals(
  again: () => void,
  kinds: readonly Change['kind'][],
  home?: string,
): void {
  const count = arrivals.value;
  const seen = useRef(count);
  useEffect(() => {
    if (seen.current !== count) again();
    seen.current = count;
  }, [count]);
  const ask = useRef(again);
  ask.current = again;
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let last = -pause;
    const stop = onChange((change) => {
      if (change && (!kinds.includes(change.kind) || (home ?? change.home) !== change.home)) return;
      // A storm is one question; and not all telephones ask in the same instant.
      timer ??= setTimeout(
        () => {
          timer = undefined;
          last = performance.now();
          ask.current();
        },
        Math.max(gather, last + pause - performance.now()) + Math.random() * gather,
      );
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [home]);
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
  if (error instanceof NotProven) return t('asking.not_proven');
  if (!(error instanceof Problem)) return t('error.network');
  const key = known.find(([says]) => says.test(error.detail))?.[1] ?? byStatus[error.status];
  const text = key ? t(key) : sentence(error.detail) || t('error.title');
  return error.id ? `${text} · ${t('error.id', { id: error.id })}` : text;
}

const sentence = (s: string) => s.charAt(0).toLocaleUpperCase() + s.slice(1);
