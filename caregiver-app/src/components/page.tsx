import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import './page.css';
import { choices, sheetOfAll, type Look } from './looks';
import { addressOf, enter, Frame, purposeOf, Shadow } from './show';
import type { Catalogue, Section, Specimen } from './specimen';
import { say, sayMaybe, type TextKey } from './texts';
import { Tokens } from './tokens';

interface Props {
  catalogue: Catalogue;
  look: Look;
  /** What has been drawn of the app's components; grows. */
  drawn: Set<string>;
}

/** Every component of an app in every state. */
export function Page({ catalogue, look, drawn }: Props) {
  const sheet = useMemo(sheetOfAll, []);
  // First those with a world of their own, one world after another; then those that live in one.
  const { turns, turnOf, all } = useMemo(() => turnsOf(catalogue), []);
  const [turn, setTurn] = useState(0);
  const left = useRef<number[]>(turns.map((batch) => batch.length));
  const waiting = useRef(all);
  const wrongs = useRef<string[]>([]);
  const seen = useRef(new Set<string>());
  const [, draw] = useState(0);
  const entered = useRef(-1);
  if (!catalogue.framed && entered.current !== turn) {
    entered.current = turn;
    enter(catalogue, look, turns[turn]?.[0]?.specimen);
  }
  const isNow = (at: string) => (turnOf.get(at) ?? turns.length) <= turn;
  const done =
    (at: string) =>
    (wrong: string, more: string[] = []) => {
      for (const name of more) drawn.add(name);
      if (seen.current.has(at)) return;
      seen.current.add(at);
      if (wrong) wrongs.current.push(`${at}: ${wrong}`);
      waiting.current--;
      const mine = turnOf.get(at);
      if (mine !== undefined && --left.current[mine]! === 0) setTurn(mine + 1);
      if (waiting.current === 0) draw((n) => n + 1);
    };
  useEffect(() => {
    document.title = `${say('components.title')} – Lykta`;
  }, []);
  const missing = [...catalogue.components.values()].filter((name) => !drawn.has(name)).sort();
  const ready = waiting.current === 0;
  useEffect(() => {
    // What was drawn has moved the page, and some of it asks for the focus.
    const target = document.getElementById(location.hash.slice(1));
    if (ready) (target ?? document.documentElement).scrollIntoView();
  }, [ready]);
  return (
    <div
      class="cp"
      data-ready={ready ? 'yes' : 'no'}
      data-missing={ready ? missing.join('\n') : ''}
      data-drawn={ready ? [...drawn].join('\n') : ''}
      data-wrong-all={wrongs.current.join('\n')}
    >
      <a class="cp-skip" href="#cp-content">
        {say('components.skip')}
      </a>
      <header class="cp-head">
        <h1>{say('components.title')}</h1>
        <p>{say('components.lead')}</p>
        <Switches look={look} />
      </header>
      <nav class="cp-contents" aria-label={say('components.contents')}>
        <ul>
          <li>
            <a href="#cp-tokens">{say('components.tokens')}</a>
          </li>
          {catalogue.groups.map(({ group, sections }) => (
            <li key={group}>
              <strong>{say(`components.group.${group}` as TextKey)}</strong>
              <ul>
                {sections.map(({ name, states }) => (
                  <li key={name}>
                    <a href={`#${idOf(name)}`}>{name}</a> <span>{states.length}</span>
                  </li>
                ))}
              </ul>
            </li>
          ))}
        </ul>
      </nav>
      <main id="cp-content" class="cp-main" tabIndex={-1}>
        <Tokens />
        {catalogue.groups.map(({ group, sections }) => (
          <section key={group} aria-labelledby={`cp-group-${group}`}>
            <h2 id={`cp-group-${group}`}>{say(`components.group.${group}` as TextKey)}</h2>
            {sections.map((section) => (
              <Shown
                key={section.name}
                section={section}
                {...{ catalogue, look, sheet, done, isNow }}
              />
            ))}
          </section>
        ))}
      </main>
    </div>
  );
}

interface Turn {
  at: string;
  specimen: Specimen;
}

/** Which specimens are shown at the same time: those of one world, or a few frames. */
function turnsOf(catalogue: Catalogue) {
  const all = catalogue.groups.flatMap(({ sections }) =>
    sections.flatMap(({ name, states }) =>
      states.map((specimen): Turn => ({ at: `${name}/${specimen.state}`, specimen })),
    ),
  );
  const batches = new Map<string, Turn[]>();
  for (const [i, is] of all.entries()) {
    const { alone } = is.specimen;
    if (!alone && !catalogue.framed) continue;
    const shared = alone && !alone.world && !alone.after && (alone.mood || alone.role);
    const key = catalogue.framed
      ? String(Math.floor(i / 4))
      : shared
        ? `${alone.mood} ${alone.role}`
        : is.at;
    batches.set(key, [...(batches.get(key) ?? []), is]);
  }
  const turns = [...batches.values()];
  const turnOf = new Map(turns.flatMap((batch, i) => batch.map(({ at }) => [at, i] as const)));
  return { turns, turnOf, all: all.length };
}

const idOf = (name: string) => `cp-${name.replace(/[^\w]+/g, '-')}`;

interface ShownProps {
  section: Section;
  catalogue: Catalogue;
  look: Look;
  sheet: CSSStyleSheet;
  done: (at: string) => (wrong: string, drawn?: string[]) => void;
  isNow: (at: string) => boolean;
}

function Shown({ section, catalogue, look, sheet, done, isNow }: ShownProps) {
  const { name, states } = section;
  return (
    <section class="cp-component" aria-labelledby={idOf(name)}>
      <h3 id={idOf(name)}>{name}</h3>
      <p class="cp-what">{purposeOf(look.app, name)}</p>
      {states.map((specimen) => {
        const at = `${name}/${specimen.state}`;
        return (
          <figure key={at} class="cp-state" data-state={at}>
            <figcaption>
              <a href={addressOf(look, at)}>{say(`components.state.${specimen.state}`)}</a>
            </figcaption>
            {catalogue.framed ? (
              <Frame {...{ name, specimen, look }} now={isNow(at)} done={done(at)} />
            ) : (
              <Shadow {...{ specimen, sheet }} now={isNow(at)} done={done(at)} />
            )}
          </figure>
        );
      })}
    </section>
  );
}

/** What is chosen stands in the address: it can be sent to somebody, and going back undoes it. */
function Switches({ look }: { look: Look }) {
  return (
    <div class="cp-switches">
      {(Object.keys(choices) as (keyof Look)[]).map((name) => (
        <label key={name}>
          <span>{say(`components.look.${name}`)}</span>
          <select
            value={look[name]}
            onChange={(e) => {
              location.search = addressOf({ ...look, [name]: e.currentTarget.value });
            }}
          >
            {choices[name].map((choice) => (
              <option key={choice} value={choice}>
                {sayMaybe(`components.look.${name}.${choice}`) ?? choice}
              </option>
            ))}
          </select>
        </label>
      ))}
    </div>
  );
}
