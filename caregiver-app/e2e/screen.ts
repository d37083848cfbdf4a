// What a screen of the caregiver's app is, for the lists of them.
import type { Page } from '@playwright/test';
import type { Mock } from './lykta';

export type Say = (key: string, values?: Record<string, string | number>) => string;

export interface Screen {
  /** Of its pictures, and of its tests. */
  name: string;
  path: string;
  /** What is there when the screen is complete. */
  shows: string;
  /** Who looks; a caregiver when nothing is said. */
  as?: 'coordinator' | 'operator';
  /** How the world is before the page is opened. */
  world?: (mock: Mock) => void;
  /** From the page to the screen. What is clicked is found by its text in the language. */
  act?: (page: Page, say: Say, mock: Mock) => Promise<void>;
  /** Something that lies over the page and is left by Escape. */
  over?: true;
  /** Somebody who is not signed in yet. */
  outside?: true;
}

const minute = 60_000;
export const click = (page: Page, name: string) =>
  page.getByRole('button', { name }).first().click();
export const marta = '/homes/marta';
export const ago = (mock: Mock, minutes: number) =>
  new Date(mock.at() - minutes * minute).toISOString();
