import { open, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { ConfigFault } from '@imgproxy-cache/core/driver';

const MAGIC = 'SQLite format 3\0';

/** What is wrong with the path of a database. Whether it can be read and written is for `check()` to find out. */
export async function fileFaults(variable: string, file: string): Promise<readonly ConfigFault[]> {
  const problem = (await problemOfFolder(dirname(resolve(file)))) ?? (await problemOfFile(file));
  return problem === undefined ? [] : [{ variable, message: `is ${JSON.stringify(file)}: ${problem}` }];
}

async function problemOfFolder(folder: string): Promise<string | undefined> {
  try {
    return (await stat(folder)).isDirectory() ? undefined : `${folder} is not a folder`;
  } catch (error) {
    return `the folder ${folder} cannot be used (${codeOf(error)}): create it, or mount its disk`;
  }
}

async function problemOfFile(file: string): Promise<string | undefined> {
  try {
    await using handle = await open(file);
    const stats = await handle.stat();
    if (!stats.isFile()) return 'that is not a file: name a database, or a file that does not exist yet';
    const { buffer } = await handle.read(Buffer.alloc(MAGIC.length), 0, MAGIC.length, 0);
    if (stats.size === 0 || buffer.toString('latin1') === MAGIC) return undefined;
    return 'that file is no SQLite database: name one, or a file that does not exist yet';
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    return `it cannot be read (${codeOf(error)}): a file is needed that this process may read and write`;
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
