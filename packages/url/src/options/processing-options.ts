import { encodeBase64Url, toByteString, toReadableText } from '../byte-string.js';
import { parseGoBoolean } from '../go-values.js';
import { OptionError, UrlError } from '../url-error.js';
import {
  CROP_AREA,
  EXTENSION,
  type ExtendGravity,
  GRAVITY,
  PRO_WATERMARK_POSITION,
  WATERMARK_POSITION,
} from './gravity-rules.js';
import {
  assertAtMost,
  canonicalArgument,
  define,
  invalidArguments,
  main,
  type OptionRule,
  writeAll,
} from './option-definition.js';
import { clearing, deletable, meta, optional, placed, required, single } from './option-rules.js';
import {
  BASE64_TEXT,
  BOOLEAN,
  COLOR_CHANNEL,
  FLOAT,
  HEX_COLOR,
  IMAGE_FORMAT,
  type ImageFormat,
  INTEGER,
  integerIn,
  NON_NEGATIVE_INTEGER,
  oneOf,
  POSITIVE_FLOAT,
  POSITIVE_INTEGER,
  PRO_IMAGE_FORMAT,
  RESOLUTION,
  TEXT,
  UNIT_FLOAT,
  UNIX_TIMESTAMP,
} from './option-value.js';

type Size = readonly [
  width?: number | undefined,
  height?: number | undefined,
  enlarge?: boolean | undefined,
  extend?: boolean | undefined,
  ...gravity: ExtendGravity | [],
];
type ResizingType = 'fit' | 'fill' | 'fill-down' | 'force' | 'auto';

const QUALITY = integerIn(0, 100);

const PADDING: OptionRule<readonly [top?: number, right?: number, bottom?: number, left?: number]> = {
  read: (name, args, options) => {
    assertAtMost(4, name, args);
    // A side that is not given is as wide as its opposite, or the top; both may have been set before.
    const sides = [['top'], ['right', 'top'], ['bottom', 'top'], ['left', 'right']] as const;
    for (const [place, [side, model]] of sides.entries()) {
      const key = `${name}.${side}`;
      const argument = args[place] ?? '';
      if (argument !== '') options.set(key, canonicalArgument(key, NON_NEGATIVE_INTEGER, argument));
      else if (model !== undefined) {
        const width = options.get(`${name}.${model}`);
        if (width !== undefined) options.set(key, width);
      }
    }
  },
  write: writeAll,
};

const BACKGROUND: OptionRule<readonly [color: string] | readonly [red: number, green: number, blue: number]> =
  {
    read: (name, args, options) => {
      const [first = '', green = '', blue = ''] = args;
      if (args.length === 1) {
        if (first === '') options.delete(name);
        else options.set(name, canonicalArgument(name, HEX_COLOR, first));
        return;
      }
      if (args.length !== 3) throw invalidArguments(name, args);
      const channels = Object.entries({ R: first, G: green, B: blue });
      const digits = channels.map(([key, argument]) =>
        canonicalArgument(`${name}.${key}`, COLOR_CHANNEL, argument),
      );
      options.set(name, digits.join(''));
    },
    write: writeAll,
  };

const ZOOM: OptionRule<readonly [x: number, y?: number]> = {
  read: (name, args, options) => {
    assertAtMost(2, name, args);
    const [width = '', height = width] = args;
    options.set('zoom_width', canonicalArgument('zoom_width', POSITIVE_FLOAT, width));
    options.set('zoom_height', canonicalArgument('zoom_height', POSITIVE_FLOAT, height));
  },
  write: writeAll,
};

const ROTATE: OptionRule<readonly [degrees: number]> = {
  read: (name, args, options) => {
    assertAtMost(1, name, args);
    const angle = canonicalArgument(name, INTEGER, args[0] ?? '');
    if (BigInt(angle) % 90n !== 0n) throw OptionError.wrong('Rotation angle must be a multiple of 90');
    options.set(name, angle);
  },
  write: writeAll,
};

function watermark(position: typeof WATERMARK_POSITION | typeof PRO_WATERMARK_POSITION) {
  const places = [
    required('.opacity', UNIT_FLOAT),
    optional('.position', position),
    optional('.x_offset', FLOAT),
    optional('.y_offset', FLOAT),
    optional('.scale', POSITIVE_FLOAT),
  ] as const;
  // imgproxy takes two arguments more and does not look at them.
  return placed(places, 7);
}
const OPEN_SOURCE_WATERMARK = watermark(WATERMARK_POSITION);
const PRO_WATERMARK = watermark(PRO_WATERMARK_POSITION);
const WATERMARK: typeof PRO_WATERMARK = {
  read: (name, args, options, context) =>
    (context.isPro ? PRO_WATERMARK : OPEN_SOURCE_WATERMARK).read(name, args, options, context),
  write: PRO_WATERMARK.write,
};

const FORMAT: OptionRule<readonly [format: ImageFormat]> = {
  read: (name, args, options, { isPro }) => {
    assertAtMost(1, name, args);
    options.set(name, canonicalArgument(name, isPro ? PRO_IMAGE_FORMAT : IMAGE_FORMAT, args[0] ?? ''));
  },
  write: writeAll,
};

const FORMAT_QUALITY: OptionRule<readonly (ImageFormat | number)[]> = {
  read: (name, args, options, { isPro }) => {
    if (args.length % 2 !== 0)
      throw OptionError.wrong(`Missing ${name} for: ${toReadableText(args.at(-1) ?? '')}`);
    for (let place = 0; place < args.length; place += 2) {
      const argument = args[place] ?? '';
      const format = (isPro ? PRO_IMAGE_FORMAT : IMAGE_FORMAT).canonical(argument);
      if (format === undefined) throw OptionError.wrong(`Invalid image format: ${toReadableText(argument)}`);
      const key = `${name}.${format}`;
      options.set(key, canonicalArgument(key, QUALITY, args[place + 1] ?? ''));
    }
  },
  write: writeAll,
};

const SKIP_PROCESSING: OptionRule<readonly ImageFormat[]> = {
  read: (name, args, options, { isPro }) => {
    const formats = args.map((argument) => {
      const format = (isPro ? PRO_IMAGE_FORMAT : IMAGE_FORMAT).canonical(argument);
      if (format !== undefined) return format;
      throw OptionError.wrong(`Invalid image format in ${name}: ${toReadableText(argument)}`);
    });
    const before = options.get(name);
    options.set(name, before === undefined ? formats.join(',') : `${before},${formats.join(',')}`);
  },
  write: writeAll,
};

/** 0 and less mean never. */
const EXPIRES: OptionRule<readonly [unixSeconds: number]> = {
  read: (name, args, options, { now }) => {
    assertAtMost(1, name, args);
    const timestamp = canonicalArgument(name, UNIX_TIMESTAMP, args[0] ?? '');
    const seconds = Number(timestamp);
    // Not "<": where the clock gives no number, no URL must live for ever.
    if (seconds > 0 && !(seconds >= Math.floor(now() / 1000))) throw UrlError.invalid('Expired URL');
    options.set(name, timestamp);
  },
  write: writeAll,
};

/** With a true second argument the name is in base64. */
const FILENAME: OptionRule<readonly [name: string]> = {
  read: (name, args, options) => {
    assertAtMost(2, name, args);
    const [filename = '', isEncoded = ''] = args;
    options.set(name, canonicalArgument(name, parseGoBoolean(isEncoded) ? BASE64_TEXT : TEXT, filename));
  },
  write: ([filename]) => {
    const text = String(filename);
    return /^[A-Za-z0-9._-]*$/.test(text) ? [text] : [encodeBase64Url(toByteString(text)), '1'];
  },
};

const PRESET: OptionRule<readonly string[]> = {
  read: (_, args, __, context) => context.applyPresets(args),
  write: writeAll,
};

/** The options of open-source imgproxy by their names in the effective options. */
export const OPEN_SOURCE_OPTIONS = {
  resize: define(
    ['rs'],
    meta<readonly [type?: ResizingType | undefined, ...size: Size]>(
      ['resizing_type', 'width', 'height', 'enlarge', 'extend'],
      8,
      writeAll,
    ),
  ),
  size: define(['s'], meta<Size>(['width', 'height', 'enlarge', 'extend'], 7, writeAll)),
  resizing_type: define(['rt'], single(oneOf<ResizingType>('fit', 'fill', 'fill-down', 'force', 'auto'))),
  width: define(['w'], single(NON_NEGATIVE_INTEGER)),
  height: define(['h'], single(NON_NEGATIVE_INTEGER)),
  'min-width': define(['mw'], single(NON_NEGATIVE_INTEGER)),
  'min-height': define(['mh'], single(NON_NEGATIVE_INTEGER)),
  zoom: define(['z'], ZOOM),
  dpr: define([], single(POSITIVE_FLOAT)),
  enlarge: define(['el'], single(BOOLEAN)),
  extend: define(['ex'], EXTENSION),
  extend_aspect_ratio: define(['extend_ar', 'exar'], EXTENSION),
  gravity: define(['g'], GRAVITY),
  crop: define(['c'], CROP_AREA),
  trim: define(
    ['t'],
    placed([
      clearing('.threshold', FLOAT),
      clearing('.color', HEX_COLOR),
      optional('.equal_horizontal', BOOLEAN),
      optional('.equal_vertical', BOOLEAN),
    ]),
  ),
  padding: define(['pd'], PADDING),
  auto_rotate: define(['ar'], single(BOOLEAN)),
  rotate: define(['rot'], ROTATE),
  flip: define(['fl'], placed([optional('.horizontal', BOOLEAN), optional('.vertical', BOOLEAN)])),
  background: define(['bg'], BACKGROUND),
  blur: define(['bl'], single(POSITIVE_FLOAT)),
  sharpen: define(['sh'], single(POSITIVE_FLOAT)),
  pixelate: define(['pix'], single(NON_NEGATIVE_INTEGER)),
  watermark: define(['wm'], WATERMARK),
  strip_metadata: main(['sm'], single(BOOLEAN)),
  keep_copyright: main(['kcr'], single(BOOLEAN)),
  strip_color_profile: main(['scp'], single(BOOLEAN)),
  preserve_hdr: define(['ph'], single(BOOLEAN)),
  enforce_thumbnail: main(['eth'], single(BOOLEAN)),
  quality: main(['q'], single(QUALITY)),
  format_quality: main(['fq'], FORMAT_QUALITY),
  max_bytes: main(['mb'], single(NON_NEGATIVE_INTEGER)),
  format: main(['f', 'ext'], FORMAT),
  skip_processing: main(['skp'], SKIP_PROCESSING),
  raw: main([], single(BOOLEAN)),
  cachebuster: main(['cb'], deletable(TEXT)),
  expires: main(['exp'], EXPIRES),
  filename: main(['fn'], FILENAME),
  return_attachment: main(['att'], single(BOOLEAN)),
  preset: define(['pr'], PRESET),
  max_src_resolution: { ...define(['msr'], single(RESOLUTION)), isSecurity: true },
  max_src_file_size: { ...define(['msfs'], single(INTEGER)), isSecurity: true },
  max_animation_frames: { ...main(['maf'], single(POSITIVE_INTEGER)), isSecurity: true },
  max_animation_frame_resolution: { ...main(['mafr'], single(RESOLUTION)), isSecurity: true },
  max_result_dimension: { ...main(['mrd'], single(INTEGER)), isSecurity: true },
};
