import type { HttpBody } from '@imgproxy-cache/http-transport';

/** An answer to a put. */
export interface PutAnswer {
  readonly $metadata: { readonly attempts?: number | undefined };
}

/** The store says that there is no such object. */
export interface ObjectMissing extends PutAnswer {
  readonly body: undefined;
}

/** An object whose body is still to be read, or closed. */
export interface ObjectAnswer extends PutAnswer {
  /** By the names of its `x-amz-meta-` headers. */
  readonly metadata: Readonly<Record<string, string>>;
  /** As far as the store says. */
  readonly size: number | undefined;
  readonly body: HttpBody;
}

/** An object to be stored. */
export interface ObjectContent {
  readonly body: Uint8Array;
  readonly contentType: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** How objects are read and stored, tried again where that may help. Failures are those of the SDK's commands. */
export interface ObjectRequests {
  get(key: string, signal: AbortSignal): Promise<ObjectAnswer | ObjectMissing>;
  put(key: string, content: ObjectContent, signal: AbortSignal): Promise<PutAnswer>;
}
