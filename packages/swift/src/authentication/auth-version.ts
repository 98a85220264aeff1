import { field, items, text } from '../json-document.js';

/** The versions of Swift's authentication. */
export type AuthVersion = 1 | 2 | 3;

/** A version, and where it is served. */
export interface VersionedUrl {
  readonly version: AuthVersion;
  readonly url: string;
}

const SEGMENT = /\/v([123])(?:\.\d+)?(?=\/|$)/;
const ID = /^v([23])(?:\.\d+)?$/;

/** The version that a URL names: in its path, else anywhere, where imgproxy looks for it. */
export function versionInUrl(url: string): AuthVersion | undefined {
  const [, digit] = SEGMENT.exec(new URL(url).pathname) ?? [];
  if (digit !== undefined) return Number(digit) as AuthVersion;
  return ([3, 2, 1] as const).find((version) => url.includes(`v${version}`));
}

/**
 * The newest version that a Keystone offers at its root.
 * @param document what it answers there; anything, if it is no Keystone
 */
export function versionOffered(document: unknown, root: string): VersionedUrl | undefined {
  const versions = field(document, 'versions');
  const ids = items(field(versions, 'values') ?? versions).map((each) => text(field(each, 'id')) ?? '');
  for (const version of [3, 2] as const) {
    if (!ids.some((id) => ID.exec(id)?.[1] === String(version))) continue;
    // The links of the answer are those of the inside, often enough.
    const path = version === 3 ? 'v3' : 'v2.0';
    return { version, url: `${root.replace(/\/+$/, '')}/${path}` };
  }
  return undefined;
}
