import { expect } from 'vitest';
import { documentation, requestDeadline, type Variables } from './files.js';

const MIB = 2 ** 20;
/** Node.js with its code and heap. */
const PROCESS = 256 * MIB;
/** 50 million pixels of four bytes, the image server's limit, and the encoded source and result. */
const RENDERING = 256 * MIB;

/** Everything that is checked of an environment, wherever it is written. */
export function expectConsistent(
  variables: Variables,
  limits: { readonly memory: number; readonly cpus: number; readonly stopSeconds: number },
): void {
  const undocumented = Object.keys(variables)
    .filter((name) => name.startsWith('IMGPROXY_'))
    .filter((name) => !documentation.includes(`\`${name}\``));
  expect(undocumented).toEqual([]);

  const threads = number(variables, 'UV_THREADPOOL_SIZE');
  // The image server leaves two threads to the files of the cache.
  expect(threads).toBeGreaterThanOrEqual(limits.cpus + 2);

  const tiers = (variables['IMGPROXY_CACHE_USE'] ?? '').split(',');
  const memoryTier = tiers.includes('memory') ? number(variables, 'IMGPROXY_CACHE_MEMORY_MAX_SIZE') : 0;
  const needed =
    PROCESS +
    limits.cpus * RENDERING +
    memoryTier +
    number(variables, 'IMGPROXY_CACHE_MAX_BYTES_IN_FLIGHT') +
    tiers.length * number(variables, 'IMGPROXY_CACHE_STORE_QUEUE_MAX_BYTES');
  expect(needed).toBeLessThanOrEqual(limits.memory);

  const drain = number(variables, 'IMGPROXY_CACHE_DRAIN_TIMEOUT_SECONDS');
  expect(requestDeadline()).toBeGreaterThan(0);
  expect(limits.stopSeconds).toBeGreaterThan(requestDeadline() + drain);
}

/** Bytes of `1536m`, `1536M`, `1536Mi`, `10Gi` and the like. */
export function bytes(text: string): number {
  const [, digits, unit = ''] = /^(\d+)([kmg]?)i?$/i.exec(text) ?? [];
  const power = ['', 'k', 'm', 'g'].indexOf(unit.toLowerCase());
  return Number(digits) * 1024 ** power;
}

function number(variables: Variables, name: string): number {
  const value = Number(variables[name]);
  expect(value, `${name} must be set to a number`).toBeGreaterThan(0);
  return value;
}
