import type { NegotiableFormat } from '@imgproxy-cache/core';
import { HttpError } from '@imgproxy-cache/http';
import type { ImageRequest } from '@imgproxy-cache/url';
import { type Gravity, readGravity } from './gravity.js';
import type { ResizeOptions, ResizingType } from './resize-geometry.js';

/** The processing options that this server understands, with imgproxy's defaults. */
export interface RenderOptions extends ResizeOptions {
  /** Whether the EXIF orientation is applied. */
  readonly autoRotate: boolean;
  /** Clockwise, a multiple of 90. */
  readonly rotate: number;
  readonly flipHorizontally: boolean;
  readonly flipVertically: boolean;
  /** Cut away from the edges of the source. */
  readonly trim: { readonly threshold: number; readonly color: string | undefined } | undefined;
  /** Cut out of the source before it is resized. Sides below 1 are shares of the source's, 0 is the whole side. */
  readonly crop: { readonly width: number; readonly height: number; readonly gravity: Gravity };
  /** Which part remains where the resized picture is too large. */
  readonly gravity: Gravity;
  /** Sigma. 0: none. */
  readonly blur: number;
  /** Sigma. 0: none. */
  readonly sharpen: number;
  /** Side of the squares. Up to 1: none. */
  readonly pixelate: number;
  /** Where the picture is put if it is smaller than width and height. Absent: it stays smaller. */
  readonly extend: Gravity | undefined;
  /** The same, up to the aspect ratio of width and height. */
  readonly extendAspectRatio: Gravity | undefined;
  readonly padding: {
    readonly top: number;
    readonly right: number;
    readonly bottom: number;
    readonly left: number;
  };
  /** Six hex digits. Absent: transparency stays where the format has it. */
  readonly background: string | undefined;
  /** 1 to 100. Absent: the format's default. */
  readonly quality: number | undefined;
  /** Where there is no `quality`. */
  readonly formatQuality: ReadonlyMap<string, number>;
  readonly stripMetadata: boolean;
  readonly stripColorProfile: boolean;
  /** Formats of sources that are served as they are. */
  readonly skipProcessing: readonly string[];
  /** Whether the source is served as it is. */
  readonly raw: boolean;
  /** In pixels. Absent: the server's limit. */
  readonly maxSourcePixels: number | undefined;
  /** In bytes. Absent: the server's limit. */
  readonly maxSourceBytes: number | undefined;
  /** Absent: that of the source. */
  readonly format: string | undefined;
  /** Formats that the client may be given instead, the best first. */
  readonly negotiated: readonly NegotiableFormat[];
}

const SUPPORTED = new Set([
  ...[
    'resizing_type',
    'width',
    'height',
    'min-width',
    'min-height',
    'zoom_width',
    'zoom_height',
    'dpr',
    'enlarge',
  ],
  ...['extend', 'extend_aspect_ratio', 'gravity', 'crop', 'trim', 'padding', 'auto_rotate', 'rotate', 'flip'],
  ...['background', 'blur', 'sharpen', 'pixelate', 'strip_metadata', 'strip_color_profile', 'quality'],
  ...['format_quality', 'format', 'skip_processing', 'raw', 'max_src_resolution', 'max_src_file_size'],
  // Of no effect on the image: these belong to its identity and to the answer.
  ...['cachebuster', 'expires', 'filename', 'return_attachment'],
]);
/** Options with a value that asks for nothing that sharp could not do. */
const SUPPORTED_VALUES = new Map([
  ['keep_copyright', new Set(['false'])],
  ['preserve_hdr', new Set(['false'])],
  ['enforce_thumbnail', new Set(['false'])],
  ['trim.equal_horizontal', new Set(['false'])],
  ['trim.equal_vertical', new Set(['false'])],
  ['watermark.opacity', new Set(['0'])],
  ['max_bytes', new Set(['0'])],
]);

/** @throws HttpError for an option that is read and not supported here */
export function readRenderOptions(
  { options, format, raw }: ImageRequest,
  negotiated: readonly NegotiableFormat[] = [],
): RenderOptions {
  for (const [name, value] of options) if (!isSupported(name, value)) throw unsupported(name);
  const values = new Map(options);
  const number = (name: string, unset = 0): number => Number(values.get(name) ?? unset);
  const isTrue = (name: string, unset = false): boolean => (values.get(name) ?? String(unset)) === 'true';
  const gravityOf = (prefix: string, unset?: Gravity): Gravity => readGravity(values, prefix, unset);
  const gravity = gravityOf('gravity');
  return {
    resizingType: (values.get('resizing_type') ?? 'fit') as ResizingType,
    width: number('width'),
    height: number('height'),
    minWidth: number('min-width'),
    minHeight: number('min-height'),
    zoom: { x: number('zoom_width', 1), y: number('zoom_height', 1) },
    dpr: number('dpr', 1),
    enlarge: isTrue('enlarge'),
    autoRotate: isTrue('auto_rotate', true),
    rotate: ((number('rotate') % 360) + 360) % 360,
    flipHorizontally: isTrue('flip.horizontal'),
    flipVertically: isTrue('flip.vertical'),
    trim: values.has('trim.threshold')
      ? { threshold: number('trim.threshold'), color: values.get('trim.color') }
      : undefined,
    crop: {
      width: number('crop.width'),
      height: number('crop.height'),
      gravity: values.has('crop.gravity.type') ? gravityOf('crop.gravity') : gravity,
    },
    gravity,
    blur: number('blur'),
    sharpen: number('sharpen'),
    pixelate: number('pixelate'),
    extend: isTrue('extend.enabled') ? gravityOf('extend.gravity') : undefined,
    extendAspectRatio: isTrue('extend_aspect_ratio.enabled')
      ? gravityOf('extend_aspect_ratio.gravity')
      : undefined,
    padding: {
      top: number('padding.top'),
      right: number('padding.right'),
      bottom: number('padding.bottom'),
      left: number('padding.left'),
    },
    background: values.get('background'),
    quality: number('quality') || undefined,
    formatQuality: new Map(
      options
        .filter(([name]) => name.startsWith('format_quality.'))
        .map(([name, value]) => [name.slice('format_quality.'.length), Number(value)]),
    ),
    stripMetadata: isTrue('strip_metadata', true),
    stripColorProfile: isTrue('strip_color_profile', true),
    skipProcessing: (values.get('skip_processing') ?? '').split(',').filter((name) => name !== ''),
    raw,
    maxSourcePixels: limitOf(values.get('max_src_resolution')),
    maxSourceBytes: limitOf(values.get('max_src_file_size')),
    format,
    negotiated,
  };
}

function isSupported(name: string, value: string): boolean {
  if (SUPPORTED_VALUES.get(name)?.has(value)) return true;
  const [option = ''] = name.split('.', 1);
  return SUPPORTED.has(option) && !SUPPORTED_VALUES.has(name);
}

function unsupported(name: string): HttpError {
  const [option] = name.split('.', 1);
  return new HttpError(422, `Processing option ${option} is not supported here`);
}

/** 0 and less: no limit of its own. */
function limitOf(value: string | undefined): number | undefined {
  const limit = Number(value ?? 0);
  return limit > 0 ? limit : undefined;
}
