import { signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { t, tMaybe, tn } from '../../shared/i18n';
import { inWords } from '../asking';
import { Problem } from '../../api/client';
import { homes } from '../state';
import * as api from './api';
import { grouped } from './carewords';
import { when } from './common';
import './find.css';

/** How long one rests before it is asked for, in milliseconds. */
const rest = 250;

// Kept while one looks at what was found and comes back; never in the address,
// which browsers remember.
const words = signal('');

type Is =
  | { state: 'idle' }
  | { state: 'searching' }
  | { state: 'here'; found: api.Found[]; offline: boolean; words: string }
  | { state: 'failed'; text: string };

const least = 2;

/** Homes that are here already, for when the server is not reached. */
const amongHomes = (wanted: string): api.Found[] =>
  [...homes.value.values()]
    .filter((h) => h.name.toLocaleLowerCase().includes(wanted.toLocaleLowerCase()))
    .slice(0, 30)
    .map((h) => ({
      type: 'home',
      home: h.id,
      home_name: h.name,
      title: h.name,
      text: h.area,
      at: null,
    }));

/** Finds residents, people and notes. */
export function SearchScreen() {
  const [is, setIs] = useState<Is>({ state: 'idle' });
  const field = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const wanted = words.value.trim();
  useEffect(() => {
    // After the frame has given the focus to the heading, as it does on every screen.
    const frame = requestAnimationFrame(() => field.current?.focus());
    return () => cancelAnimationFrame(frame);
  }, []);
  useEffect(() => {
    if (wanted.length < least) {
      setIs({ state: 'idle' });
      return;
    }
    const aborted = new AbortController();
    const timer = setTimeout(() => {
      setIs((was) => (was.state === 'here' ? was : { state: 'searching' }));
      api.search(wanted, aborted.signal).then(
        (found) => setIs({ state: 'here', found, offline: false, words: wanted }),
        (error: unknown) => {
          if (aborted.signal.aborted) return;
          if (error instanceof Problem) setIs({ state: 'failed', text: inWords(error) });
          else setIs({ state: 'here', found: amongHomes(wanted), offline: true, words: wanted });
        },
      );
    }, rest);
    return () => {
      clearTimeout(timer);
      aborted.abort();
    };
  }, [wanted]);

  const links = () => [...(list.current?.querySelectorAll<HTMLElement>('a') ?? [])];
  const onKey = (e: KeyboardEvent) => {
    const all = links();
    const at = all.indexOf(document.activeElement as HTMLElement);
    if (e.key === 'ArrowDown') (all[at + 1] ?? all.at(-1))?.focus();
    else if (e.key === 'ArrowUp') (at > 0 ? all[at - 1] : field.current)?.focus();
    else if (e.key === 'Enter' && at < 0 && all[0]) all[0].click();
    else if (e.key === 'Escape' && at >= 0) field.current?.focus();
    else return;
    e.preventDefault();
  };

  return (
    <div class="search" onKeyDown={onKey}>
      <h1 tabIndex={-1}>{t('nav.search')}</h1>
      <search>
        <label class="field">
          <span>{t('search.label')}</span>
          <input
            ref={field}
            type="search"
            autoComplete="off"
            autoCapitalize="off"
            spellcheck={false}
            maxLength={100}
            value={words.value}
            onInput={(e) => (words.value = e.currentTarget.value)}
          />
        </label>
      </search>
      <p class="search-says quiet" role="status">
        {says(is)}
      </p>
      {is.state === 'failed' && (
        <p class="field-error" role="alert">
          {is.text}
        </p>
      )}
      <div ref={list}>
        {is.state === 'here' &&
          grouped(is.found).map(([type, found]) => (
            <section key={type} aria-labelledby={`found-${type}`}>
              <h2 id={`found-${type}`}>
                {tMaybe(`search.group.${type}`) ?? t('search.group.other')}
              </h2>
              <ul class="found-list">
                {found.map((f, i) => (
                  <li key={i}>
                    <Row found={f} />
                  </li>
                ))}
              </ul>
            </section>
          ))}
      </div>
    </div>
  );
}

function says(is: Is): string {
  if (is.state === 'idle') return t('search.hint');
  if (is.state === 'searching') return t('search.searching');
  if (is.state === 'failed') return '';
  const found =
    is.found.length === 0
      ? t('search.none', { words: is.words })
      : tn('search.found', is.found.length);
  return is.offline ? `${found} · ${t('search.offline')}` : found;
}

const partOf: Record<string, string> = { note: '/notes', person: '/card' };

function Row({ found }: { found: api.Found }) {
  const zone = homes.value.get(found.home)?.zone;
  const href = found.home
    ? `/homes/${encodeURIComponent(found.home)}${partOf[found.type] ?? ''}`
    : '/people';
  return (
    <a class="found" href={href}>
      <strong>{found.type === 'note' ? found.home_name : found.title}</strong>
      <span class="quiet">
        {[
          found.type === 'note' && found.title,
          found.type !== 'home' && found.type !== 'note' && found.home_name,
          found.at && when(found.at, zone),
        ]
          .filter(Boolean)
          .join(' · ')}
      </span>
      {found.text && (found.home || found.type !== 'person') && (
        <span class="found-text">{found.text}</span>
      )}
    </a>
  );
}
