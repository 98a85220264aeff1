import { CROP_AREA } from './gravity-rules.js';
import { define } from './option-definition.js';
import { optional, placed, placedThenList, required, single, VERBATIM } from './option-rules.js';
import { BOOLEAN, integerIn, NON_NEGATIVE_INTEGER, TEXT } from './option-value.js';
import { PRO_OPTIONS } from './pro-options.js';
import { OPEN_SOURCE_OPTIONS } from './processing-options.js';

const COMPONENTS = integerIn(0, 9);

/** The options of imgproxy Pro's URLs that ask for information about an image. */
export const INFO_OPTIONS = {
  size: define(['s'], single(BOOLEAN)),
  format: define(['f'], single(BOOLEAN)),
  dimensions: define(['d'], single(BOOLEAN)),
  exif: define([], single(BOOLEAN)),
  iptc: define([], single(BOOLEAN)),
  xmp: define([], single(BOOLEAN)),
  video_meta: define(['vm'], single(BOOLEAN)),
  colorspace: define(['cs'], single(BOOLEAN)),
  bands: define(['b'], single(BOOLEAN)),
  sample_format: define(['sf'], single(BOOLEAN)),
  pages_number: define(['pn'], single(BOOLEAN)),
  alpha: define(['a'], placed([required('.enabled', BOOLEAN), optional('.check_transparency', BOOLEAN)])),
  detect_objects: define(['do'], single(BOOLEAN)),
  classify: define(['cl'], placedThenList([required('.top_k', NON_NEGATIVE_INTEGER)], '.classes', TEXT)),
  crop: define(['c'], CROP_AREA),
  palette: define(['p'], single(integerIn(0, 256))),
  average: define(['avg'], placed([required('.enabled', BOOLEAN), optional('.ignore_transparent', BOOLEAN)])),
  dominant_colors: define(
    ['dc'],
    placed([required('.enabled', BOOLEAN), optional('.build_missed', BOOLEAN)]),
  ),
  blurhash: define(
    ['bh'],
    placed([required('.x_components', COMPONENTS), required('.y_components', COMPONENTS)]),
  ),
  thumb_hash: define(['th'], single(BOOLEAN)),
  perceptual_hash: define(['phash', 'ph'], single(BOOLEAN)),
  // The documentation has both names.
  calc_hashsums: define(['calc_hashsum', 'chs'], VERBATIM),
  page: PRO_OPTIONS.page,
  video_thumbnail_second: PRO_OPTIONS.video_thumbnail_second,
  video_thumbnail_keyframes: PRO_OPTIONS.video_thumbnail_keyframes,
  cachebuster: OPEN_SOURCE_OPTIONS.cachebuster,
  expires: OPEN_SOURCE_OPTIONS.expires,
  preset: OPEN_SOURCE_OPTIONS.preset,
  hashsum: PRO_OPTIONS.hashsum,
  bypass_cache: PRO_OPTIONS.bypass_cache,
  cache_tags: PRO_OPTIONS.cache_tags,
  max_src_resolution: OPEN_SOURCE_OPTIONS.max_src_resolution,
  max_src_file_size: OPEN_SOURCE_OPTIONS.max_src_file_size,
};
