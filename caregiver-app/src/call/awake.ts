/** Keeps the screen lit for as long as somebody talks; returns its stop. */
export function keepAwake(): () => void {
  let lock: WakeLockSentinel | undefined;
  let stopped = false;
  const hold = () => {
    if (stopped || document.visibilityState !== 'visible') return;
    navigator.wakeLock?.request('screen').then(
      (got) => {
        if (stopped) void got.release();
        else lock = got;
      },
      () => {}, // a battery that is low decides otherwise
    );
  };
  hold();
  // It is lost whenever the page is hidden.
  document.addEventListener('visibilitychange', hold);
  return () => {
    stopped = true;
    document.removeEventListener('visibilitychange', hold);
    void lock?.release();
  };
}
