import type { CacheDriver } from '@imgproxy-cache/core/driver';
import fs from '@imgproxy-cache/fs';
import s3 from '@imgproxy-cache/s3';
import { FakeS3Process } from 'fake-s3';
import { CacheFolder } from './cache-folder.js';
import { driverVariables, type Environment } from './caches.js';

import { openDriver } from './stored-entries.js';

/** A store that several hosts use. */
export interface Site extends AsyncDisposable {
  readonly use: 'fs' | 's3';
  /** What a host must know of it. */
  readonly env: Environment;
  /** What hosts have left there that is no entry, those that live included. */
  countLeftovers(): Promise<number>;
  /** Opens it without a cache. */
  openDriver(): CacheDriver;
}

/** Files in a folder. What is left there are unfinished files. */
export class FileSite implements Site {
  readonly use = 'fs';
  readonly env: Environment;
  readonly folder: CacheFolder;

  static async create(): Promise<FileSite> {
    return new FileSite(await CacheFolder.create());
  }

  private constructor(folder: CacheFolder) {
    this.folder = folder;
    this.env = driverVariables(this.use, { folder: folder.path });
  }

  countLeftovers(): Promise<number> {
    return this.folder.countLeftovers();
  }

  openDriver(): CacheDriver {
    return openDriver(fs, this.env);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.folder[Symbol.asyncDispose]();
  }
}

/** A bucket of a scripted S3. What is left there are connections. */
export class BucketSite implements Site {
  readonly use = 's3';
  readonly env: Environment;
  readonly #store: FakeS3Process;

  static async create(): Promise<BucketSite> {
    return new BucketSite(await FakeS3Process.start());
  }

  private constructor(store: FakeS3Process) {
    this.#store = store;
    this.env = driverVariables(this.use, { endpoint: store.endpoint });
  }

  countLeftovers(): Promise<number> {
    return this.#store.connections();
  }

  openDriver(): CacheDriver {
    // The SDK takes its credentials from the environment of the process alone.
    Object.assign(process.env, this.env);
    return openDriver(s3, this.env);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#store.kill();
  }
}
