/** From the size that is wanted down to the smallest that can be read across a room. */
const sizes = [1, 0.94, 0.88, 0.82, 0.76, 0.7, 0.64, 0.58, 0.5, 0.42];
/** A long letter becomes smaller before all else does. */
const letters = [1, 0.88, 0.78, 0.7, 0.62, 0.54];

/** Makes the text as large as the screen has room for: a kiosk is not scrolled. */
export function fit(root: HTMLElement = document.documentElement): void {
  const parts = [
    root,
    ...root.querySelectorAll<HTMLElement>('button, .top, .page, .page > *, .ask, .letter'),
  ];
  const written = root.querySelector('.letter') ? letters : [1];
  for (const size of sizes) {
    root.style.setProperty('--fit', String(size));
    for (const letter of written) {
      root.style.setProperty('--letter', String(letter));
      if (parts.every(fits)) return;
    }
  }
}

const fits = (part: HTMLElement) =>
  part.scrollHeight <= part.clientHeight + 1 && part.scrollWidth <= part.clientWidth + 1;
