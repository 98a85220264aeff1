import type { DriverContext, Timer } from '@imgproxy-cache/core/driver';
import type { AtomicWriter } from './atomic-write.js';
import type { CacheLayout } from './cache-layout.js';
import { CacheSize } from './cache-size.js';
import { EntryUses } from './entry-uses.js';
import { EvictionHand, type Haste, type OnEvicted } from './eviction-hand.js';
import type { FolderTree } from './folder-tree.js';
import { FreeSpaceFloor } from './free-space-floor.js';
import { RareReports } from './rare-reports.js';
import { SizeLimit } from './size-limit.js';
import { UsageTallies } from './usage-tallies.js';

/** Bounds of what the cache takes, in bytes; 0 is none. */
export interface SpaceLimits {
  readonly maxSize: number;
  readonly minFreeSpace: number;
}

const SOON = 1000;
const PAUSE_AFTER_VAIN = 60 * 1000;

// On a full disk: room for this many entries as large as the one that did not fit.
const ROOM_FOR = 16;
const LEAST_ROOM = 1024 * 1024;
const URGENT: Haste = { lanes: 4, share: 1 / 8 };

/**
 * Keeps the cache within its limits, behind the back of all operations: none waits for it. Every process evicts for
 * what it stores itself; what they must know of each other lies in the folder of unfinished files.
 */
export class Eviction {
  /** When entries were used: to be told of every hit. */
  readonly uses: EntryUses;
  readonly #layout: CacheLayout;
  readonly #folders: FolderTree;
  readonly #context: DriverContext;
  readonly #reports: RareReports;
  readonly #tallies: UsageTallies | undefined;
  readonly #hand: EvictionHand;
  readonly #sizeLimit: SizeLimit | undefined;
  readonly #floor: FreeSpaceFloor | undefined;
  readonly #step: number;
  readonly #stopping = new AbortController();
  #storedSinceLook = 0;
  #roomWanted = 0;
  #pausedUntil = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;
  #working: Promise<void> | undefined;
  #workAgain = false;

  constructor(
    { maxSize, minFreeSpace }: SpaceLimits,
    layout: CacheLayout,
    folders: FolderTree,
    writer: AtomicWriter,
    context: DriverContext,
    fileMode: number,
  ) {
    const { clock } = context;
    this.#layout = layout;
    this.#folders = folders;
    this.#context = context;
    this.#reports = new RareReports(context);
    this.uses = new EntryUses(clock);
    this.#hand = new EvictionHand(layout, folders, this.uses, clock, this.#reports.trouble);
    if (maxSize > 0) {
      this.#tallies = new UsageTallies(layout, fileMode);
      const size = new CacheSize(layout, folders, writer, this.#tallies, clock);
      this.#sizeLimit = new SizeLimit(
        maxSize,
        size,
        this.#tallies,
        this.#hand,
        context,
        this.#reports,
        () => {
          this.#pausedUntil = Number.NEGATIVE_INFINITY;
          this.#start();
        },
      );
    }
    if (minFreeSpace > 0) this.#floor = new FreeSpaceFloor(minFreeSpace, layout.root, this.#hand);
    const steps = [this.#sizeLimit?.step, this.#floor?.step].filter((step) => step !== undefined);
    this.#step = Math.min(...steps);
    // The limit may have been lowered since the last process ended.
    this.#startSoon();
  }

  /** Tells by how many bytes an operation made the cache grow; negative: shrink. */
  grew(bytes: number): void {
    this.#tallies?.add(bytes);
    if (bytes <= 0) return;
    this.#storedSinceLook += bytes;
    if (this.#storedSinceLook >= this.#step) this.#start();
    else this.#startSoon();
  }

  /** Tells that an entry of `bytes` found no space. */
  lacksSpace(bytes: number): void {
    this.#roomWanted = Math.max(this.#roomWanted, bytes * ROOM_FOR, LEAST_ROOM);
    this.#start();
  }

  /** Ends what runs at its next step. */
  stop(): void {
    this.#stopping.abort();
    this.#timer?.cancel();
  }

  /** Resolves when nothing runs any more, after {@link stop} and the last operation. */
  async settle(): Promise<void> {
    await this.#working;
    await this.uses.settle();
    await this.#hand.stop().catch(() => {});
    await this.#sizeLimit
      ?.settle()
      .catch((error: unknown) => this.#reports.trouble(error, this.#layout.root));
  }

  #startSoon(): void {
    if (this.#stopping.signal.aborted) return;
    if (this.#timer !== undefined) return;
    this.#timer = this.#context.clock.setTimer(() => {
      this.#timer = undefined;
      this.#start();
    }, SOON);
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
    this.#storedSinceLook = 0;
    this.#workAgain = false;
    this.#working = this.#work().finally(() => {
      this.#working = undefined;
      if (this.#workAgain) this.#start();
    });
  }

  async #work(): Promise<void> {
    try {
      // Before anybody has stored anything there is nothing to keep, and nothing to be written on a disk that may
      // not be mounted.
      if (!(await this.#folders.find(this.#layout.temporaryFolder, 'put'))) return;
      await this.#keepLimits();
    } catch (error) {
      this.#reports.trouble(error, this.#layout.root);
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
      this.#tallies?.add(-size);
    };
    // On a full disk nothing can be written, not even about the size.
    const outcomes = [
      await this.#makeRoom(signal, onEvicted),
      await this.#floor?.hold(signal, onEvicted),
      await this.#sizeLimit?.hold(signal, onEvicted),
    ];
    if (outcomes.includes('later')) this.#startSoon();
    if (outcomes.includes('vain')) this.#pauseInVain();
    if (entries === 0) return;
    const message = `evicted ${entries} entries of ${bytes} bytes`;
    this.#context.report({ kind: 'entries-evicted', level: 'debug', message });
  }

  async #makeRoom(signal: AbortSignal, onEvicted: OnEvicted): Promise<'done' | 'vain'> {
    let missing = this.#roomWanted;
    this.#roomWanted = 0;
    while (missing > 0 && !signal.aborted) {
      const outcome = await this.#hand.free(missing, URGENT, signal, (bytes) => {
        missing -= bytes;
        onEvicted(bytes);
      });
      if (outcome === 'vain') return 'vain';
    }
    return 'done';
  }

  /** What takes the space is not the cache's, or cannot be removed: looking again at once would only cost. */
  #pauseInVain(): void {
    this.#pausedUntil = this.#context.clock.monotonic() + PAUSE_AFTER_VAIN;
    this.#reports.warn(
      'eviction-in-vain',
      `the cache in ${this.#layout.root} is past IMGPROXY_CACHE_FS_MAX_SIZE or IMGPROXY_CACHE_FS_MIN_FREE_SPACE, and no entry could be evicted: look what else fills the disk, and whether this process may delete there`,
    );
  }
}
