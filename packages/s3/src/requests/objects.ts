import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { HttpBody } from '@imgproxy-cache/http-transport';
import type { AwsCredentialIdentity } from '@smithy/types';
import { isNoSuchKey } from './failures.js';
import type { BodyStream, SdkRequestOptions } from './sdk-transport.js';

/** How one attempt at a request is made. */
export interface ObjectAttempt {
  /** Who signs it. The SDK's clients ask for that themselves. */
  readonly identity: AwsCredentialIdentity;
  /** For the SDK's commands. */
  readonly options: SdkRequestOptions;
}

/** An object whose body is still to be read, or closed. */
export interface ObjectAnswer {
  /** By the names of its `x-amz-meta-` headers. */
  readonly metadata: Readonly<Record<string, string>>;
  /** In bytes, if the store says so. */
  readonly size: number | undefined;
  readonly body: HttpBody;
}

/** An object to be stored. */
export interface ObjectContent {
  readonly body: Uint8Array;
  readonly contentType: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Reads and stores objects, one attempt at a time. */
export interface Objects {
  /** @returns `undefined` if the store says that there is no such object */
  get(key: string, attempt: ObjectAttempt): Promise<ObjectAnswer | undefined>;
  put(key: string, content: ObjectContent, attempt: ObjectAttempt): Promise<void>;
}

/** Objects by the SDK's own commands. */
export class SdkObjects implements Objects {
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor(client: S3Client, bucket: string) {
    this.#client = client;
    this.#bucket = bucket;
  }

  async get(key: string, { options }: ObjectAttempt): Promise<ObjectAnswer | undefined> {
    const command = new GetObjectCommand({ Bucket: this.#bucket, Key: key });
    try {
      const { Body, ContentLength, Metadata } = await this.#client.send(command, options);
      // The SDK passes on what the transport returned.
      const { source } = Body as unknown as BodyStream;
      return { metadata: Metadata ?? {}, size: ContentLength, body: source };
    } catch (error) {
      if (isNoSuchKey(error)) return undefined;
      throw error;
    }
  }

  async put(
    key: string,
    { body, contentType, metadata }: ObjectContent,
    { options }: ObjectAttempt,
  ): Promise<void> {
    const command = new PutObjectCommand({
      Bucket: this.#bucket,
      Key: key,
      Body: body,
      ContentLength: body.length,
      ContentType: contentType,
      Metadata: { ...metadata },
    });
    await this.#client.send(command, options);
  }
}
