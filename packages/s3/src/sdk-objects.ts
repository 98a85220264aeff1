import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { ObjectAnswer, ObjectContent, ObjectRequests, PutAnswer } from './object-requests.js';
import type { BodyStream } from './sdk-transport.js';

/** Objects by the SDK's commands. */
export class SdkObjects implements ObjectRequests {
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor(client: S3Client, bucket: string) {
    this.#client = client;
    this.#bucket = bucket;
  }

  async get(key: string, signal: AbortSignal): Promise<ObjectAnswer> {
    const command = new GetObjectCommand({ Bucket: this.#bucket, Key: key });
    const { Body, ContentLength, Metadata, $metadata } = await this.#client.send(command, {
      abortSignal: signal,
    });
    // The SDK gives what the transport gave it.
    const { source } = Body as unknown as BodyStream;
    return { metadata: Metadata ?? {}, size: ContentLength, body: source, $metadata };
  }

  put(key: string, { body, contentType, metadata }: ObjectContent, signal: AbortSignal): Promise<PutAnswer> {
    const command = new PutObjectCommand({
      Bucket: this.#bucket,
      Key: key,
      Body: body,
      ContentLength: body.length,
      ContentType: contentType,
      Metadata: { ...metadata },
    });
    return this.#client.send(command, { abortSignal: signal });
  }
}
