// The app on the device: kept by a service worker, so that it opens without a
// network, and brought up to date.

const script = '/sw.js';
const lookAgain = 60 * 60_000;

/** The service worker of the app that lives beneath `root`; it is registered when it is not. */
export const worker = (root: string): Promise<ServiceWorkerRegistration> =>
  navigator.serviceWorker.register(script, { scope: root });

/** The service worker that is there already, if any. */
export const workerThere = (root: string) => navigator.serviceWorker.getRegistration(root);

/**
 * Keeps the app that lives beneath `root` on the device, once its first screen
 * is there. `swap` says whether the page may be loaded anew when a newer
 * version has come and nobody looks; without it that waits for the next time.
 */
export function keepApp(root: string, swap?: () => boolean): void {
  if (import.meta.env.DEV || !isSecureContext || !('serviceWorker' in navigator)) return;
  let looked = Date.now();
  const keep = () =>
    worker(root).then(
      (registration) => {
        document.addEventListener('visibilitychange', () => {
          if (document.hidden || Date.now() - looked < lookAgain) return;
          looked = Date.now();
          registration.update().catch(() => {}); // without a network: another time
        });
      },
      () => {}, // a browser that may not keep anything works all the same
    );
  if (document.readyState === 'complete') void keep();
  else addEventListener('load', () => void keep(), { once: true });

  // The first worker taking over is no newer version.
  let newer = false;
  let had = navigator.serviceWorker.controller !== null;
  navigator.serviceWorker.addEventListener('controllerchange', () => {
    newer = had;
    had = true;
  });
  document.addEventListener('visibilitychange', () => {
    if (newer && document.hidden && swap?.()) location.reload();
  });
}

/** Follows what a touch on a message opens, in the window that is there already. */
export function followMessages(go: (path: string) => void): void {
  navigator.serviceWorker?.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
    const { go: path } = (data ?? {}) as { go?: unknown };
    if (typeof path === 'string' && path.startsWith('/')) go(path);
  });
}
