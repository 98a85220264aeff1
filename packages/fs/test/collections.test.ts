import { describe, expect, test } from 'vitest';
import { newFolder } from './cache-folder.js';
import { run, scriptPath } from './child-process.js';

describe('garbage', { timeout: 120_000 }, () => {
  test.each([
    [50_000, 12_000],
    [1_000_000, 600],
    [5_000_000, 120],
  ])(
    'of reading %i bytes is collected with the young generation, not with the whole heap',
    async (bytes, times) => {
      // As the young generation of a host is, once it has loaded its modules.
      const flags = ['--min-semi-space-size=16'];
      const script = [scriptPath('read-often.mjs'), await newFolder(), String(bytes), String(times)];
      const { stdout } = await run(process.execPath, [...flags, ...script]);
      const { young, full } = JSON.parse(stdout) as { readonly young: number; readonly full: number };
      expect(young).toBeGreaterThan(0);
      // Without the driver's doing, one for each 64 MB.
      expect(full).toBeLessThan((bytes * times) / 64_000_000 / 2);
    },
  );
});
