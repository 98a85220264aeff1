import { type ByteString, decodeBase64Url, toText, trimPadding } from '../byte-string.js';
import { parseGoBoolean } from '../go-values.js';
import { UrlError } from '../url-error.js';
import {
  assertAtMost,
  canonicalArgument,
  type EffectiveOptions,
  invalidArguments,
} from './effective-options.js';
import {
  BOOLEAN,
  COLOR_CHANNEL,
  HEX_COLOR,
  IMAGE_FORMAT,
  NON_NEGATIVE_INTEGER,
  type OptionValue,
  oneOf,
  POSITIVE_FLOAT,
  QUALITY,
  TEXT,
  UNIX_TIMESTAMP,
} from './option-value.js';

interface NamedOption {
  /** The name in the effective options, then the aliases. */
  readonly names: readonly [canonical: string, ...aliases: string[]];
}

/** An option with one argument. */
export interface ValueOption extends NamedOption {
  readonly value: OptionValue;
  /** Whether an empty argument takes the option away. */
  readonly emptyDeletes?: true;
}

/** An option that stands for others: each argument that is not empty goes to the one at its place. */
export interface MetaOption extends NamedOption {
  readonly options: readonly string[];
  /** The last of the options gets all arguments from its place on, at most this many. */
  readonly lastTakes: number;
}

export interface OptionContext {
  readonly effective: EffectiveOptions;
  /** The present time in milliseconds since 1970. */
  readonly now: () => number;
}

/** An option with rules of its own. */
export interface CustomOption extends NamedOption {
  readonly apply: (name: string, args: readonly ByteString[], context: OptionContext) => void;
}

export type ProcessingOption = ValueOption | MetaOption | CustomOption;

/**
 * Every processing option that is supported. An option is added by an entry here; its names then leave
 * {@link UNSUPPORTED_OPTIONS}.
 */
export const PROCESSING_OPTIONS: readonly ProcessingOption[] = [
  {
    names: ['resize', 'rs'],
    options: ['resizing_type', 'width', 'height', 'enlarge', 'extend'],
    lastTakes: 4,
  },
  { names: ['size', 's'], options: ['width', 'height', 'enlarge', 'extend'], lastTakes: 4 },
  { names: ['resizing_type', 'rt'], value: oneOf('fit', 'fill', 'fill-down', 'force', 'auto') },
  { names: ['width', 'w'], value: NON_NEGATIVE_INTEGER },
  { names: ['height', 'h'], value: NON_NEGATIVE_INTEGER },
  { names: ['dpr'], value: POSITIVE_FLOAT },
  { names: ['enlarge', 'el'], value: BOOLEAN },
  { names: ['background', 'bg'], apply: applyBackground },
  { names: ['quality', 'q'], value: QUALITY },
  { names: ['format', 'f', 'ext'], value: IMAGE_FORMAT },
  { names: ['cachebuster', 'cb'], value: TEXT, emptyDeletes: true },
  { names: ['expires', 'exp'], apply: applyExpires },
  { names: ['filename', 'fn'], apply: applyFilename },
  { names: ['return_attachment', 'att'], value: BOOLEAN },
];

function applyBackground(name: string, args: readonly ByteString[], { effective }: OptionContext): void {
  const [first = '', green = '', blue = ''] = args;
  if (args.length === 1) {
    if (first === '') effective.delete(name);
    else effective.set(name, canonicalArgument(name, HEX_COLOR, first));
    return;
  }
  if (args.length !== 3) throw invalidArguments(name, args);
  const channels = { R: first, G: green, B: blue };
  const digits = Object.entries(channels).map(([channel, argument]) =>
    canonicalArgument(`${name}.${channel}`, COLOR_CHANNEL, argument),
  );
  effective.set(name, digits.join(''));
}

/** 0 and less mean never. */
function applyExpires(name: string, args: readonly ByteString[], { effective, now }: OptionContext): void {
  assertAtMost(1, name, args);
  const timestamp = canonicalArgument(name, UNIX_TIMESTAMP, args[0] ?? '');
  const seconds = Number(timestamp);
  // Not "<": where the clock gives no number, no URL must live for ever.
  if (seconds > 0 && !(seconds >= Math.floor(now() / 1000))) throw UrlError.invalid('Expired URL');
  effective.set(name, timestamp);
}

const BASE64_TEXT: OptionValue = {
  canonical: (argument) => {
    const bytes = decodeBase64Url(trimPadding(argument));
    return bytes === undefined ? undefined : toText(bytes);
  },
  expected: 'URL-safe base64-encoded string',
};

/** With a true second argument the name is in base64. */
function applyFilename(name: string, args: readonly ByteString[], { effective }: OptionContext): void {
  assertAtMost(2, name, args);
  const [filename = '', isEncoded = ''] = args;
  effective.set(name, canonicalArgument(name, parseGoBoolean(isEncoded) ? BASE64_TEXT : TEXT, filename));
}

/** Options of open-source imgproxy that are not supported here, with their aliases. */
export const UNSUPPORTED_OPTIONS: ReadonlySet<string> = new Set(
  [
    'min-width mw min-height mh zoom z extend ex extend_aspect_ratio extend_ar exar gravity g crop c trim t',
    'padding pd auto_rotate ar rotate rot flip fl blur bl sharpen sh pixelate pix watermark wm',
    'strip_metadata sm keep_copyright kcr strip_color_profile scp preserve_hdr ph enforce_thumbnail eth',
    'format_quality fq max_bytes mb skip_processing skp raw preset pr',
  ].flatMap((names) => names.split(' ')),
);

/** Options that imgproxy refuses unless `IMGPROXY_ALLOW_SECURITY_OPTIONS` is set. */
export const SECURITY_OPTIONS: ReadonlySet<string> = new Set(
  (
    'max_src_resolution msr max_src_file_size msfs max_animation_frames maf ' +
    'max_animation_frame_resolution mafr max_result_dimension mrd'
  ).split(' '),
);

/** Options of imgproxy Pro; to open-source imgproxy they are unknown. */
export const PRO_OPTIONS: ReadonlySet<string> = new Set(
  [
    'resizing_algorithm ra objects_position obj_pos op crop_aspect_ratio crop_ar car background_alpha bga',
    'adjust a brightness br contrast co saturation sa monochrome mc duotone dt unsharp_masking ush',
    'blur_areas ba progressive_blur pbl blur_detections bd draw_detections dd crop_objects c_obj colorize col',
    'gradient gr watermark_url wmu watermark_text wmt watermark_size wms watermark_rotate wm_rot wmr',
    'watermark_shadow wmsh style st dpi color_profile cp icc autoquality aq jpeg_options jpgo',
    'png_options pngo webp_options webpo avif_options avifo page pg pages pgs disable_animation da',
    'video_thumbnail_second vts video_thumbnail_keyframes vtk video_thumbnail_tile vtt',
    'video_thumbnail_animation vta fallback_image_url fiu bypass_cache bc cache_tags ct hashsum hs',
  ].flatMap((names) => names.split(' ')),
);
