import type { ImageFormat, InfoOptions, ProcessingOptions } from '@imgproxy-cache/url';
import fc from 'fast-check';

type Arbitraries<Options> = { readonly [Name in keyof Required<Options>]: fc.Arbitrary<Options[Name]> };

const bool = fc.boolean();
const count = fc.nat(10_000);
const integer = fc.integer();
const float = fc.double({ noNaN: true });
const unit = fc.double({ min: 0, max: 1, noNaN: true });
const notNegative = fc.double({ min: 0, noNaN: true });
const positive = fc.double({ min: Number.MIN_VALUE, noNaN: true });
const color = fc
  .array(fc.constantFrom(...'0123456789abcdefABCDEF'), { minLength: 3, maxLength: 6 })
  .map((digits) => digits.slice(0, digits.length < 6 ? 3 : 6).join(''));
const format = fc.constantFrom<ImageFormat>('jpg', 'jpeg', 'png', 'webp', 'avif', 'best', 'mp4');
/** Text that may stand in a URL as it is. */
const word = fc.stringMatching(/^[A-Za-z0-9._~-]{1,8}$/);
/** Any text at all. */
const text = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((value) => value.isWellFormed());
const direction = fc.constantFrom('ce', 'no', 'ea', 'so', 'we', 'nowe', 'noea', 'sowe', 'soea');

/** All of the arguments, or some of the first ones, with gaps where they may be. */
const some = <Values extends readonly unknown[]>(
  required: number,
  ...values: { [Place in keyof Values]: fc.Arbitrary<Values[Place]> }
) =>
  fc
    .tuple(
      fc.tuple(...values.map((value, at) => (at < required ? value : fc.option(value, { nil: undefined })))),
      fc.nat(),
    )
    .map(([all, cut]) =>
      all.slice(0, required + (cut % (values.length - required + 1))),
    ) as unknown as fc.Arbitrary<never>;

const gravity = fc.oneof(
  fc.constant(['sm'] as const),
  fc.tuple(direction, float, float),
  fc.tuple(direction),
  fc.tuple(fc.constant('fp' as const), unit, unit),
  fc.tuple(fc.constant('obj' as const), word, word),
) as unknown as fc.Arbitrary<never>;
const extendGravity = fc.oneof(
  fc.tuple(direction, float, float),
  fc.tuple(fc.constant('fp' as const), unit, unit),
);
const extension = fc.oneof(
  fc.tuple(bool),
  fc.tuple(bool, extendGravity).map(([isEnabled, place]) => [isEnabled, ...place]),
) as unknown as fc.Arbitrary<never>;
const resizingType = fc.constantFrom('fit', 'fill', 'fill-down', 'force', 'auto');
const crop = fc
  .tuple(notNegative, notNegative, gravity)
  .map(([width, height, place]) => [
    width,
    height,
    ...(place as unknown[]),
  ]) as unknown as fc.Arbitrary<never>;
const frame = [count, count, bool, bool, bool, unit, unit] as const;

export const PROCESSING_ARBITRARIES: Arbitraries<ProcessingOptions> = {
  resize: some(0, resizingType, count, count, bool, bool),
  size: some(0, count, count, bool, bool),
  resizing_type: resizingType as fc.Arbitrary<never>,
  width: count,
  height: count,
  'min-width': count,
  'min-height': count,
  zoom: fc.oneof(positive, fc.tuple(positive, positive)),
  dpr: positive,
  enlarge: bool,
  extend: extension,
  extend_aspect_ratio: extension,
  gravity,
  crop,
  trim: some(0, float, color, bool, bool),
  padding: some(0, count, count, count, count),
  auto_rotate: bool,
  rotate: integer.map((angle) => 90 * Math.trunc(angle / 90)),
  flip: some(0, bool, bool),
  background: fc.oneof(color, fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255))),
  blur: positive,
  sharpen: positive,
  pixelate: count,
  watermark: some(1, unit, fc.oneof(direction, fc.constantFrom('re', 'ch')), float, float, positive),
  strip_metadata: bool,
  keep_copyright: bool,
  strip_color_profile: bool,
  preserve_hdr: bool,
  enforce_thumbnail: bool,
  quality: fc.nat(100),
  format_quality: fc.array(fc.tuple(format, fc.nat(100)), { minLength: 1 }).map((pairs) => pairs.flat()),
  max_bytes: count,
  format,
  skip_processing: fc.array(format, { minLength: 1 }),
  raw: bool,
  cachebuster: word,
  expires: fc.oneof(fc.integer({ min: 4_000_000_000, max: 5_000_000_000 }), fc.constant(0)),
  filename: text,
  return_attachment: bool,
  preset: fc.array(fc.constantFrom('small', 'chain'), { minLength: 1 }),
  max_src_resolution: fc.double({ min: 0, max: 1e6, noNaN: true }),
  max_src_file_size: integer,
  max_animation_frames: fc.integer({ min: 1 }),
  max_animation_frame_resolution: fc.double({ min: 0, max: 1e6, noNaN: true }),
  max_result_dimension: integer,
  resizing_algorithm: fc.constantFrom('nearest', 'linear', 'cubic', 'lanczos2', 'lanczos3'),
  objects_position: fc.oneof(extendGravity, fc.constant(['prop'])) as unknown as fc.Arbitrary<never>,
  crop_aspect_ratio: some(1, notNegative, bool),
  background_alpha: unit,
  adjust: some(0, fc.integer({ min: -255, max: 255 }), notNegative, notNegative),
  brightness: fc.integer({ min: -255, max: 255 }),
  contrast: notNegative,
  co: fc.tuple(notNegative, word),
  saturation: notNegative,
  monochrome: some(1, unit, color),
  duotone: some(1, unit, color, color),
  unsharp_masking: some(0, word, float, float),
  blur_areas: fc.tuple(notNegative, unit, unit, unit, unit),
  progressive_blur: some(1, notNegative, word, float, float),
  blur_detections: fc.tuple(notNegative, word, word),
  draw_detections: fc.tuple(bool, word),
  crop_objects: fc.tuple(notNegative, word),
  colorize: some(1, unit, color, bool),
  gradient: some(1, unit, color, word, float, float),
  watermark_url: text,
  watermark_text: text,
  watermark_size: some(0, count, count),
  watermark_rotate: float,
  watermark_shadow: notNegative,
  style: text,
  dpi: notNegative,
  color_profile: word,
  autoquality: some(0, word, float, count, count, float),
  jpeg_options: some(0, bool, bool, bool, bool, bool, fc.nat(8)),
  png_options: some(0, bool, bool, fc.integer({ min: 2, max: 256 })),
  webp_options: some(0, word, bool, word),
  avif_options: word,
  page: count,
  pages: count,
  disable_animation: bool,
  video_thumbnail_second: float,
  video_thumbnail_keyframes: bool,
  video_thumbnail_tile: some(1, float, count, count, ...frame),
  video_thumbnail_animation: some(1, float, count, count, ...frame),
  fallback_image_url: text,
  bypass_cache: bool,
  cache_tags: fc.array(word, { minLength: 1 }),
  hashsum: some(1, fc.constantFrom('none', 'md5', 'sha1', 'sha256', 'sha512'), word),
};

export const INFO_ARBITRARIES: Arbitraries<InfoOptions> = {
  size: bool,
  format: bool,
  dimensions: bool,
  exif: bool,
  iptc: bool,
  xmp: bool,
  video_meta: bool,
  colorspace: bool,
  bands: bool,
  sample_format: bool,
  pages_number: bool,
  alpha: some(1, bool, bool),
  detect_objects: bool,
  classify: fc.tuple(count, word),
  crop,
  palette: fc.nat(256),
  average: some(1, bool, bool),
  dominant_colors: some(1, bool, bool),
  blurhash: fc.tuple(fc.nat(9), fc.nat(9)),
  thumb_hash: bool,
  perceptual_hash: bool,
  calc_hashsums: fc.array(word, { minLength: 1 }),
  page: count,
  video_thumbnail_second: float,
  video_thumbnail_keyframes: bool,
  cachebuster: word,
  expires: PROCESSING_ARBITRARIES.expires,
  preset: fc.constant(['none']),
  hashsum: PROCESSING_ARBITRARIES.hashsum,
  bypass_cache: bool,
  cache_tags: PROCESSING_ARBITRARIES.cache_tags,
  max_src_resolution: PROCESSING_ARBITRARIES.max_src_resolution,
  max_src_file_size: integer,
};

/** Options with values, in any order. */
export function anyOptions<Options extends ProcessingOptions | InfoOptions>(
  arbitraries: Arbitraries<Options>,
): fc.Arbitrary<Options> {
  return fc
    .tuple(fc.record(arbitraries, { requiredKeys: [] }), fc.infiniteStream(fc.nat()))
    .map(([options, order]) => {
      const shuffled = Object.entries(options).map((entry) => [order.next().value, entry] as const);
      const sorted = shuffled.sort(([one], [other]) => Number(one) - Number(other));
      return Object.fromEntries(sorted.map(([, entry]) => entry)) as unknown as Options;
    });
}
