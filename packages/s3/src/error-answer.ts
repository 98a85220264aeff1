/** An error that the SDK made out of an answer of S3 or STS, or what is left of one as a {@link StoreError}. */
export interface ErrorAnswer extends Error {
  readonly $metadata: {
    readonly httpStatusCode?: number | undefined;
    readonly attempts?: number | undefined;
    readonly requestId?: string | undefined;
  };
  readonly $response?: AnswerHead | undefined;
  /** The element of some error documents that names the bucket's region. */
  readonly Region?: unknown;
}

interface AnswerHead {
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly reason?: string | undefined;
}

/** Whether the store answered at all: a failure of the network, or of the SDK, is none. */
export function isErrorAnswer(thrown: unknown): thrown is ErrorAnswer {
  return thrown instanceof Error && statusOf(thrown) !== undefined;
}

/** The status of the answer behind an error. */
export function statusOf(thrown: unknown): number | undefined {
  return thrown instanceof Error ? (thrown as Partial<ErrorAnswer>).$metadata?.httpStatusCode : undefined;
}
