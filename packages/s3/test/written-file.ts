import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A folder that is removed with the test. */
async function folderOfTest(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'imgproxy-cache-s3-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

/** The path of a file with this content. */
export async function fileOf(content: string, name = 'file'): Promise<string> {
  const path = join(await folderOfTest(), name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  return path;
}
