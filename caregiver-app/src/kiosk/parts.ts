/** Divides a text into parts of at most so many characters, after a sentence where there is one, between words else. */
export function partsOf(text: string, most: number): string[] {
  const parts: string[] = [];
  let rest = text.trim();
  while (rest.length > most) {
    const head = rest.slice(0, most + 1);
    const sentence = Math.max(...['. ', '! ', '? ', '\n'].map((end) => head.lastIndexOf(end)));
    const space = head.search(/\s\S*$/);
    const cut = sentence > most / 2 ? sentence + 1 : space > 0 ? space : most;
    parts.push(rest.slice(0, cut).trim());
    rest = rest.slice(cut).trim();
  }
  return [...parts, rest];
}

/** How many characters of a letter can be read across a room on a screen of that size, in px; `text` is that of its text. */
export function letterRoom(width: number, height: number, text: number, picture: boolean): number {
  const portrait = height > width;
  const size = text * 1.05;
  const [across, down] = portrait ? [1, picture ? 0.5 : 1] : [picture ? 0.5 : 1, 1];
  const lines = ((height - 230 - 5.5 * text) * down) / (size * 1.25);
  const letters = ((width - 90) * across) / (size * 0.6);
  return Math.max(80, Math.floor(lines * letters * 0.8));
}
