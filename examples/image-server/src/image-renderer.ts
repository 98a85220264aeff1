import { availableParallelism } from 'node:os';
import type { Rendering } from '@imgproxy-cache/core';
import { HttpError } from '@imgproxy-cache/http';
import pLimit from 'p-limit';
import sharp, { type Metadata, type Sharp, type SharpOptions } from 'sharp';
import { type Gravity, placeWithin } from './gravity.js';
import { imageError } from './image-error.js';
import { cutSource, finish, isCut, MAX_PIXELS, needsStages } from './image-stages.js';
import type { LocalSources } from './local-sources.js';
import type { RenderOptions } from './render-options.js';
import { type ResizeGeometry, resizeGeometry } from './resize-geometry.js';

const OUTPUT_FORMATS = ['jpeg', 'png', 'webp', 'avif', 'gif'] as const;
type OutputFormat = (typeof OUTPUT_FORMATS)[number];

const DEFAULT_QUALITY = { jpeg: 80, webp: 79, avif: 63 };
const CONTENT_TYPES: Readonly<Record<string, string>> = { svg: 'image/svg+xml', heic: 'image/heif' };
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
  const { maxSourceBytes = source.length, maxSourcePixels = MAX_PIXELS } = options;
  if (source.length > maxSourceBytes) throw imageError.broken(`the source has ${source.length} bytes`);
  const reading: SharpOptions = { limitInputPixels: Math.min(MAX_PIXELS, maxSourcePixels), failOn: 'error' };
  const metadata = await sharp(source, reading).metadata();
  const sourceFormat = formatOf(metadata);
  if (isServedAsItIs(sourceFormat, options))
    return { body: source, contentType: CONTENT_TYPES[sourceFormat] ?? `image/${sourceFormat}` };

  const format = outputFormat(metadata, options);
  // The pages of a TIFF or an AVIF are pictures side by side: only frames have delays.
  const isAnimated = metadata.delay !== undefined && (format === 'gif' || format === 'webp');
  const isStaged = needsStages(options);
  if (isStaged && isAnimated) throw imageError.unsupportedOptions('for animations');
  if (isStaged && !(options.stripMetadata && options.stripColorProfile))
    throw imageError.unsupportedOptions('while metadata are kept');

  const open = (more: SharpOptions = {}): Sharp => {
    const image = sharp(source, { ...reading, animated: isAnimated, ...more });
    return options.autoRotate ? image.autoOrient() : image;
  };
  const cut = isCut(options) ? await cutSource(open(), options) : undefined;
  const upright = cut?.size ?? (options.autoRotate ? metadata.autoOrient : metadata);
  const isVector = sourceFormat === 'svg';
  const geometry = resizeGeometry(upright, { ...options, enlarge: options.enlarge || isVector });
  const pixels = geometry.scaled.width * geometry.scaled.height * (isAnimated ? (metadata.pages ?? 1) : 1);
  // Not "pixels > MAX_PIXELS": a dpr of NaN, which imgproxy's URLs may have, must not pass.
  if (!(pixels <= MAX_PIXELS)) throw imageError.unsupported(`the result would have ${pixels} pixels`);

  const density = isVector ? { density: vectorDensity(geometry.scaled.width / upright.width) } : {};
  const resized = resize(cut?.image ?? open(density), geometry, options.gravity);
  const finished = isStaged ? await finish(resized, options, geometry.dpr) : resized;
  if (!options.stripMetadata) finished.keepMetadata();
  else if (!options.stripColorProfile) finished.keepIccProfile();
  const flattened =
    options.background !== undefined || format === 'jpeg'
      ? finished.flatten({ background: `#${options.background ?? 'ffffff'}` })
      : finished;
  const quality = options.quality ?? (options.formatQuality.get(format) || undefined);
  return { body: await encode(flattened, format, quality).toBuffer(), contentType: `image/${format}` };
}

/** The name of a source's format in imgproxy's URLs. */
function formatOf({ format, compression }: Metadata): string {
  return format === 'heif' && compression === 'hevc' ? 'heic' : format === 'heif' ? 'avif' : format;
}

function isServedAsItIs(sourceFormat: string, { format, raw, skipProcessing }: RenderOptions): boolean {
  const isFormatKept = (format ?? sourceFormat) === sourceFormat;
  return raw || (isFormatKept && (sourceFormat === 'svg' || skipProcessing.includes(sourceFormat)));
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

function resize(image: Sharp, { scaled, cropped }: ResizeGeometry, gravity: Gravity): Sharp {
  return image
    .resize({ ...scaled, fit: 'fill' })
    .extract({ ...placeWithin(scaled, cropped, gravity), ...cropped });
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
