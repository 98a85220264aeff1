import type * as NodeCrypto from 'node:crypto';

/** What is used of Node's cryptography; the Web's own cannot answer at once. */
export type RuntimeCrypto = Pick<
  typeof NodeCrypto,
  'createHmac' | 'createCipheriv' | 'createDecipheriv' | 'timingSafeEqual'
>;

interface Runtime {
  readonly process?: { getBuiltinModule?: (name: string) => RuntimeCrypto | undefined };
}

/**
 * The runtime's synchronous cryptography, where it has one, as Node.js, Deno and Bun do; undefined in a browser. It is not
 * imported, so that the package works without it.
 */
export function runtimeCrypto(): RuntimeCrypto | undefined {
  return (globalThis as Runtime).process?.getBuiltinModule?.('crypto');
}
