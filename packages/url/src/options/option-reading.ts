import { type ByteString, toReadableText } from '../byte-string.js';
import { OptionError, UrlError } from '../url-error.js';
import { canonicalArgument, type EffectiveOptions, type OptionContext } from './option-definition.js';
import { type OptionTable, PRO_TABLE } from './option-tables.js';
import { TEXT } from './option-value.js';

/** An option's canonical name and its effective value, such as `['width', '300']`. */
export type OptionPair = readonly [name: string, value: string];

/** One part of a path: an option with its arguments, or `-` without any, which starts a pipeline. */
export interface UrlOption {
  readonly name: ByteString;
  readonly args: readonly ByteString[];
}

/** By what the options of one kind of URL are read. */
export interface OptionRules {
  readonly kind: 'processing' | 'info';
  readonly table: OptionTable;
  readonly isPro: boolean;
  readonly allowSecurityOptions: boolean;
  /** How many pipelines there may be; 0: any number. */
  readonly maxChainedPipelines: number;
  /** Whether what is not understood is carried in its order, and not refused. */
  readonly carriesUnknown: boolean;
  readonly presets: ReadonlyMap<ByteString, readonly UrlOption[]>;
}

/** More presets within presets are refused: definitions that double one another would never end. */
const MOST_PRESETS = 10_000;

/** More that is not understood is no URL that anybody means. */
const MOST_OPAQUE = 1000;

/** Names of what stands between options; no option has a slash in its name. */
const PIPELINE_START = '/';
const PRESET_START = '/preset';
const PRESET_END = '/preset-end';

const NO_OPTIONS: readonly OptionPair[] = [];

/** Reads the options of one URL. */
export class OptionReading implements OptionContext {
  readonly isPro: boolean;
  readonly now: () => number;
  readonly usedPresets: string[] = [];
  /** What was carried without being understood: names of options, and presets as `preset:name`. */
  readonly opaque: string[] = [];
  readonly #rules: OptionRules;
  readonly #pipelines: EffectiveOptions[] = [new Map()];
  readonly #isOpaque = new Set<string>();
  /** The options in their order, as they are written, where some may not be understood. */
  readonly #inOrder: OptionPair[] | undefined;
  /** The pipeline in which the next option stands. */
  #at = 0;
  #presetCount = 0;
  #opaqueCount = 0;
  /** Presets within which the next option stands. */
  #nesting: readonly ByteString[] = [];

  constructor(rules: OptionRules, now: () => number) {
    this.#rules = rules;
    this.isPro = rules.isPro;
    this.now = now;
    if (rules.carriesUnknown) this.#inOrder = [];
  }

  get main(): EffectiveOptions {
    return this.#pipelines[0] as EffectiveOptions;
  }

  /** Sorted by name; where something was carried, all in the order of the URL instead, since any may change any. */
  pipelines(): readonly (readonly OptionPair[])[] {
    if (this.opaque.length > 0 && this.#inOrder !== undefined) return [this.#inOrder];
    return this.#pipelines.map((options) => (options.size === 0 ? NO_OPTIONS : sortedPairs(options)));
  }

  /**
   * @param isAllowed whether a URL may have an option; what presets have is the operator's own
   * @throws UrlError
   */
  applyAll(options: readonly UrlOption[], isAllowed?: (name: ByteString) => boolean): void {
    for (const { name, args } of options) {
      if (args.length === 0) {
        this.#startPipeline();
        continue;
      }
      if (isAllowed !== undefined && !isAllowed(name))
        throw UrlError.invalid(`Forbidden ${this.#rules.kind} option ${toReadableText(name)}`);
      if (this.#inOrder === undefined) this.apply(name, args);
      else this.#applyInOrder(name, args, this.#inOrder);
    }
  }

  /** @throws UrlError */
  apply(name: ByteString, args: readonly ByteString[]): void {
    const option = this.#rules.table.get(name);
    if (option === undefined) throw this.#unknown(name);
    if (option.isSecurity === true && !this.#rules.allowSecurityOptions)
      throw UrlError.forbiddenOption('Security processing options are not allowed');
    const pipeline = option.isMain === true ? this.main : (this.#pipelines[this.#at] as EffectiveOptions);
    option.rule.read(option.name, args, pipeline, this);
  }

  /** Applies presets; one that is being applied already is skipped. */
  applyPresets(names: readonly ByteString[]): void {
    for (const name of names) {
      const options = this.#rules.presets.get(name);
      if (options === undefined) {
        if (this.#inOrder === undefined) throw OptionError.wrong(`Unknown preset: ${toReadableText(name)}`);
        this.#inOrder.push(['preset', canonicalArgument('preset', TEXT, name)]);
        this.#addOpaque(`preset:${toReadableText(name)}`);
        continue;
      }
      if (this.#nesting.includes(name)) continue;
      this.#presetCount += 1;
      if (this.#presetCount > MOST_PRESETS)
        throw UrlError.invalid(`More than ${MOST_PRESETS} presets are used`);
      this.usedPresets.push(toReadableText(name));
      this.#applyPreset(name, options);
    }
  }

  #addOpaque(name: string): void {
    this.#opaqueCount += 1;
    if (this.#opaqueCount > MOST_OPAQUE)
      throw UrlError.invalid(`More than ${MOST_OPAQUE} options are not understood`);
    if (!this.#isOpaque.has(name)) this.opaque.push(name);
    this.#isOpaque.add(name);
  }

  #unknown(name: ByteString): OptionError {
    const message = `Unknown ${this.#rules.kind} option ${toReadableText(name)}`;
    const isKnownToPro = this.#rules.kind === 'processing' && PRO_TABLE.has(name);
    return isKnownToPro ? OptionError.ofPro(message) : OptionError.wrong(message);
  }

  /** A preset's pipelines are chained to the one where it is used, and joined with those of the URL. */
  #applyPreset(name: ByteString, options: readonly UrlOption[]): void {
    const { at, nesting } = { at: this.#at, nesting: this.#nesting };
    this.#nesting = [...nesting, name];
    this.#inOrder?.push([PRESET_START, toReadableText(name)]);
    this.applyAll(options);
    this.#inOrder?.push([PRESET_END, '']);
    this.#nesting = nesting;
    this.#at = at;
  }

  #startPipeline(): void {
    this.#at += 1;
    this.#inOrder?.push([PIPELINE_START, '']);
    if (this.#pipelines[this.#at] === undefined) this.#pipelines.push(new Map());
    const most = this.#rules.maxChainedPipelines;
    if (most > 0 && this.#pipelines.length > most)
      throw UrlError.invalid(`More than ${most} chained pipelines are used`);
  }

  #applyInOrder(name: ByteString, args: readonly ByteString[], inOrder: OptionPair[]): void {
    const canonicalName = this.#rules.table.get(name)?.name ?? canonicalArgument('option', TEXT, name);
    try {
      if (this.#rules.table.has(name)) this.apply(name, args);
      // No error is made where none is thrown.
      else this.#addOpaque(canonicalName);
    } catch (error) {
      if (!(error instanceof OptionError)) throw error;
      this.#addOpaque(canonicalName);
      // What the format is called is known, though not what it is.
      if (canonicalName === 'format' && args.length === 1)
        this.main.set('format', canonicalArgument('format', TEXT, args[0] ?? ''));
    }
    // Presets have put what they consist of.
    if (canonicalName !== 'preset')
      inOrder.push([canonicalName, canonicalArgument(canonicalName, TEXT, args.join('/'))]);
  }
}

function sortedPairs(options: EffectiveOptions): readonly OptionPair[] {
  return [...options].sort((one, other) => (one[0] < other[0] ? -1 : 1));
}
