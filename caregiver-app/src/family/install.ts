import { signal } from '@preact/signals';

interface Offer extends Event {
  prompt(): Promise<unknown>;
}

const offer = signal<Offer | null>(null);

/** Whether the app runs from the home screen already. */
export const isInstalled = () => matchMedia('(display-mode: standalone)').matches;

/** Whether the browser lets the app ask to be installed. */
export const canInstall = () => offer.value !== null;

/** Keeps the browser's offer for when the person asks for it. */
export function offerInstalling(): void {
  addEventListener('beforeinstallprompt', (event) => {
    event.preventDefault();
    offer.value = event as Offer;
  });
  addEventListener('appinstalled', () => (offer.value = null));
}

export async function install(): Promise<void> {
  await offer.value?.prompt();
  offer.value = null;
}
