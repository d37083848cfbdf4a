// A specimen on the page: in a shadow of its own, where names of fields and
// ids are nobody else's, or in a frame.
import { Component, render, type ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Look } from './looks';
import type { Catalogue, Specimen } from './specimen';
import { say, sayMaybe } from './texts';
import { isAsking, live, makeWorld } from './world';

/** What a frame tells the page that it is in. */
interface Told {
  only: string;
  drawn: string[];
  wrong: string;
}

// Links lead out of what is shown, and what is sent has nowhere to go.
const stay = (event: Event) => {
  const link = (event.composedPath() as Element[]).find((e) => e instanceof HTMLAnchorElement);
  if (link) event.preventDefault();
};

/** Makes the world of a specimen, or of all those that live in one. */
export function enter(catalogue: Catalogue, look: Look, specimen?: Specimen): void {
  const alone = specimen?.alone ?? {};
  const world = makeWorld(alone.role ?? (look.app === 'family' ? 'relative' : 'coordinator'));
  world.mood = alone.mood ?? 'well';
  world.me.language = look.language;
  alone.world?.(world);
  live(world);
  catalogue.know(world, specimen !== undefined);
  alone.after?.();
}

/** Waits until what was asked has been answered and drawn. */
async function settled(): Promise<void> {
  for (let quiet = 0, i = 0; quiet < 3 && i < 80; i++, quiet = isAsking() ? 0 : quiet + 1) {
    await new Promise((later) => setTimeout(later, 12));
  }
}

/** Does what brings a specimen into its state; says what went wrong. */
async function bring(specimen: Specimen, root: HTMLElement): Promise<string> {
  try {
    await settled();
    await specimen.then?.(root);
    await settled();
    return '';
  } catch (error) {
    return String(error);
  }
}

class Caught extends Component<{ children: ComponentChildren }, { wrong: string }> {
  override state = { wrong: '' };
  static getDerivedStateFromError(error: unknown) {
    return { wrong: String(error) };
  }
  override render() {
    return this.state.wrong ? <p data-wrong>{this.state.wrong}</p> : this.props.children;
  }
}

/** A copy of what is shown, that nothing changes any more. */
function still(box: HTMLElement): HTMLElement {
  const copy = box.cloneNode(true) as HTMLElement;
  const pairs = <E extends Element>(selector: string) => {
    const to = copy.querySelectorAll<E>(selector);
    return [...box.querySelectorAll<E>(selector)].map((from, i) => [from, to[i]!] as const);
  };
  for (const [from, to] of pairs<HTMLSelectElement>('select')) to.value = from.value;
  for (const [from, to] of pairs<HTMLCanvasElement>('canvas')) {
    if (from.width * from.height > 0) to.getContext('2d')?.drawImage(from, 0, 0);
  }
  return copy;
}

interface ShadowProps {
  specimen: Specimen;
  sheet: CSSStyleSheet;
  /** Whether it is its turn. */
  now: boolean;
  done: (wrong: string) => void;
}

/** A specimen in a shadow: ids and names of fields in it are nobody else's. */
export function Shadow({ specimen, sheet, now, done }: ShadowProps) {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!now) return;
    const shadow = host.current!.attachShadow({ mode: 'open' });
    shadow.adoptedStyleSheets = [sheet];
    const box = document.createElement('div');
    box.className = 'cp-box';
    shadow.append(box);
    render(<Caught>{specimen.show()}</Caught>, box);
    void bring(specimen, box).then((wrong) => {
      if (specimen.alone) {
        const copy = still(box);
        render(null, box);
        box.replaceWith(copy);
      }
      done(wrong || (shadow.querySelector('[data-wrong]')?.textContent ?? ''));
    });
  }, [now]);
  const height = specimen.alone?.height;
  return (
    <div
      class={height ? 'cp-shadow cp-whole' : 'cp-shadow'}
      style={height ? { height } : {}}
      ref={host}
      onClick={stay}
    />
  );
}

interface AloneProps {
  specimen: Specimen;
  drawn: Set<string>;
  /** Of a screen that has no page around it. */
  bare: boolean;
}

/** A page with nothing but the specimen. */
export function Alone({ specimen, drawn, bare }: AloneProps) {
  useEffect(() => {
    document.documentElement.classList.add('cp-alone');
    document.addEventListener('click', stay);
    void bring(specimen, document.body).then((wrong) => {
      document.documentElement.dataset['ready'] = 'yes';
      const only = new URLSearchParams(location.search).get('only') ?? '';
      const broken = document.querySelector('[data-wrong]')?.textContent ?? '';
      parent.postMessage({ only, drawn: [...drawn], wrong: wrong || broken }, location.origin);
    });
  }, []);
  return (
    <div class={bare || specimen.alone?.height ? '' : 'cp-room'}>
      <Caught>{specimen.show()}</Caught>
    </div>
  );
}

/** The address of this page with another look, or of one specimen. */
export const addressOf = (look: Look, only = ''): string =>
  `?${new URLSearchParams({ ...look, ...(only ? { only } : {}) })}`;

interface FrameProps {
  name: string;
  specimen: Specimen;
  look: Look;
  /** Whether it is its turn. */
  now: boolean;
  done: (wrong: string, drawn: string[]) => void;
}

/** The smallest screen of a kiosk, in CSS pixels. */
const screen = { width: 800, height: 480 };

/** A whole screen, as large as there is room for it. */
export function Frame({ name, specimen, look, now, done }: FrameProps) {
  const only = `${name}/${specimen.state}`;
  const frame = useRef<HTMLIFrameElement>(null);
  const [scale, setScale] = useState(1);
  useEffect(() => {
    const told = ({ data, source }: MessageEvent<Told>) => {
      if (source === frame.current?.contentWindow && data.only === only)
        done(data.wrong, data.drawn);
    };
    addEventListener('message', told);
    const box = frame.current!.parentElement!;
    const seen = new ResizeObserver(() => setScale(Math.min(1, box.clientWidth / screen.width)));
    seen.observe(box);
    return () => {
      removeEventListener('message', told);
      seen.disconnect();
    };
  }, []);
  return (
    <div class="cp-frame" style={{ height: screen.height * scale }}>
      <iframe
        ref={frame}
        title={`${name}: ${say(`components.state.${specimen.state}`)}`}
        {...(now ? { src: addressOf(look, only) } : {})}
        style={{ ...screen, transform: `scale(${scale})` }}
      />
    </div>
  );
}

/** What a component is for. */
export const purposeOf = (app: string, name: string): string =>
  sayMaybe(`components.what.${app}.${name}`) ?? sayMaybe(`components.what.${name}`) ?? '';
