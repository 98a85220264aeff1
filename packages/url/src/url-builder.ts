import { type ByteString, toByteString, toReadableText } from './byte-string.js';
import { checkedConfig } from './checked-config.js';
import { infoGrammar, type OptionGrammar, processingGrammar } from './options/option-grammar.js';
import type { OptionReading, UrlOption } from './options/option-reading.js';
import type { InfoOptions, ProcessingOptions } from './options/option-tables.js';
import type { ImageFormat } from './options/option-value.js';
import { signatureOf } from './signature.js';
import { encryptSource } from './source/encrypted-source.js';
import { SourceUrlDecoder } from './source/source-url.js';
import { base64Source, plainSource, type SourceEncoding } from './source/written-source.js';
import type { UrlConfig, UrlSettings } from './url-config.js';
import { UrlError } from './url-error.js';
import { UrlParser } from './url-parser.js';
import { isBytes, valueType } from './value-type.js';

/** A URL that cannot be built, since imgproxy would refuse it or read something else. The cause says why it would. */
export class UrlBuildError extends Error {
  override readonly name = 'UrlBuildError';
  readonly code = 'ERR_URL_BUILD';
}

interface SourceInUrl {
  /** The source's URL, as text or as bytes. */
  readonly source: string | Uint8Array;
  /** Default: base64. `encrypted` needs the setting `sourceUrlEncryptionKey`. */
  readonly encoding?: SourceEncoding | undefined;
  /** The initialization vector, 16 bytes. Default: derived from key and source, so that a source has one URL. */
  readonly iv?: Uint8Array | undefined;
}

/** A picture to ask for. */
export interface ImageUrl extends SourceInUrl {
  /** Options by their full names, in the order in which they shall apply; several groups are imgproxy Pro's pipelines. */
  readonly options?: ProcessingOptions | readonly ProcessingOptions[] | undefined;
  /** The format, as the source's extension. */
  readonly extension?: ImageFormat | undefined;
}

/** Information about an image to ask imgproxy Pro for. */
export interface InfoUrl extends SourceInUrl {
  readonly options?: InfoOptions | undefined;
}

/** Signature of a URL where there are no keys. */
const UNSIGNED = 'unsafe';

/** What clients leave as it is in a path. */
const PATH = /^[A-Za-z0-9\-._~!$&'()*+,;=:@%|/[\]]*$/;

/** What they take out of it. */
const DOTS = /\/(?:\.|%2e){1,2}(?:\/|$)/i;

/** Builds imgproxy's URLs: what it builds, a {@link UrlParser} of the same settings reads as it was given. */
export class UrlBuilder {
  readonly #config: UrlConfig;
  readonly #parser: UrlParser;
  readonly #sources: SourceUrlDecoder;
  readonly #processing: OptionGrammar;
  readonly #info: OptionGrammar;

  /** @throws UrlConfigError with every fault at once. */
  constructor(config: UrlSettings = {}) {
    this.#config = checkedConfig(config);
    // Who may ask is no part of a URL.
    this.#parser = new UrlParser({ ...this.#config, secret: '' });
    this.#sources = new SourceUrlDecoder(this.#config);
    this.#processing = processingGrammar(this.#config);
    this.#info = infoGrammar(this.#config);
  }

  /**
   * The path of a picture with prefix and signature. Without keys the signature is `unsafe`.
   *
   * @throws UrlBuildError
   */
  build(image: ImageUrl): string {
    return building(() => {
      const { options = {}, extension, ...source } = checkedObject(image);
      const groups = (Array.isArray(options) ? options : [options]) as readonly ProcessingOptions[];
      const written = groups.flatMap((group, place) => [
        ...(place > 0 ? [{ name: '-', args: [] }] : []),
        ...this.#written(group, this.#processing),
      ]);
      const path = this.#path(written, this.#processing, source, extension);
      const expected = this.#processing.apply(written);
      if (extension !== undefined && expected.main.get('raw') !== 'true')
        expected.applyAll([{ name: 'format', args: [extension] }]);
      const uri = this.#signed(path, '');
      const { pipelines, source: read } = this.#parser.parse(uri);
      this.#compare(pipelines, expected, read.bytes, source);
      return uri;
    });
  }

  /**
   * The path that asks for information about an image. The settings must have `pro`.
   *
   * @throws UrlBuildError
   */
  buildInfo(info: InfoUrl): string {
    return building(() => {
      const { options = {}, ...source } = checkedObject(info);
      const written = this.#written(options, this.#info);
      const uri = this.#signed(this.#path(written, this.#info, source), '/info');
      const { options: read, source: readSource } = this.#parser.parseInfo(uri);
      this.#compare([read], this.#info.apply(written), readSource.bytes, source);
      return uri;
    });
  }

  #written(options: ProcessingOptions | InfoOptions, { table, kind }: OptionGrammar): readonly UrlOption[] {
    return Object.entries(checkedObject(options)).flatMap(([name, value]: [string, unknown]) => {
      if (value === undefined) return [];
      const option = table.get(name);
      if (option === undefined) throw new UrlBuildError(`there is no ${kind} option ${name}`);
      const values: readonly unknown[] = Array.isArray(value) ? value : [value];
      const wrong = values.find(
        (item) => !['undefined', 'string', 'number', 'boolean'].includes(typeof item),
      );
      if (wrong !== undefined) throw new UrlBuildError(`the option ${name} takes no ${valueType(wrong)}`);
      const args = option.rule.write(values as never).map(toByteString);
      while (args.length > 1 && args.at(-1) === '') args.pop();
      return { name, args: args.length === 0 ? [''] : args };
    });
  }

  #path(
    options: readonly UrlOption[],
    { onlyPresets, separator }: OptionGrammar,
    { source, encoding = 'base64', iv }: SourceInUrl,
    extension?: string,
  ): ByteString {
    const others = options.find(({ name }) => name !== 'preset');
    if (onlyPresets && others !== undefined)
      throw new UrlBuildError(`only presets are allowed, and not the option ${others.name}`);
    const parts = onlyPresets
      ? [options.flatMap(({ args }) => args).join(separator)]
      : options.map(({ name, args }) => [name, ...args].join(separator));
    const bytes = sourceBytes(source);
    if (encoding === 'encrypted') {
      const key = this.#config.sourceUrlEncryptionKey;
      if (key === undefined) throw new UrlBuildError('sourceUrlEncryptionKey is needed to encrypt a source');
      const encrypted = encryptSource(
        typeof source === 'string' ? new TextEncoder().encode(source) : source,
        key,
        iv,
      );
      parts.push(`enc/${encrypted}${extension === undefined ? '' : `.${extension}`}`);
    } else parts.push((encoding === 'plain' ? plainSource : base64Source)(bytes, extension));
    const path = `/${parts.join('/')}`;
    if (DOTS.test(path)) throw new UrlBuildError('clients resolve "." and ".." between slashes');
    if (PATH.test(path)) return path;
    const character = toReadableText(path.replace(/[A-Za-z0-9\-._~!$&'()*+,;=:@%|/[\]]/g, '')).at(0) ?? '';
    throw new UrlBuildError(`clients change the character ${JSON.stringify(character)}, which an option has`);
  }

  #signed(path: string, route: string): string {
    const { keys, pathPrefix } = this.#config;
    const signature = keys.length === 0 ? UNSIGNED : signatureOf(path, this.#config);
    return `${pathPrefix}${route}/${signature}${path}`;
  }

  /** What imgproxy would read must be what was meant: an argument may hold what separates arguments. */
  #compare(
    read: readonly unknown[],
    expected: OptionReading,
    readSource: Uint8Array,
    { source }: SourceInUrl,
  ): void {
    if (JSON.stringify(read) !== JSON.stringify(expected.pipelines()))
      throw new UrlBuildError('an option has a character that separates options or arguments');
    if (toByteString(readSource) !== this.#sources.resolve(sourceBytes(source)))
      throw new UrlBuildError('the source would be read as another one');
  }
}

function checkedObject<Given extends object>(given: Given): Given {
  if (valueType(given) === 'object') return given;
  throw new UrlBuildError(`an object is needed, it is ${valueType(given)}`);
}

function sourceBytes(source: unknown): ByteString {
  if (typeof source === 'string' || isBytes(source)) return toByteString(source);
  throw new UrlBuildError(`the source must be a string or a Uint8Array, it is ${valueType(source)}`);
}

/** Gives every failure the error of this file. */
function building(build: () => string): string {
  try {
    return build();
  } catch (error) {
    if (!(error instanceof UrlError || error instanceof TypeError || error instanceof UrlBuildError))
      throw error;
    throw new UrlBuildError(`The URL cannot be built: ${error.message}`, { cause: error });
  }
}
