import type { Readable } from 'node:stream';

/** An answer over HTTP. */
export interface HttpAnswer {
  readonly status: number;
  /** Each value is one line. */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * Bytes, which may be shared with other requests and must not be changed; a stream, which is to be read or destroyed, and
   * ends with an error if it is incomplete; or nothing, as for `HEAD` and 304.
   */
  readonly body: Uint8Array | Readable | undefined;
}
