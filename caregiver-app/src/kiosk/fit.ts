/** From the size that is wanted down to the smallest that can be read across a room. */
const sizes = [1, 0.92, 0.84, 0.77, 0.7];

/** Makes the text as large as the screen has room for: a kiosk is not scrolled. */
export function fit(root: HTMLElement = document.documentElement): void {
  for (const size of sizes) {
    root.style.setProperty('--fit', String(size));
    if (root.scrollHeight <= root.clientHeight) return;
  }
}
