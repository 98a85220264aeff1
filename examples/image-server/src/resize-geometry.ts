export interface Size {
  readonly width: number;
  readonly height: number;
}

/** imgproxy's options that decide the size of the result. */
export interface ResizeOptions {
  readonly resizingType: ResizingType;
  /** 0: as the height demands, and with `force` that of the source. */
  readonly width: number;
  /** 0: as the width demands, and with `force` that of the source. */
  readonly height: number;
  /** The result is at least so wide, and then cropped to `width`. 0: no least width. */
  readonly minWidth: number;
  readonly minHeight: number;
  /** Factors of both sides. */
  readonly zoom: { readonly x: number; readonly y: number };
  readonly dpr: number;
  readonly enlarge: boolean;
}

interface Scale {
  readonly x: number;
  readonly y: number;
}

export type ResizingType = 'fit' | 'fill' | 'fill-down' | 'force' | 'auto';

export interface ResizeGeometry {
  /** What the whole source is scaled to. */
  readonly scaled: Size;
  /** What is cut out of that. */
  readonly cropped: Size;
  /** The factor of all lengths in pixels that a URL has. */
  readonly dpr: number;
}

/** Sizes as imgproxy computes them, for a source of the size that it has the right way up. */
export function resizeGeometry(source: Size, options: ResizeOptions): ResizeGeometry {
  const scale = atLeast(source, zoomed(scaleToTarget(source, options), options), options);
  // Without `enlarge`, dpr may use up the pixels that the source has to spare, and no more.
  const spare = 1 / Math.max(scale.x, scale.y);
  const shrunk = options.enlarge || spare >= 1 ? 1 : spare;
  const dpr = options.enlarge ? options.dpr : Math.min(options.dpr / shrunk, Math.max(spare, 1));
  const scaled = {
    width: wholePixels(source.width * scale.x * shrunk * dpr),
    height: wholePixels(source.height * scale.y * shrunk * dpr),
  };
  return { scaled, cropped: crop(scaled, options, dpr), dpr };
}

function scaleToTarget(source: Size, { resizingType, width, height }: ResizeOptions): Scale {
  const target = { width: width || source.width, height: height || source.height };
  const x = target.width / source.width;
  const y = target.height / source.height;
  if (resizingType === 'force') return { x, y };
  if (width === 0) return { x: y, y };
  if (height === 0) return { x, y: x };
  const fills =
    resizingType === 'auto' ? isLandscape(source) === isLandscape(target) : resizingType !== 'fit';
  const scale = fills ? Math.max(x, y) : Math.min(x, y);
  return { x: scale, y: scale };
}

function zoomed(scale: Scale, { zoom }: ResizeOptions): Scale {
  return { x: scale.x * zoom.x, y: scale.y * zoom.y };
}

/** Enlarges a scale, so that the result has its least width and height. */
function atLeast(source: Size, scale: Scale, { minWidth, minHeight }: ResizeOptions): Scale {
  const factor = Math.max(1, minWidth / (source.width * scale.x), minHeight / (source.height * scale.y));
  return { x: scale.x * factor, y: scale.y * factor };
}

function crop(scaled: Size, { resizingType, width, height, zoom }: ResizeOptions, dpr: number): Size {
  const box = {
    width: wholePixels(width * dpr * zoom.x || scaled.width),
    height: wholePixels(height * dpr * zoom.y || scaled.height),
  };
  const excess = Math.max(box.width / scaled.width, box.height / scaled.height);
  const reduction = resizingType === 'fill-down' && excess > 1 ? excess : 1;
  return {
    width: Math.min(scaled.width, wholePixels(box.width / reduction)),
    height: Math.min(scaled.height, wholePixels(box.height / reduction)),
  };
}

function isLandscape({ width, height }: Size): boolean {
  return width >= height;
}

function wholePixels(length: number): number {
  return Math.max(1, Math.round(length));
}
