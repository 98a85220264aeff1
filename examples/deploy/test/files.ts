import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export type Variables = Readonly<Record<string, string>>;

const FOLDER = fileURLToPath(new URL('..', import.meta.url));

/** The absolute path of a file of this folder. */
export function pathOf(name: string): string {
  return FOLDER + name;
}

export function read(name: string): string {
  return readFileSync(pathOf(name), 'utf8');
}

/** What the image server and its packages say of their variables. */
export const documentation: string =
  read('../image-server/README.md') + read('../../docs/reference/configuration.md');

/** Seconds for which the image server lets running requests end. */
export function requestDeadline(): number {
  const folder = '../image-server/src/';
  const sources = readdirSync(pathOf(folder)).map((name) => read(folder + name));
  const [, milliseconds = ''] = /STOP_DEADLINE_MS = ([\d_]+)/.exec(sources.join('\n')) ?? [];
  return Number(milliseconds.replaceAll('_', '')) / 1000;
}
