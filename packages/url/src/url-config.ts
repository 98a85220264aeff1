/** One rule of `IMGPROXY_URL_REPLACEMENTS`. */
export interface UrlReplacement {
  /** Beginning of a source URL; `*` stands for any text without a slash. */
  readonly pattern: string;
  /** What replaces it; `${1}` is what the first `*` stood for. */
  readonly replacement: string;
}

/** How URLs are checked and read. Names and defaults are imgproxy's. */
export interface UrlConfig {
  /** HMAC keys; the key at an index belongs to the salt at the same index. Empty: signatures are not checked. */
  readonly keys: readonly Uint8Array[];
  readonly salts: readonly Uint8Array[];
  /** Bytes of the signature that a URL carries, 1 to 32. Default: 32. */
  readonly signatureSize: number;
  /** Signatures that are taken for any path. They count only when there are keys. */
  readonly trustedSignatures: readonly string[];
  /** What stands between an option's name and its arguments. Default: a colon. */
  readonly argumentsSeparator: string;
  /** Whether the last part of a base64 source is a file name that is ignored. Default: false. */
  readonly base64UrlIncludesFilename: boolean;
  /** Put before every source URL that does not begin with it. Default: empty. */
  readonly baseUrl: string;
  /** Applied to a source URL one after another, before the base URL. */
  readonly urlReplacements: readonly UrlReplacement[];
  /** Beginnings of the source URLs that may be asked for, with `*` as in replacements. Empty: any. */
  readonly allowedSources: readonly string[];
  /** Options that a URL may use, each under exactly these names. Empty: all. Presets may use any. */
  readonly allowedProcessingOptions: readonly string[];
  /** Whether URLs and presets may use the options that lift limits, such as `max_src_resolution`. Default: false. */
  readonly allowSecurityOptions: boolean;
  /** Options by the name of the preset, such as `{ sharp: 'sharpen:0.7/quality:90' }`. `default` is applied to all URLs. */
  readonly presets: Readonly<Record<string, string>>;
  /** Whether a URL has names of presets in place of options. Default: false. */
  readonly onlyPresets: boolean;
  /** Presets of info URLs. */
  readonly infoPresets: Readonly<Record<string, string>>;
  /** Whether an info URL has names of presets in place of options. Default: as `onlyPresets`. */
  readonly infoOnlyPresets: boolean | undefined;
  /** Options that an info URL may use, each under exactly these names. Empty: all. */
  readonly allowedInfoOptions: readonly string[];
  /** Whether URLs are read as imgproxy Pro does: its options, pipelines, info URLs, encrypted sources. Default: false. */
  readonly pro: boolean;
  /**
   * What becomes of options, arguments, presets and formats that are not understood. `refuse`, the default: the URL is
   * refused, as a renderer must. `carry`: they are kept as they are, and all options in their order, as a cache before
   * another's renderer needs it.
   */
  readonly unknownOptions: 'refuse' | 'carry';
  /** How many pipelines a URL may have, the first one included. Default: 0, any number. */
  readonly maxChainedPipelines: number;
  /** AES key of encrypted sources: 16, 24 or 32 bytes. Without one, an encrypted source is known by its encrypted text. */
  readonly sourceUrlEncryptionKey: Uint8Array | undefined;
  /** What a client must send as `Authorization: Bearer`. Default: empty, and clients need send nothing. */
  readonly secret: string;
  /** Whether width and pixel ratio may come from the client's hints. Default: false. */
  readonly clientHints: boolean;
  /** Beginning of every path, such as `/img`, without a slash at its end. Default: empty. */
  readonly pathPrefix: string;
  /** The present time in milliseconds since 1970, for `expires`. Default: the system's clock. */
  readonly now: () => number;
}

/** Some of the settings. One that is absent or undefined has its default. */
export type UrlSettings = {
  readonly [Setting in keyof UrlConfig]?: UrlConfig[Setting] | undefined;
};

/** A part of the configuration that is wrong. */
export interface UrlConfigFault {
  /** The setting, or the environment variable when it came from there. */
  readonly name: string;
  /** What is wrong and what is allowed; never a key or a salt. */
  readonly message: string;
}

/** The configuration is wrong; every fault is listed at once. */
export class UrlConfigError extends Error {
  override readonly name = 'UrlConfigError';
  readonly code = 'ERR_URL_CONFIG';
  readonly faults: readonly UrlConfigFault[];

  constructor(faults: readonly UrlConfigFault[]) {
    super(faults.map(({ name, message }) => `${name} ${message}`).join('; '));
    this.faults = faults;
  }
}
