import { signal } from '@preact/signals';
import { api, request } from '../api/http';

// A screen on the wall of the office is looked at and seldom touched. Where somebody has said that
// this device is one, the page counts as used while it is visible, until the session ends anyway.

const remembered = 'lykta.wall';

/** How often the page says that it is there; well within the hours that staff may be idle. */
export const every = 10 * 60_000;

/** Whether this device hangs on the wall. */
export const wanted = signal(localStorage.getItem(remembered) === 'on');

export function want(on: boolean): void {
  wanted.value = on;
  localStorage.setItem(remembered, on ? 'on' : 'off');
}

/** Keeps the session of a wall screen for as long as `signedIn` says that there is one. */
export function keepWall(signedIn: () => boolean): void {
  setInterval(() => {
    if (wanted.value && document.visibilityState === 'visible' && signedIn()) {
      request(`${api}/me`).catch(() => {}); // the stream says when somebody is signed out
    }
  }, every);
}
