import { copyFile, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

const picture = new URL('../../image-server/samples/lighthouse.jpg', import.meta.url);

/** A new folder with what every guide asks for, `cat.jpg` and an empty `cache`. It is removed with everything in it. */
export class HostFolder implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** @param parent a folder that exists; default: the system's for temporary files */
  static async create(parent: string = tmpdir()): Promise<HostFolder> {
    const folder = new HostFolder(await mkdtemp(path.join(parent, 'hosts-')));
    await copyFile(picture, path.join(folder.path, 'cat.jpg'));
    await mkdir(folder.cache);
    return folder;
  }

  get cache(): string {
    return path.join(this.path, 'cache');
  }

  /** Takes the store away. `restore` brings it back. */
  async moveCacheAway(): Promise<{ restore(): Promise<void> }> {
    const away = path.join(this.path, 'away');
    await rename(this.cache, away);
    return { restore: () => rename(away, this.cache) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}
