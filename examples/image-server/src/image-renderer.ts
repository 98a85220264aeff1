import { availableParallelism } from 'node:os';
import type { Rendering } from '@imgproxy-cache/core';
import { HttpError } from '@imgproxy-cache/http';
import pLimit from 'p-limit';
import sharp, { type Metadata, type Sharp, type SharpOptions } from 'sharp';
import { imageError } from './image-error.js';
import type { LocalSources } from './local-sources.js';
import type { RenderOptions } from './render-options.js';
import { type ResizeGeometry, resizeGeometry } from './resize-geometry.js';

const OUTPUT_FORMATS = ['jpeg', 'png', 'webp', 'avif', 'gif'] as const;
type OutputFormat = (typeof OUTPUT_FORMATS)[number];

const DEFAULT_QUALITY = { jpeg: 80, webp: 79, avif: 63 };
/** Limit for the source, all frames together, and for the result. */
const MAX_PIXELS = 50_000_000;
const SVG_DENSITY = 72;
const MAX_SVG_DENSITY = 7200;

// Node's thread pool, of four threads by default, also reads and writes the files of a cache on disk: renderings
// leave it two of them, or a hit would have to wait until some image is rendered.
const poolThreads = Number(process.env['UV_THREADPOOL_SIZE']) || 4;
const renderingsAtOnce = Math.max(1, Math.min(availableParallelism(), poolThreads - 2));
sharp.concurrency(1);
// Every source is decoded once: what sharp keeps for a second time would only take memory.
sharp.cache(false);

/** Renders local images as imgproxy would, a few at a time. What waits its turn holds no image in memory. */
export class ImageRenderer {
  readonly #sources: LocalSources;
  readonly #limit = pLimit(renderingsAtOnce);

  constructor(sources: LocalSources) {
    this.#sources = sources;
  }

  /** @throws HttpError */
  render(sourceUrl: string | undefined, options: RenderOptions, signal: AbortSignal): Promise<Rendering> {
    return this.#limit(async () => {
      signal.throwIfAborted();
      const source = await this.#sources.read(sourceUrl, signal);
      try {
        return await renderImage(source, options);
      } catch (error) {
        throw error instanceof HttpError ? error : imageError.broken(`sharp: ${String(error)}`);
      }
    });
  }
}

// The source is always given as bytes: an SVG that is opened as a file may include other files.
async function renderImage(source: Uint8Array, options: RenderOptions): Promise<Rendering> {
  const reading: SharpOptions = { limitInputPixels: MAX_PIXELS, failOn: 'error' };
  const metadata = await sharp(source, reading).metadata();
  const isVector = metadata.format === 'svg';
  if (isVector && (options.format ?? 'svg') === 'svg') return { body: source, contentType: 'image/svg+xml' };

  const format = outputFormat(metadata, options);
  // The pages of a TIFF or an AVIF are pictures side by side: only frames have delays.
  const isAnimated = metadata.delay !== undefined && (format === 'gif' || format === 'webp');
  const upright = metadata.autoOrient;
  const geometry = resizeGeometry(upright, { ...options, enlarge: options.enlarge || isVector });
  const pixels = geometry.scaled.width * geometry.scaled.height * (isAnimated ? (metadata.pages ?? 1) : 1);
  // Not "pixels > MAX_PIXELS": a dpr of NaN, which imgproxy's URLs may have, must not pass.
  if (!(pixels <= MAX_PIXELS)) throw imageError.unsupported(`the result would have ${pixels} pixels`);

  const image = sharp(source, {
    ...reading,
    animated: isAnimated,
    ...(isVector && { density: vectorDensity(geometry.scaled.width / upright.width) }),
  });
  const resized = resize(image.autoOrient(), geometry);
  const flattened =
    options.background !== undefined || format === 'jpeg'
      ? resized.flatten({ background: `#${options.background ?? 'ffffff'}` })
      : resized;
  return {
    body: await encode(flattened, format, options.quality).toBuffer(),
    contentType: `image/${format}`,
  };
}

function outputFormat(
  metadata: Metadata,
  { format: requested, negotiated }: Pick<RenderOptions, 'format' | 'negotiated'>,
): OutputFormat {
  const isOutputFormat = (name: string | undefined): name is OutputFormat =>
    OUTPUT_FORMATS.some((format) => format === name);
  const best = negotiated.find((format) => format === 'webp' || metadata.delay === undefined);
  if (isOutputFormat(best)) return best;
  if (isOutputFormat(requested)) return requested;
  if (requested !== undefined) throw imageError.unsupported(`cannot write the format ${requested}`);
  if (metadata.format === 'heif') return 'avif';
  if (isOutputFormat(metadata.format)) return metadata.format;
  return metadata.hasAlpha ? 'png' : 'jpeg';
}

/** Dots per inch at which the drawing has about the size that it is scaled to. */
function vectorDensity(scale: number): number {
  return Math.min(Math.max(SVG_DENSITY * scale, 1), MAX_SVG_DENSITY);
}

function resize(image: Sharp, { scaled, cropped }: ResizeGeometry): Sharp {
  return image.resize({ ...scaled, fit: 'fill' }).extract({
    left: Math.floor((scaled.width - cropped.width) / 2),
    top: Math.floor((scaled.height - cropped.height) / 2),
    ...cropped,
  });
}

function encode(image: Sharp, format: OutputFormat, quality: number | undefined): Sharp {
  switch (format) {
    case 'jpeg':
      return image.jpeg({ quality: quality ?? DEFAULT_QUALITY.jpeg });
    case 'webp':
      return image.webp({ quality: quality ?? DEFAULT_QUALITY.webp });
    case 'avif':
      return image.avif({ quality: quality ?? DEFAULT_QUALITY.avif, effort: 1 });
    case 'png':
      return image.png();
    case 'gif':
      return image.gif();
  }
}
