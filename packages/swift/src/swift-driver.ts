import {
  assertEntryName,
  type CacheDriver,
  type CacheEntry,
  type CacheOperation,
  type DriverCheck,
  type DriverContext,
  type DriverEvent,
  decodeMetadata,
  isEntryName,
  OperationGuard,
  type OperationOptions,
  type StoredEntry,
  StreamedEntry,
} from '@imgproxy-cache/core/driver';
import { HttpTransport, type HttpTransportOptions, Retries } from '@imgproxy-cache/http-transport';
import { Authentication } from './authentication/authentication.js';
import { SharedSession } from './authentication/shared-session.js';
import { ContainerPresence } from './requests/container-presence.js';
import { ContainerRequests, encodedPath } from './requests/container-requests.js';
import { ObjectDeletion } from './requests/object-deletion.js';
import { ObjectListing } from './requests/object-listing.js';
import { Objects } from './requests/objects.js';
import { StoredObject } from './requests/stored-object.js';
import { checkSwift } from './swift-check.js';
import type { SwiftConfig } from './swift-config.js';
import { corrupt, swiftError, toCacheError } from './swift-errors.js';

/** What a host may give the driver that no variable can. */
export type SwiftDriverOptions = Pick<HttpTransportOptions, 'lookup' | 'connect' | 'ca'>;

// Of the look-up timeout: how much of it the pauses between attempts may take. A store that fails half of the time then
// delays no request by more than that.
const RETRY_SHARE = 1 / 16;

/** Entries as objects of one container, with their metadata beside them and the image's own content type. */
export class SwiftDriver implements CacheDriver {
  readonly #config: SwiftConfig;
  readonly #context: DriverContext;
  readonly #transport: HttpTransport;
  readonly #session: SharedSession;
  readonly #objects: Objects;
  readonly #listing: ObjectListing;
  readonly #deletion: ObjectDeletion;
  readonly #guard = new OperationGuard('swift');
  readonly #closing = new AbortController();

  constructor(config: SwiftConfig, context: DriverContext, options: SwiftDriverOptions = {}) {
    this.#config = config;
    this.#context = context;
    const { bucket: container, maxSockets } = config;
    const { clock, lookupTimeoutSeconds = Number.POSITIVE_INFINITY } = context;
    const report: DriverContext['report'] = (event) => context.report(event);
    const timeout = config.timeout * 1000;
    const transport = new HttpTransport({
      ...options,
      clock,
      maxConnections: maxSockets,
      connectTimeout: config.connectTimeout * 1000,
      responseTimeout: timeout,
      silenceTimeout: timeout,
      onCrowded: (waiting) => report(crowded(waiting, maxSockets)),
    });
    this.#transport = transport;
    const authentication = new Authentication({ config, transport, retries: new Retries(), clock });
    const session = new SharedSession((signal) => authentication.run(signal), {
      deadline: timeout,
      clock,
      report,
    });
    this.#session = session;
    const requests = new ContainerRequests({ transport, session, retries: new Retries(), report });
    const { signal } = this.#closing;
    const presence = new ContainerPresence(`/${encodedPath(container)}`, requests, clock, signal);
    this.#objects = new Objects({
      requests,
      presence,
      container,
      longestLookupPause: lookupTimeoutSeconds * 1000 * RETRY_SHARE,
      deleteAfter: config.deleteAfter,
    });
    this.#listing = new ObjectListing(requests, presence, container);
    this.#deletion = new ObjectDeletion({ requests, presence, container, report });
  }

  get(name: string, { signal }: OperationOptions = {}): Promise<StoredEntry | undefined> {
    return this.#guard.run(
      'get',
      signal,
      (running) => this.#telling('get', () => this.#read(name, running.signal)),
      (entry) => void entry?.discard(),
    );
  }

  put(name: string, entry: CacheEntry, { signal }: OperationOptions = {}): Promise<void> {
    return this.#guard.run('put', signal, (running) =>
      this.#telling('put', () => {
        assertEntryName(name);
        return this.#objects.put(name, entry, running.signal);
      }),
    );
  }

  async delete(names: readonly string[], { signal }: OperationOptions = {}): Promise<void> {
    const remaining = new Set(names);
    try {
      await this.#guard.run('delete', signal, (running) =>
        this.#telling('delete', () => {
          for (const name of remaining) assertEntryName(name);
          return this.#deletion.run(remaining, running.signal);
        }),
      );
    } catch (thrown) {
      const { code, message, retryable, cause } = this.#told(thrown, 'delete');
      throw swiftError(code, `${remaining.size} entries may still be stored: ${message}`, 'delete', {
        retryable,
        ...(cause !== undefined && { cause }),
        failedNames: [...remaining],
      });
    }
  }

  async *list(prefix: string, { signal }: OperationOptions = {}): AsyncGenerator<string, void, undefined> {
    for (let last = ''; ; ) {
      const page = await this.#guard.run('list', signal, (running) =>
        this.#telling('list', () => this.#listing.page(prefix, last, running.signal)),
      );
      for (const name of page) {
        if (!name.startsWith(prefix) || !isEntryName(name)) continue;
        yield name;
        this.#guard.admit('list', signal);
      }
      const next = page.at(-1);
      if (next === undefined) return;
      last = next;
    }
  }

  check({ signal }: OperationOptions = {}): Promise<DriverCheck> {
    return this.#guard.run('check', signal, (running) =>
      checkSwift(this, this.#context, this.#config, () => this.#session.latest, running.signal),
    );
  }

  async close(): Promise<void> {
    const idle = this.#guard.close();
    this.#closing.abort();
    this.#session.close();
    this.#transport.close();
    await idle;
  }

  async #read(name: string, signal: AbortSignal): Promise<StoredEntry | undefined> {
    if (!isEntryName(name)) return undefined;
    const answer = await this.#objects.get(name, signal);
    if (answer === undefined) return undefined;
    const { body, size } = answer;
    try {
      const metadata = decodeMetadata(answer.metadata);
      if (size !== undefined && size !== metadata.size) {
        throw corrupt(name, `it has ${size} bytes instead of ${metadata.size}`);
      }
      const failure = (thrown: unknown) => {
        this.#guard.admit('get', undefined);
        return this.#told(thrown, 'get');
      };
      return new StreamedEntry(metadata, new StoredObject(metadata, body, failure));
    } catch (error) {
      body.close();
      throw error;
    }
  }

  async #telling<Value>(operation: CacheOperation, work: () => Promise<Value>): Promise<Value> {
    try {
      return await work();
    } catch (thrown) {
      throw this.#told(thrown, operation);
    }
  }

  #told(thrown: unknown, operation: CacheOperation) {
    return toCacheError(thrown, operation, this.#config.bucket);
  }
}

function crowded(waiting: number, maxSockets: number): DriverEvent {
  const message = `${waiting} requests wait for one of ${maxSockets} connections: raise IMGPROXY_CACHE_SWIFT_MAX_SOCKETS if that happens often`;
  return { kind: 'connections-exhausted', level: 'warn', message };
}
