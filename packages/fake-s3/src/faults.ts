import type { ServerResponse } from 'node:http';
import { type Answer, failure, type Reply } from './answers.js';
import type { StoredObject } from './bucket.js';
import type { Operation, WireRequest } from './wire-request.js';

/** Where the end of a body shows: in its declared length, in its last chunk, or in the end of the connection alone. */
export type BodyLength = 'declared' | 'chunked' | 'undeclared';

/** One way in which the answer to a request goes wrong. Of a body that is shorter than `after`, all is sent. */
export type Fault =
  /** No answer: the connection stays open, is reset, or is ended. */
  | { readonly kind: 'head-hangs' | 'reset' | 'hang-up' }
  /** An error as S3 tells it. With status 200 it is a lie. */
  | { readonly kind: 'error'; readonly status: number; readonly code: string }
  /** Any other answer. */
  | { readonly kind: 'answer'; readonly answer: Answer }
  /** So many bytes of the body, and then nothing, a reset, or the end of the connection. */
  | { readonly kind: 'body-hangs' | 'body-resets' | 'body-breaks'; readonly after: number }
  /** So many bytes of the body, and an end as if this were all. */
  | { readonly kind: 'ends-early'; readonly after: number; readonly length: 'chunked' | 'undeclared' }
  /** One byte of the body is another one. */
  | { readonly kind: 'damaged'; readonly at: number }
  /** The body comes at this rate. */
  | { readonly kind: 'slow'; readonly bytesPerSecond: number };

/** Which requests go wrong, and how. */
export interface FaultRule {
  readonly fault: Fault;
  /** By default all operations; a fault of a body strikes only where an object is read. */
  readonly operations?: readonly Operation[];
  /** Share of these that go wrong, from 0 to 1; by default all. */
  readonly share?: number;
  /** Only where the object that is asked for has more bytes. */
  readonly largerThan?: number;
}

const STEP_MS = 20;

/** Whether a rule is about a request; chance and all. */
export function strikes(
  { operations, share = 1, largerThan = -1 }: FaultRule,
  { operation }: WireRequest,
  object: StoredObject | undefined,
): boolean {
  if (operations !== undefined && !operations.includes(operation)) return false;
  if (largerThan >= 0 && (object?.body.length ?? 0) <= largerThan) return false;
  return share === 1 || Math.random() < share;
}

/** What a fault does to a request; `undefined` where it has nothing to go wrong with. */
export function replyOf(fault: Fault, object: StoredObject | undefined): Reply {
  switch (fault.kind) {
    case 'head-hangs':
      return () => undefined;
    case 'reset':
      return reset;
    case 'hang-up':
      return hangUp;
    case 'error':
      return failure(fault.status, fault.code);
    case 'answer':
      return fault.answer;
    default:
      return object && replyOfBody(fault, object);
  }
}

/** Resets the connection of a request. */
export function reset(response: ServerResponse): void {
  response.socket?.resetAndDestroy();
}

/** Ends the connection of a request. */
export function hangUp(response: ServerResponse): void {
  response.socket?.destroy();
}

/** Sends the head of an answer that has an object's body. */
export function startBody(
  response: ServerResponse,
  { headers, body }: StoredObject,
  length: BodyLength,
): void {
  if (length === 'undeclared') {
    response.shouldKeepAlive = false;
    response.useChunkedEncodingByDefault = false;
    response.removeHeader('transfer-encoding');
  }
  response.writeHead(200, { ...headers, ...(length === 'declared' && { 'content-length': body.length }) });
  response.flushHeaders();
}

type BodyFault = Extract<
  Fault,
  { readonly kind: 'body-hangs' | 'body-resets' | 'body-breaks' | 'ends-early' | 'damaged' | 'slow' }
>;

function replyOfBody(fault: BodyFault, object: StoredObject): Reply {
  const { headers, body } = object;
  switch (fault.kind) {
    case 'body-hangs':
      return sendPart(object, fault.after, () => undefined);
    case 'body-resets':
      return sendPart(object, fault.after, reset);
    case 'body-breaks':
      return sendPart(object, fault.after, hangUp);
    case 'ends-early':
      return (response) => {
        startBody(response, object, fault.length);
        response.end(body.subarray(0, fault.after));
      };
    case 'damaged':
      return { status: 200, headers, body: damaged(body, fault.at) };
    case 'slow':
      return (response) => drip(response, object, fault.bytesPerSecond);
  }
}

function sendPart(object: StoredObject, after: number, then: (response: ServerResponse) => void): Reply {
  return (response) => {
    startBody(response, object, 'declared');
    response.write(object.body.subarray(0, after), () => then(response));
  };
}

function damaged(body: Buffer, at: number): Buffer {
  const copy = Buffer.from(body);
  if (at < copy.length) copy.writeUInt8(copy.readUInt8(at) ^ 0x10, at);
  return copy;
}

function drip(response: ServerResponse, object: StoredObject, bytesPerSecond: number): void {
  const { body } = object;
  startBody(response, object, 'declared');
  const began = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    const due = Math.min(body.length, Math.floor(((performance.now() - began) / 1000) * bytesPerSecond));
    if (due > sent) response.write(body.subarray(sent, due));
    sent = due;
    if (sent < body.length) return;
    clearInterval(timer);
    response.end();
  }, STEP_MS);
  response.once('close', () => clearInterval(timer));
}
