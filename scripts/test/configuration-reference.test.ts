import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { configurationReference, drivers, page } from '../write-configuration-reference.mjs';

const packages = new URL('../../packages/', import.meta.url);

describe('the configuration reference', () => {
  it('says what the tables say', async () => {
    expect(readFileSync(page, 'utf8')).toBe(await configurationReference());
  });

  it('covers every driver of the repository', () => {
    const definitions = readdirSync(packages).filter((name) => {
      const entry = new URL(`${name}/src/index.ts`, packages);
      return existsSync(entry) && readFileSync(entry, 'utf8').includes('defineCacheDriver(');
    });
    expect(definitions.sort()).toEqual([...drivers].sort());
  });
});
