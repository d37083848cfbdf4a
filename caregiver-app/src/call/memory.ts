// What this device remembers of calls, from one to the next.

const checkedKey = 'lykta.call.checked';
/** Whether camera and microphone have been looked at before a call. */
export const hasChecked = (): boolean => localStorage.getItem(checkedKey) === 'yes';
export const checked = (): void => localStorage.setItem(checkedKey, 'yes');

const cameraKey = 'lykta.call.camera';
/** Whether the camera was on when this person last talked. */
export const camera = (): boolean => localStorage.getItem(cameraKey) !== 'off';
export const rememberCamera = (on: boolean): void =>
  localStorage.setItem(cameraKey, on ? 'on' : 'off');
