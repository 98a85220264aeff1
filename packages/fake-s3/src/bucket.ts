import { createHash } from 'node:crypto';
import { type Answer, escapeXml, failure, unescapeXml, xml } from './answers.js';
import type { WireRequest } from './wire-request.js';

const NAMES_A_PAGE = 1000;

export interface StoredObject {
  readonly body: Buffer;
  /** Its content type, metadata and ETag. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface Bucket {
  region: string;
  readonly objects: Map<string, StoredObject>;
  /** Most names of one page of a listing; by default 1000, as at S3. */
  readonly pageSize?: number;
}

/** Does what a sound store does with a request, and answers. */
export function serve(bucket: Bucket, request: WireRequest): Answer {
  const { objects, region, pageSize = NAMES_A_PAGE } = bucket;
  const { operation, key } = request;
  switch (operation) {
    case 'get':
    case 'head': {
      const object = objects.get(key);
      return object === undefined ? failure(404, 'NoSuchKey') : { status: 200, ...object };
    }
    case 'put': {
      const object = objectOf(request);
      objects.set(key, object);
      return { status: 200, headers: { etag: object.headers['etag'] ?? '' } };
    }
    case 'delete':
      objects.delete(key);
      return { status: 204 };
    case 'delete-many': {
      const keys = keysToDelete(request);
      for (const each of keys) objects.delete(each);
      return deleted(keys);
    }
    case 'list':
      return page(objects, request.query, pageSize);
    case 'head-bucket':
      return { status: 200, headers: { 'x-amz-bucket-region': region } };
    case 'location':
      return xml(
        `<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${region === 'us-east-1' ? '' : region}</LocationConstraint>`,
      );
    case 'other':
      return failure(405, 'MethodNotAllowed');
  }
}

/** The keys that a request asks to delete. */
export function keysToDelete({ body }: WireRequest): string[] {
  return [...body.toString().matchAll(/<Key>(.*?)<\/Key>/gs)].map(([, key = '']) => unescapeXml(key));
}

/** Says which keys are deleted, and which are not. */
export function deleted(keys: readonly string[], failed: readonly string[] = []): Answer {
  const results = [
    ...keys.map((key) => `<Deleted><Key>${escapeXml(key)}</Key></Deleted>`),
    ...failed.map(
      (key) =>
        `<Error><Key>${escapeXml(key)}</Key><Code>InternalError</Code><Message>Try again</Message></Error>`,
    ),
  ];
  return xml(`<DeleteResult>${results.join('')}</DeleteResult>`);
}

function objectOf({ headers, body }: WireRequest): StoredObject {
  const kept = Object.entries(headers).filter(
    ([name]) => name === 'content-type' || name.startsWith('x-amz-meta-'),
  );
  const etag = `"${createHash('md5').update(body).digest('hex')}"`;
  return { body, headers: { ...(Object.fromEntries(kept) as Record<string, string>), etag } };
}

function page(objects: Bucket['objects'], query: URLSearchParams, size: number): Answer {
  const prefix = query.get('prefix') ?? '';
  const after = query.get('continuation-token') ?? '';
  const names = [...objects.keys()].filter((name) => name.startsWith(prefix) && name > after).sort();
  const shown = names.slice(0, size);
  const next =
    names.length > shown.length
      ? `<IsTruncated>true</IsTruncated><NextContinuationToken>${escapeXml(shown.at(-1) ?? '')}</NextContinuationToken>`
      : '<IsTruncated>false</IsTruncated>';
  const contents = shown.map((name) => `<Contents><Key>${escapeXml(name)}</Key></Contents>`).join('');
  return xml(`<ListBucketResult><KeyCount>${shown.length}</KeyCount>${next}${contents}</ListBucketResult>`);
}
