import { crc32 } from 'node:zlib';
import type { ImageIdentity, Rendering } from '@imgproxy-cache/core';

/** A picture that somebody asks for. */
export interface Picture {
  /** Path of the original, with its query. */
  readonly source: string;
  readonly width: number;
  readonly height: number;
}

const PICTURE_URL = /^\/(?<width>\d{1,4})x(?<height>\d{1,4})\/(?<source>.+)$/;

/** Reads a URL such as `/300x200/cat.jpg`. */
export function parsePicture(url: string): Picture | undefined {
  const { width, height, source } = PICTURE_URL.exec(url)?.groups ?? {};
  return source === undefined ? undefined : { source, width: Number(width), height: Number(height) };
}

/** What the cache knows a picture by: everything that can change a byte of it. */
export function identityOf({ source, width, height }: Picture): ImageIdentity {
  return {
    source,
    options: [
      ['width', String(width)],
      ['height', String(height)],
    ],
    format: 'svg',
  };
}

/** Stands for a renderer: a rectangle in a colour that depends on the path of the original. */
export function drawPicture({ source, width, height }: Picture): Rendering {
  const [path = ''] = source.split('?', 1);
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
  <rect width="100%" height="100%" fill="hsl(${crc32(path) % 360} 60% 60%)"/>
</svg>`;
  return { body: Buffer.from(svg), contentType: 'image/svg+xml' };
}
