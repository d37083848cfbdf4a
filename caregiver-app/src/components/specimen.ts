import type { ComponentChild } from 'preact';
import type { StateKey } from './texts';
import type { Mood, World } from './world';

/** One component in one state. */
export interface Specimen {
  /** The name of the state. */
  state: StateKey;
  show: () => ComponentChild;
  /** What a person does to bring it into that state, on what was drawn. */
  then?: (root: HTMLElement) => unknown;
  /**
   * Of what says something of the whole app: who is signed in, the live link, how
   * the service answers. It is shown as it stood then; its own page is alive.
   */
  alone?: Alone;
}

export interface Alone {
  mood?: Mood;
  /** The role of who is signed in. */
  role?: string;
  /** Changes the world before the app learns of it. */
  world?: (world: World) => void;
  /** Changes what the app knows. */
  after?: () => void;
  /** A whole page: as much of it is shown, in CSS pixels. */
  height?: number;
}

/** A component with its states. */
export interface Section {
  /** What it is called in the code. */
  name: string;
  states: Specimen[];
}

export interface Group {
  /** The key of its heading. */
  group: string;
  sections: Section[];
}

/** What an app has to show. */
export interface Catalogue {
  groups: Group[];
  /** The component functions by file and name: "caregiver/chain.tsx ChainOf". */
  components: Map<unknown, string>;
  /** Brings the texts. */
  speak: (language: 'sv' | 'en') => Promise<void>;
  /** Has the app know the world, and nothing that was before; `alone` is that one specimen is shown. */
  know: (world: World, alone: boolean) => void;
  /** Every specimen is a page in a frame: its styles are those of a whole screen. */
  framed?: boolean;
  /** Brings the styles of such a page. */
  dress?: () => Promise<unknown>;
}

/** The components among what modules export, by their functions. */
export function componentsOf(modules: Record<string, unknown>): Map<unknown, string> {
  const found = new Map<unknown, string>();
  for (const [path, module] of Object.entries(modules)) {
    for (const [name, value] of Object.entries(module as object)) {
      if (typeof value === 'function' && /^[A-Z]/.test(name)) {
        found.set(value, `${path.replace('../', '')} ${name}`);
      }
    }
  }
  return found;
}

/** Waits until something is there, for a second or two. */
export async function find<E extends HTMLElement>(
  root: ParentNode,
  selector: string,
  n = 0,
): Promise<E> {
  for (let i = 0; i < 100; i++) {
    const found = root.querySelectorAll<E>(selector)[n];
    if (found) return found;
    await new Promise((later) => setTimeout(later, 25));
  }
  throw new Error(`there is no ${selector}`);
}

/** Touches something; n counts from 0. */
export const press = async (root: ParentNode, selector: string, n = 0): Promise<void> =>
  (await find(root, selector, n)).click();

/** Writes into a field. */
export async function write(root: ParentNode, selector: string, text: string, n = 0) {
  const field = await find<HTMLInputElement>(root, selector, n);
  field.value = text;
  field.dispatchEvent(new Event('input', { bubbles: true }));
}

/** Opens what is folded together. */
export async function unfold(root: ParentNode, selector = 'details', n = 0): Promise<void> {
  (await find<HTMLDetailsElement>(root, selector, n)).open = true;
}
