import { readFileSync } from 'node:fs';

type EffectiveValue = number | boolean | string | readonly string[] | Record<'R' | 'G' | 'B', number>;

export interface Accepted {
  readonly ok: true;
  readonly signature: string;
  readonly signedPath: string;
  readonly sourceUrl?: string;
  readonly effectiveOptions: Readonly<Record<string, EffectiveValue>>;
  readonly vary?: string;
}

export interface Refused {
  readonly ok: false;
  readonly stage: string;
  readonly status: number;
  readonly publicMessage: string | null;
  readonly logMessage: string;
}

export interface UrlVector {
  readonly name: string;
  readonly requestUri: string;
  readonly pathPrefix?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly requestHeaders?: Readonly<Record<string, string>>;
  readonly keysHex?: readonly string[];
  readonly saltsHex?: readonly string[];
  readonly signatureSize?: number;
  readonly trustedSignatures?: readonly string[];
  readonly expect: Accepted | Refused;
}

interface KeySet {
  readonly name: string;
  readonly env?: Readonly<Record<string, string>>;
}

interface Vectors {
  readonly source: string;
  readonly urlGrammar: readonly UrlVector[];
  readonly signature: readonly UrlVector[];
  readonly keyEquivalence: {
    readonly same: readonly (KeySet & { readonly same: readonly string[] })[];
    readonly distinct: readonly (KeySet & { readonly pair: readonly [string, string] })[];
  };
  readonly envRules: {
    readonly bool: Record<'true' | 'false' | 'default' | 'startupError', readonly string[]>;
    readonly list: readonly (readonly [string, readonly string[] | 'default'])[];
    readonly hexList: readonly (readonly [string, readonly string[] | 'error'])[];
    readonly int: readonly (readonly [string, number | 'error'])[];
    readonly stringMap: readonly (readonly [string, Readonly<Record<string, string>> | 'error'])[];
    readonly enum: readonly (readonly [string, string])[];
  };
  readonly encryption: Record<'keyHex' | 'ivHex' | 'sourceUrl' | 'encoded', string>;
  readonly options: {
    readonly openSource: readonly (readonly string[])[];
    readonly documented: readonly (readonly string[])[];
  };
}

export const VECTORS: Vectors = JSON.parse(
  readFileSync(new URL('./imgproxy-4.0.12.json', import.meta.url), 'utf8'),
);

/** The vectors' options as this package's pairs: colours as hex digits, times as seconds. */
export function pairsOf(effectiveOptions: Accepted['effectiveOptions']): [string, string][] {
  return Object.entries(effectiveOptions)
    .map(([name, value]): [string, string] => [name, canonicalText(name, value)])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

function canonicalText(name: string, value: EffectiveValue): string {
  if (name === 'expires' && typeof value === 'string') return String(Date.parse(value) / 1000);
  if (typeof value !== 'object') return String(value);
  if (!('R' in value)) return value.join(',');
  return [value.R, value.G, value.B].map((channel) => channel.toString(16).padStart(2, '0')).join('');
}
