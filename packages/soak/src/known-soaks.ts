import { readdir } from 'node:fs/promises';
import type { Soak } from './soak.js';

const FOLDER = new URL('soaks/', import.meta.url);

/** Names of all soaks: of the files in `soaks`. */
export async function soakNames(): Promise<string[]> {
  const files = await readdir(FOLDER);
  return files.flatMap((file) => /^([a-z][a-z0-9-]*)\.js$/.exec(file)?.[1] ?? []).sort();
}

export async function loadSoak(name: string): Promise<Soak> {
  const { soak } = (await import(new URL(`${name}.js`, FOLDER).href)) as { soak?: Soak };
  if (soak === undefined) throw new Error(`src/soaks/${name}.ts does not export a soak`);
  return soak;
}
