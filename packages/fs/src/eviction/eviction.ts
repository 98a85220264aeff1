import type { DriverContext, Timer } from '@imgproxy-cache/core/driver';
import type { CacheLayout } from '../cache-layout.js';
import type { EntryWriter } from '../entry-writer.js';
import type { FolderTree } from '../folder-tree.js';
import { CacheSize } from './cache-size.js';
import { ClockEviction, type OnEvicted, type Pace } from './clock-eviction.js';
import { EntryUses } from './entry-uses.js';
import { FreeSpaceFloor } from './free-space-floor.js';
import { SizeLimit } from './size-limit.js';
import { ThrottledWarnings } from './throttled-warnings.js';
import { UsageTallies } from './usage-tallies.js';

/** Bounds of what the cache takes, in bytes; 0 is none. */
export interface SpaceLimits {
  readonly maxSize: number;
  readonly minFreeSpace: number;
}

const CHECK_DELAY = 1000;
const PAUSE_WITHOUT_CANDIDATES = 60 * 1000;

// On a full disk: room for this many entries as large as the one that did not fit.
const ROOM_FOR = 16;
const LEAST_ROOM = 1024 * 1024;
const URGENT: Pace = { lanes: 4, share: 1 / 8 };

/** What {@link Eviction} works on. */
export interface EvictionOptions {
  readonly limits: SpaceLimits;
  readonly layout: CacheLayout;
  readonly folders: FolderTree;
  readonly writer: EntryWriter;
  readonly context: DriverContext;
  /** Permissions of the files that hold sizes. */
  readonly fileMode: number;
}

/**
 * Keeps the cache within its limits. It runs in the background: only stores wait for it, and only while the cache exceeds
 * its size. Every process evicts for its own stores; processes share their sizes in the folder of temporary files.
 */
export class Eviction {
  /** Records the last use of entries. */
  readonly uses: EntryUses;
  readonly #layout: CacheLayout;
  readonly #folders: FolderTree;
  readonly #context: DriverContext;
  readonly #warnings: ThrottledWarnings;
  readonly #tallies: UsageTallies | undefined;
  readonly #evictor: ClockEviction;
  readonly #sizeLimit: SizeLimit | undefined;
  readonly #floor: FreeSpaceFloor | undefined;
  readonly #step: number;
  readonly #stopping = new AbortController();
  #storedSinceCheck = 0;
  #roomWanted = 0;
  #pausedUntil = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;
  #working: Promise<void> | undefined;
  #workAgain = false;
  #waiting: (() => void)[] = [];

  constructor({ limits, layout, folders, writer, context, fileMode }: EvictionOptions) {
    const { maxSize, minFreeSpace } = limits;
    const { clock } = context;
    this.#layout = layout;
    this.#folders = folders;
    this.#context = context;
    this.#warnings = new ThrottledWarnings(context);
    this.uses = new EntryUses(clock);
    this.#evictor = new ClockEviction({
      layout,
      folders,
      uses: this.uses,
      clock,
      onFailure: this.#warnings.failed,
    });
    if (maxSize > 0) {
      this.#tallies = new UsageTallies(layout, fileMode);
      const size = new CacheSize({ layout, folders, writer, tallies: this.#tallies, clock });
      this.#sizeLimit = new SizeLimit({
        maxSize,
        size,
        tallies: this.#tallies,
        evictor: this.#evictor,
        context,
        warnings: this.#warnings,
        onCounted: () => {
          this.#pausedUntil = Number.NEGATIVE_INFINITY;
          this.#start();
        },
      });
    }
    if (minFreeSpace > 0) this.#floor = new FreeSpaceFloor(minFreeSpace, layout.root, this.#evictor);
    const steps = [this.#sizeLimit?.step, this.#floor?.step].filter((step) => step !== undefined);
    this.#step = Math.min(...steps);
    // The limit may have been lowered since the last process ended.
    this.#startSoon();
  }

  /** Records a store of this process. @param grown by how many bytes it changed the size of the cache */
  noteStored(name: string, bytes: number, grown: number): void {
    this.#evictor.noteStored(name, bytes);
    this.#sizeLimit?.add(grown);
    if (grown <= 0) return;
    this.#storedSinceCheck += grown;
    if (this.#storedSinceCheck >= this.#step) this.#start();
    else this.#startSoon();
  }

  /** Records a removal by this process. */
  noteRemoved(bytes: number): void {
    this.#sizeLimit?.add(-bytes);
  }

  /** Waits while the cache exceeds its size and entries are being evicted, so that stores do not outrun the eviction. */
  async waitForRoom(): Promise<void> {
    const isPaused = this.#context.clock.monotonic() < this.#pausedUntil;
    if (isPaused || this.#sizeLimit?.isExceeded !== true) return;
    this.#start();
    if (this.#working === undefined) return;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Evicts after a store of `bytes` has failed on a full disk. */
  makeRoomFor(bytes: number): void {
    this.#roomWanted = Math.max(this.#roomWanted, bytes * ROOM_FOR, LEAST_ROOM);
    this.#start();
  }

  /** Stops the eviction at its next step. */
  stop(): void {
    this.#stopping.abort();
    this.#timer?.cancel();
  }

  /** Resolves when nothing runs any more. Call it after {@link stop} and the last operation. */
  async settle(): Promise<void> {
    await this.#working;
    await this.uses.settle();
    await this.#evictor.stop().catch(() => {});
    await this.#sizeLimit
      ?.settle()
      .catch((error: unknown) => this.#warnings.failed(error, this.#layout.root));
  }

  #startSoon(): void {
    if (this.#stopping.signal.aborted) return;
    if (this.#timer !== undefined) return;
    this.#timer = this.#context.clock.setTimer(() => {
      this.#timer = undefined;
      this.#start();
    }, CHECK_DELAY);
    this.#timer.unref?.();
  }

  #start(): void {
    if (this.#stopping.signal.aborted) return;
    if (this.#working !== undefined) {
      this.#workAgain = true;
      return;
    }
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#storedSinceCheck = 0;
    this.#workAgain = false;
    this.#working = this.#work().finally(() => {
      this.#working = undefined;
      this.#endWaits();
      if (this.#workAgain) this.#start();
    });
  }

  #endWaits(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  async #work(): Promise<void> {
    try {
      // An unused root may be a disk that is not mounted: nothing is written there.
      if (!(await this.#folders.find(this.#layout.temporaryFolder, 'put'))) return;
      await this.#keepLimits();
    } catch (error) {
      this.#warnings.failed(error, this.#layout.root);
    }
  }

  async #keepLimits(): Promise<void> {
    const { signal } = this.#stopping;
    if (this.#context.clock.monotonic() < this.#pausedUntil) return await this.#tallies?.publish();
    let entries = 0;
    let bytes = 0;
    const onEvicted: OnEvicted = (size) => {
      entries += 1;
      bytes += size;
      this.#sizeLimit?.add(-size);
      if (this.#waiting.length > 0 && this.#sizeLimit?.isExceeded === false) this.#endWaits();
    };
    // A full disk takes no tally either, so the size limit comes last.
    const outcomes = [
      await this.#makeRoom(signal, onEvicted),
      await this.#floor?.enforce(signal, onEvicted),
      await this.#sizeLimit?.enforce(signal, onEvicted),
    ];
    if (outcomes.includes('later')) this.#startSoon();
    if (outcomes.includes('nothing-evictable')) this.#pause();
    if (entries === 0) return;
    const message = `evicted ${entries} entries of ${bytes} bytes`;
    this.#context.report({ kind: 'entries-evicted', level: 'debug', message });
  }

  async #makeRoom(signal: AbortSignal, onEvicted: OnEvicted): Promise<'done' | 'nothing-evictable'> {
    let missing = this.#roomWanted;
    this.#roomWanted = 0;
    while (missing > 0 && !signal.aborted) {
      const outcome = await this.#evictor.free(missing, URGENT, signal, (bytes) => {
        missing -= bytes;
        onEvicted(bytes);
      });
      if (outcome === 'nothing-evictable') return 'nothing-evictable';
    }
    return 'done';
  }

  /** Other files take the space, or entries cannot be removed: another walk at once would find the same. */
  #pause(): void {
    this.#pausedUntil = this.#context.clock.monotonic() + PAUSE_WITHOUT_CANDIDATES;
    this.#warnings.warn(
      'nothing-evictable',
      `the cache in ${this.#layout.root} is past IMGPROXY_CACHE_FS_MAX_SIZE or IMGPROXY_CACHE_FS_MIN_FREE_SPACE, and no entry could be evicted: find out what else fills the disk, and whether this process may delete there`,
    );
  }
}
