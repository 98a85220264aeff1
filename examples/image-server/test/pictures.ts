import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The samples, or a folder of one's own in `IMAGE_SERVER_TEST_IMAGES`. */
export const PICTURE_FOLDER =
  process.env['IMAGE_SERVER_TEST_IMAGES'] ?? fileURLToPath(new URL('../samples', import.meta.url));

export const PICTURES: readonly string[] = readdirSync(PICTURE_FOLDER).filter((name) =>
  /\.(?:avif|gif|jpe?g|png|svg|webp)$/i.test(name),
);

const FORMATS = ['webp', 'jpeg', 'png'] as const;
const WIDTHS = [120, 240, 480] as const;

/** The part of a URL that is signed. */
export function picturePath(name: string, width: number, format: string): string {
  return `/rs:fit:${width}:${width}/plain/local:///${encodeURIComponent(name)}@${format}`;
}

/** Every picture in every format and size. */
export const VARIANTS = PICTURES.flatMap((name) =>
  FORMATS.flatMap((format) =>
    WIDTHS.map((width) => ({ name, format, width, path: picturePath(name, width, format) })),
  ),
);
