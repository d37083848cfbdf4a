// Pictures for the screen in a home: small enough for its narrow connection,
// which carries alarms as well.

/** The longest side, in pixels. */
export const longestSide = 1024;
/** The most bytes that the service takes. */
export const mostBytes = 120 * 1024;

/** The size of a picture of w × h pixels that fits into the longest side; never larger than it was. */
export function fitted(w: number, h: number, longest = longestSide): [number, number] {
  const by = Math.min(1, longest / Math.max(w, h));
  return [Math.max(1, Math.round(w * by)), Math.max(1, Math.round(h * by))];
}

/** Coarser, then smaller, until it fits. */
const attempts = [
  [1, 0.82],
  [1, 0.7],
  [1, 0.55],
  [0.75, 0.7],
  [0.75, 0.5],
  [0.5, 0.6],
  [0.35, 0.5],
] as const;

/** A photograph as the service takes it: JPEG, in base64. Rejects when it is no picture that this browser can read. */
export async function scaled(file: Blob): Promise<string> {
  const picture = await createImageBitmap(file, { imageOrientation: 'from-image' });
  try {
    for (const [size, quality] of attempts) {
      const [w, h] = fitted(picture.width, picture.height, longestSide * size);
      const jpeg = await drawn(picture, w, h, quality);
      if (jpeg.size <= mostBytes) return await base64(jpeg);
    }
  } finally {
    picture.close();
  }
  throw new Error('the picture does not get small enough');
}

function drawn(picture: ImageBitmap, w: number, h: number, quality: number): Promise<Blob> {
  const canvas = document.createElement('canvas');
  canvas.width = w;
  canvas.height = h;
  const to = canvas.getContext('2d')!;
  to.fillStyle = '#fff'; // what is transparent would become black
  to.fillRect(0, 0, w, h);
  to.imageSmoothingQuality = 'high';
  to.drawImage(picture, 0, 0, w, h);
  return new Promise((resolve, reject) =>
    canvas.toBlob(
      (jpeg) => (jpeg ? resolve(jpeg) : reject(new Error('the picture cannot be written'))),
      'image/jpeg',
      quality,
    ),
  );
}

function base64(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).split(',')[1] ?? '');
    reader.onerror = () => reject(reader.error ?? new Error('the picture cannot be read'));
    reader.readAsDataURL(blob);
  });
}

/** Draws a JPEG in base64. The policy of the page lets no other addresses into an img. */
export async function show(jpeg: string, canvas: HTMLCanvasElement): Promise<void> {
  const bytes = Uint8Array.from(atob(jpeg), (c) => c.charCodeAt(0));
  const picture = await createImageBitmap(new Blob([bytes], { type: 'image/jpeg' }));
  canvas.width = picture.width;
  canvas.height = picture.height;
  canvas.getContext('2d')?.drawImage(picture, 0, 0);
  picture.close();
}
