import { OBJECTS_POSITION } from './gravity-rules.js';
import { canonicalArgument, define, main, type OptionRule, writeAll } from './option-definition.js';
import { meta, optional, placed, placedThenList, required, single, VERBATIM } from './option-rules.js';
import {
  BASE64_TEXT,
  BOOLEAN,
  FLOAT,
  HEX_COLOR,
  integerIn,
  NON_NEGATIVE_FLOAT,
  NON_NEGATIVE_INTEGER,
  oneOf,
  TEXT,
  UNIT_FLOAT,
} from './option-value.js';

/**
 * `co` means `contrast` in some versions of imgproxy Pro and `crop_objects` in others. It is kept as what it is, with
 * the values of both that it may replace, since what comes later counts.
 */
const CO: OptionRule<readonly (string | number)[]> = {
  read: (name, args, options) => {
    const replaced = ['contrast', 'crop_objects.scale_factor', 'crop_objects.classes'];
    const before = replaced.map((option) => options.get(option) ?? '');
    options.set(name, canonicalArgument(name, TEXT, [...args, '', ...before].join('/').replace(/\/+$/, '')));
  },
  write: writeAll,
};

const CROPPED_FRAME = [
  optional('.width', NON_NEGATIVE_INTEGER),
  optional('.height', NON_NEGATIVE_INTEGER),
  optional('.extend', BOOLEAN),
  optional('.trim', BOOLEAN),
  optional('.fill', BOOLEAN),
  optional('.focus_x', UNIT_FLOAT),
  optional('.focus_y', UNIT_FLOAT),
] as const;

const GRADIENT = [optional('.direction', TEXT), optional('.start', FLOAT), optional('.stop', FLOAT)] as const;

/**
 * The options that imgproxy Pro has besides those of open-source imgproxy, as its documentation describes them. The first
 * pipeline gets those of which that is documented; any other is the pipeline's in which it stands.
 */
export const PRO_OPTIONS = {
  resizing_algorithm: define(['ra'], single(oneOf('nearest', 'linear', 'cubic', 'lanczos2', 'lanczos3'))),
  objects_position: define(['obj_pos', 'op'], OBJECTS_POSITION),
  crop_aspect_ratio: define(
    ['crop_ar', 'car'],
    placed([required('.aspect_ratio', NON_NEGATIVE_FLOAT), optional('.enlarge', BOOLEAN)]),
  ),
  background_alpha: define(['bga'], single(UNIT_FLOAT)),
  adjust: define(
    ['a'],
    meta<readonly [brightness?: number, contrast?: number, saturation?: number]>(
      ['brightness', 'contrast', 'saturation'],
      3,
      writeAll,
    ),
  ),
  brightness: define(['br'], single(integerIn(-255, 255))),
  contrast: define([], single(NON_NEGATIVE_FLOAT)),
  co: define([], CO),
  saturation: define(['sa'], single(NON_NEGATIVE_FLOAT)),
  monochrome: define(['mc'], placed([required('.intensity', UNIT_FLOAT), optional('.color', HEX_COLOR)])),
  duotone: define(
    ['dt'],
    placed([
      required('.intensity', UNIT_FLOAT),
      optional('.color1', HEX_COLOR),
      optional('.color2', HEX_COLOR),
    ]),
  ),
  unsharp_masking: define(
    ['ush'],
    placed([optional('.mode', TEXT), optional('.weight', FLOAT), optional('.divider', FLOAT)]),
  ),
  blur_areas: define(['ba'], placedThenList([required('.sigma', NON_NEGATIVE_FLOAT)], '.areas', FLOAT)),
  progressive_blur: define(['pbl'], placed([required('.sigma', NON_NEGATIVE_FLOAT), ...GRADIENT])),
  blur_detections: define(['bd'], placedThenList([required('.sigma', NON_NEGATIVE_FLOAT)], '.classes', TEXT)),
  draw_detections: define(['dd'], placedThenList([required('.enabled', BOOLEAN)], '.classes', TEXT)),
  crop_objects: define(
    ['c_obj'],
    placedThenList([optional('.scale_factor', NON_NEGATIVE_FLOAT)], '.classes', TEXT),
  ),
  colorize: define(
    ['col'],
    placed([
      required('.opacity', UNIT_FLOAT),
      optional('.color', HEX_COLOR),
      optional('.keep_alpha', BOOLEAN),
    ]),
  ),
  gradient: define(
    ['gr'],
    placed([required('.opacity', UNIT_FLOAT), optional('.color', HEX_COLOR), ...GRADIENT]),
  ),
  watermark_url: define(['wmu'], single(BASE64_TEXT)),
  watermark_text: define(['wmt'], single(BASE64_TEXT)),
  watermark_size: define(
    ['wms'],
    placed([optional('.width', NON_NEGATIVE_INTEGER), optional('.height', NON_NEGATIVE_INTEGER)]),
  ),
  watermark_rotate: define(['wm_rot', 'wmr'], single(FLOAT)),
  watermark_shadow: define(['wmsh'], single(NON_NEGATIVE_FLOAT)),
  style: define(['st'], single(BASE64_TEXT)),
  dpi: define([], single(NON_NEGATIVE_FLOAT)),
  color_profile: define(['cp', 'icc'], single(TEXT)),
  autoquality: main(
    ['aq'],
    placed([
      optional('.method', TEXT),
      optional('.target', FLOAT),
      optional('.min_quality', NON_NEGATIVE_INTEGER),
      optional('.max_quality', NON_NEGATIVE_INTEGER),
      optional('.allowed_error', FLOAT),
    ]),
  ),
  jpeg_options: main(
    ['jpgo'],
    placed([
      optional('.progressive', BOOLEAN),
      optional('.no_subsample', BOOLEAN),
      optional('.trellis_quant', BOOLEAN),
      optional('.overshoot_deringing', BOOLEAN),
      optional('.optimize_scans', BOOLEAN),
      optional('.quant_table', integerIn(0, 8)),
    ]),
  ),
  png_options: main(
    ['pngo'],
    placed([
      optional('.interlaced', BOOLEAN),
      optional('.quantize', BOOLEAN),
      optional('.quantization_colors', integerIn(2, 256)),
    ]),
  ),
  webp_options: main(
    ['webpo'],
    placed([
      optional('.compression', TEXT),
      optional('.smart_subsample', BOOLEAN),
      optional('.preset', TEXT),
    ]),
  ),
  avif_options: main(['avifo'], placed([optional('.subsample', TEXT)])),
  page: define(['pg'], single(NON_NEGATIVE_INTEGER)),
  pages: define(['pgs'], single(NON_NEGATIVE_INTEGER)),
  disable_animation: define(['da'], single(BOOLEAN)),
  video_thumbnail_second: define(['vts'], single(FLOAT)),
  video_thumbnail_keyframes: define(['vtk'], single(BOOLEAN)),
  video_thumbnail_tile: define(
    ['vtt'],
    placed([
      required('.step', FLOAT),
      optional('.columns', NON_NEGATIVE_INTEGER),
      optional('.rows', NON_NEGATIVE_INTEGER),
      ...CROPPED_FRAME,
    ]),
  ),
  video_thumbnail_animation: define(
    ['vta'],
    placed([
      required('.step', FLOAT),
      optional('.delay', NON_NEGATIVE_INTEGER),
      optional('.frames', NON_NEGATIVE_INTEGER),
      ...CROPPED_FRAME,
    ]),
  ),
  fallback_image_url: main(['fiu'], single(BASE64_TEXT)),
  bypass_cache: main(['bc'], single(BOOLEAN)),
  cache_tags: main(['ct'], VERBATIM),
  hashsum: main(
    ['hs'],
    placed([required('.type', oneOf('none', 'md5', 'sha1', 'sha256', 'sha512')), optional('.hashsum', TEXT)]),
  ),
};
