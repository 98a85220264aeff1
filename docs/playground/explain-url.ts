import { UrlConfigError, UrlError, UrlParser, type UrlSettings } from '@imgproxy-cache/url';

/** A part of a URL, between two slashes; the source is one part. */
export interface UrlPart {
  readonly kind: 'prefix' | 'signature' | 'option' | 'source';
  readonly text: string;
  /** Effective options that this part has set or changed. */
  readonly sets: readonly SetOption[];
  /** Why the URL is refused, if this is the part that is wrong. */
  readonly error?: string;
}

export interface SetOption {
  readonly name: string;
  readonly value: string;
  /** The preset that it comes from; absent if the URL itself sets it. */
  readonly preset?: string;
}

export interface ExplainedUrl {
  /** In the order of the URL. Options of the preset `default` are set by the signature's part, before all others. */
  readonly parts: readonly UrlPart[];
  /** Absent if the URL is refused. */
  readonly source?: string;
  /** The effective options of each pipeline. */
  readonly pipelines: readonly (readonly SetOption[])[];
  /** Why the URL is refused, without a part that is to blame. */
  readonly error?: string;
}

type Pipelines = readonly (readonly (readonly [string, string])[])[];

// Any source will do to read the options before it.
const SOME_SOURCE = 'plain/x';

/**
 * Explains a URL part by part: it is read again and again, each time with one more of its parts, so that each reading shows
 * what the last part has changed, or that it is wrong.
 *
 * @param url a path, or an address with scheme and host
 * @param settings without keys: signatures are not checked
 */
export function explainUrl(url: string, settings: UrlSettings): ExplainedUrl {
  const target = url.trim().replace(/^https?:\/\/[^/]*/i, '');
  try {
    const parser = new UrlParser(settings);
    const { signature, signedPath } = parser.verify(target);
    return new Explanation(parser, settings, signature, signedPath).explain(target);
  } catch (error) {
    return { parts: [], pipelines: [], error: messageOf(error) };
  }
}

class Explanation {
  readonly #parser: UrlParser;
  readonly #settings: UrlSettings;
  readonly #signature: string;
  readonly #options: readonly string[];
  readonly #source: string;
  readonly #origins = new Map<string, string | undefined>();

  constructor(parser: UrlParser, settings: UrlSettings, signature: string, signedPath: string) {
    this.#parser = parser;
    this.#settings = settings;
    this.#signature = signature;
    const parts = signedPath.replace(/^\//, '').split('/');
    const { onlyPresets, pro } = settings;
    const separator = settings.argumentsSeparator ?? ':';
    const isOption = (part: string) => part.includes(separator) || (pro === true && part === '-');
    const firstOther = onlyPresets === true ? 1 : parts.findIndex((part) => !isOption(part));
    const count = firstOther < 0 ? parts.length : firstOther;
    this.#options = parts.slice(0, count);
    this.#source = parts.slice(count).join('/');
  }

  explain(target: string): ExplainedUrl {
    const parts: UrlPart[] = [];
    if (this.#settings.pathPrefix) parts.push({ kind: 'prefix', text: this.#settings.pathPrefix, sets: [] });
    let before: Pipelines = [];
    const isRead = (kind: UrlPart['kind'], text: string, read: () => Pipelines, preset?: string): boolean => {
      try {
        const after = read();
        const sets = this.#changes(before, after, preset);
        parts.push({ kind, text, sets });
        before = after;
        return true;
      } catch (error) {
        parts.push({ kind, text, sets: [], error: messageOf(error) });
        return false;
      }
    };
    const refused: ExplainedUrl = { parts, pipelines: [] };

    if (!isRead('signature', this.#signature, () => this.#readDefault(), 'default')) return refused;
    const read: string[] = [];
    for (const part of this.#options) {
      for (const { text, preset } of this.#steps(part)) {
        const options = [...read, text];
        if (!isRead('option', text, () => this.#readOptions(options), preset)) return refused;
      }
      read.push(part);
    }
    let source = '';
    const readWhole = (): Pipelines => {
      const whole = this.#parser.parse(target);
      source =
        whole.source.text ?? Array.from(whole.source.bytes, (byte) => `%${byte.toString(16)}`).join('');
      return whole.pipelines;
    };
    if (!isRead('source', this.#source, readWhole)) return refused;
    const pipelines = before.map((options, index) =>
      options.map(([name, value]) => {
        const preset = this.#origins.get(keyOf(index, name));
        return { name, value, ...(preset !== undefined && { preset }) };
      }),
    );
    return { parts, source, pipelines };
  }

  /** A part that uses several presets is read preset by preset. */
  #steps(part: string): readonly { readonly text: string; readonly preset?: string }[] {
    const separator = this.#settings.argumentsSeparator ?? ':';
    const names = part.split(separator);
    if (this.#settings.onlyPresets === true)
      return names.map((preset, index) => ({ text: names.slice(0, index + 1).join(separator), preset }));
    const [option = '', ...presets] = names;
    if (option !== 'preset' && option !== 'pr') return [{ text: part }];
    return presets.map((preset, index) => ({
      text: [option, ...presets.slice(0, index + 1)].join(separator),
      preset,
    }));
  }

  /** Without `onlyPresets`, a URL may have no option at all. */
  #readDefault(): Pipelines {
    const { pathPrefix = '' } = this.#settings;
    const parser = new UrlParser({ ...this.#settings, onlyPresets: false });
    return parser.parse(`${pathPrefix}/${this.#signature}/${SOME_SOURCE}`).pipelines;
  }

  #readOptions(options: readonly string[]): Pipelines {
    const path = [this.#signature, ...options, SOME_SOURCE].join('/');
    return this.#parser.parse(`${this.#settings.pathPrefix ?? ''}/${path}`).pipelines;
  }

  #changes(before: Pipelines, after: Pipelines, preset: string | undefined): SetOption[] {
    return after.flatMap((options, index) => {
      const earlier = new Map(before[index]);
      const changed = options.filter(([name, value]) => earlier.get(name) !== value);
      for (const [name] of changed) this.#origins.set(keyOf(index, name), preset);
      return changed.map(([name, value]) => ({ name, value, ...(preset !== undefined && { preset }) }));
    });
  }
}

function keyOf(pipeline: number, name: string): string {
  return `${pipeline}/${name}`;
}

function messageOf(error: unknown): string {
  if (error instanceof UrlConfigError)
    return error.faults.map(({ name, message }) => `${name}: ${message}`).join('\n');
  if (error instanceof UrlError) return error.message;
  throw error;
}
