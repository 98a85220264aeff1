export const BODY = '/1000';

export type Headers = Record<string, string | string[]>;

/** What an RFC demands of one answer. */
export interface Requirement {
  readonly section: string;
  readonly says: string;
  readonly path?: string;
  readonly method?: string;
  /** `ETAG` stands for the image's own tag. */
  readonly headers?: Headers;
  readonly env?: Record<string, string>;
  /** Whether the image is in the cache before. Default: true. */
  readonly cached?: boolean;
  readonly status: number;
  /** Expected fields; `undefined`: absent. */
  readonly fields?: Record<string, unknown>;
  readonly body?: (whole: Buffer) => Buffer;
}

export const whole = (bytes: Buffer): Buffer => bytes;
export const nothing = (): Buffer => Buffer.alloc(0);
export const part =
  (first: number, last: number) =>
  (bytes: Buffer): Buffer =>
    bytes.subarray(first, last + 1);
