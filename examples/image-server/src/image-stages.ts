import sharp, { type Sharp } from 'sharp';
import { type Gravity, placeWithin } from './gravity.js';
import { imageError } from './image-error.js';
import type { RenderOptions } from './render-options.js';
import type { Size } from './resize-geometry.js';

/** Limit for the source, all frames together, and for the result. */
export const MAX_PIXELS = 50_000_000;

/** Pixels and their size: what one of sharp's pipelines gives the next, since each has a fixed order of operations. */
export interface Picture {
  readonly image: Sharp;
  readonly size: Size;
}

/** Whether sharp needs more than one pipeline, which only pictures without frames have. */
export function needsStages(options: RenderOptions): boolean {
  const { blur, sharpen, pixelate, extend, extendAspectRatio, padding } = options;
  const isFiltered = blur > 0 || sharpen > 0 || pixelate > 1;
  const isExtended = extend !== undefined || extendAspectRatio !== undefined;
  return isCut(options) || isFiltered || isExtended || Object.values(padding).some((side) => side > 0);
}

/** Whether the source is changed before it is resized. */
export function isCut({ trim, rotate, flipHorizontally, flipVertically, crop }: RenderOptions): boolean {
  const isTurned = rotate !== 0 || flipHorizontally || flipVertically;
  return trim !== undefined || isTurned || crop.width > 0 || crop.height > 0;
}

/** Trims, rotates, flips and crops, in imgproxy's order. */
export async function cutSource(source: Sharp, options: RenderOptions): Promise<Picture> {
  const { trim, rotate, flipHorizontally, flipVertically, crop } = options;
  let picture = await pictureOf(source);
  if (trim !== undefined) {
    const background = trim.color === undefined ? {} : { background: `#${trim.color}` };
    picture = await pictureOf(picture.image.trim({ threshold: trim.threshold, ...background }));
  }
  if (rotate !== 0) picture = await pictureOf(picture.image.rotate(rotate));
  if (flipHorizontally || flipVertically)
    picture = await pictureOf(picture.image.flop(flipHorizontally).flip(flipVertically));
  if (crop.width === 0 && crop.height === 0) return picture;
  const size = {
    width: cropSide(crop.width, picture.size.width),
    height: cropSide(crop.height, picture.size.height),
  };
  return await pictureOf(
    picture.image.extract({ ...placeWithin(picture.size, size, crop.gravity), ...size }),
  );
}

/** Blurs, sharpens, pixelates and surrounds what was resized. */
export async function finish(resized: Sharp, options: RenderOptions, dpr: number): Promise<Sharp> {
  const { blur, sharpen, pixelate, background } = options;
  // Less than this sharp does not take, and nobody sees.
  if (blur >= 0.3) resized.blur(Math.min(blur, 1000));
  if (sharpen > 0) resized.sharpen({ sigma: Math.min(Math.max(sharpen, 0.01), 10) });
  let picture = await pictureOf(resized);
  if (pixelate > 1) picture = await pixelated(picture, pixelate * dpr);
  const frame = surroundings(picture.size, options, dpr);
  const width = picture.size.width + frame.left + frame.right;
  const height = picture.size.height + frame.top + frame.bottom;
  if (!(width * height <= MAX_PIXELS))
    throw imageError.unsupported(`the result would have ${width} x ${height} pixels`);
  const colour = background === undefined ? { r: 0, g: 0, b: 0, alpha: 0 } : `#${background}`;
  return picture.image.ensureAlpha().extend({ ...frame, background: colour });
}

async function pixelated({ image, size }: Picture, side: number): Promise<Picture> {
  const small = await pictureOf(
    image.resize({
      width: Math.ceil(size.width / side),
      height: Math.ceil(size.height / side),
      fit: 'fill',
    }),
  );
  return await pictureOf(small.image.resize({ ...size, fit: 'fill', kernel: 'nearest' }));
}

interface Frame {
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly left: number;
}

/** Pixels around the picture: what it lacks to its width and height or their ratio, and the padding. */
function surroundings(
  size: Size,
  { width, height, extend, extendAspectRatio, padding }: RenderOptions,
  dpr: number,
): Frame {
  const [wide, high] = [Math.round(width * dpr), Math.round(height * dpr)];
  const inner = frameTo({ width: wide, height: high }, size, extend);
  const extended = {
    width: size.width + inner.left + inner.right,
    height: size.height + inner.top + inner.bottom,
  };
  const ratio = wide > 0 && high > 0 ? wide / high : extended.width / extended.height;
  const outer = frameTo(
    { width: Math.round(extended.height * ratio), height: Math.round(extended.width / ratio) },
    extended,
    extendAspectRatio,
  );
  const side = (name: keyof Frame): number => inner[name] + outer[name] + Math.round(padding[name] * dpr);
  return { top: side('top'), right: side('right'), bottom: side('bottom'), left: side('left') };
}

function frameTo(target: Size, size: Size, gravity: Gravity | undefined): Frame {
  if (gravity === undefined) return { top: 0, right: 0, bottom: 0, left: 0 };
  const larger = {
    width: Math.max(size.width, target.width),
    height: Math.max(size.height, target.height),
  };
  const { left, top } = placeWithin(larger, size, gravity);
  return {
    top,
    left,
    right: larger.width - size.width - left,
    bottom: larger.height - size.height - top,
  };
}

function cropSide(wanted: number, whole: number): number {
  if (wanted === 0) return whole;
  return Math.min(whole, Math.max(1, Math.round(wanted < 1 ? wanted * whole : wanted)));
}

async function pictureOf(image: Sharp): Promise<Picture> {
  const { data, info } = await image.toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  return { image: sharp(data, { raw: { width, height, channels } }), size: { width, height } };
}
