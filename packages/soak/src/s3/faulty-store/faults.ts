import { setTimeout as delay } from 'node:timers/promises';
import type { Exchange, RequestKind } from './exchange.js';
import type { StoredObject } from './objects.js';

/** One way in which a request goes wrong. */
export interface Fault {
  readonly name: string;
  /** How likely it is beside the others. */
  readonly weight: number;
  readonly kinds: readonly RequestKind[];
  /** Whether it strikes before the request's body has arrived. */
  readonly early?: boolean;
  /** @param chance a random number from 0 up to 1 */
  play(exchange: Exchange, chance: number): void | Promise<void>;
}

const ALL: readonly RequestKind[] = ['get', 'put', 'delete', 'delete-many', 'list'];
const WRITES: readonly RequestKind[] = ['put', 'delete', 'delete-many'];
const PAGE = '<!doctype html><title>Welcome</title><p>Please log in.';
const HTML = { 'content-type': 'text/html' };

/** A fault of the body of an object: of one that is not there nothing is wrong. */
function ofObject(
  name: string,
  weight: number,
  play: (exchange: Exchange, object: StoredObject, chance: number) => void | Promise<void>,
): Fault {
  return {
    name,
    weight,
    kinds: ['get'],
    play: (exchange, chance) =>
      exchange.object === undefined ? exchange.serve() : play(exchange, exchange.object, chance),
  };
}

function part(body: Buffer, chance: number): Buffer {
  return body.subarray(0, Math.floor(chance * body.length));
}

function flipped(body: Buffer, chance: number): Buffer {
  const copy = Buffer.from(body);
  const index = Math.floor(chance * copy.length);
  if (copy.length > 0) copy.writeUInt8(copy.readUInt8(index) ^ 0x10, index);
  return copy;
}

/** Everything that goes wrong, on the wire and in what the store says. */
export const FAULTS: readonly [Fault, ...Fault[]] = [
  { name: 'reset before an answer', weight: 10, kinds: ALL, play: (exchange) => exchange.reset() },
  { name: 'hung up before an answer', weight: 8, kinds: ALL, play: (exchange) => exchange.hangUp() },
  { name: 'no answer', weight: 8, kinds: ALL, play: () => undefined },
  { name: 'SlowDown', weight: 12, kinds: ALL, play: (exchange) => exchange.sendError(503, 'SlowDown') },
  {
    name: 'InternalError',
    weight: 12,
    kinds: ALL,
    play: (exchange) => exchange.sendError(500, 'InternalError'),
  },
  {
    name: 'error with 200',
    weight: 8,
    kinds: ALL,
    play: (exchange) => exchange.sendError(200, 'InternalError'),
  },
  { name: 'HTML with 502', weight: 6, kinds: ALL, play: (exchange) => exchange.send(502, HTML, PAGE) },
  { name: 'HTML with 404', weight: 4, kinds: ALL, play: (exchange) => exchange.send(404, HTML, PAGE) },
  { name: 'HTML with 200', weight: 8, kinds: ALL, play: (exchange) => exchange.send(200, HTML, PAGE) },
  { name: 'empty 500', weight: 4, kinds: ALL, play: (exchange) => exchange.send(500, {}) },

  ofObject('stall in the body', 8, (exchange, object, chance) =>
    exchange.startDeclared(object, part(object.body, chance)),
  ),
  ofObject('reset in the body', 10, (exchange, object, chance) =>
    exchange.startDeclared(object, part(object.body, chance), () => exchange.reset()),
  ),
  ofObject('body cut short of its length', 10, (exchange, object, chance) =>
    exchange.startDeclared(object, part(object.body, chance), () => exchange.hangUp()),
  ),
  ofObject('body cut short without a length', 10, (exchange, object, chance) => {
    exchange.startUndeclared(object);
    exchange.response.end(part(object.body, chance));
  }),
  ofObject('last chunk too early', 8, (exchange, object, chance) => {
    exchange.response.writeHead(200, { etag: '"stored"', ...object.headers });
    exchange.response.write(part(object.body, chance));
    exchange.response.end();
  }),
  ofObject('whole body without a length', 6, (exchange, object) => {
    exchange.startUndeclared(object);
    exchange.response.end(object.body);
  }),
  ofObject('body in drips', 6, async ({ response }, { headers, body }) => {
    response.writeHead(200, { etag: '"stored"', ...headers });
    const step = Math.ceil(body.length / 5) || 1;
    for (let start = 0; start < body.length && !response.destroyed; start += step) {
      response.write(body.subarray(start, start + step));
      await delay(5);
    }
    response.end();
  }),

  ofObject('wrong byte', 10, (exchange, { headers, body }, chance) =>
    exchange.sendObject({ headers, body: flipped(body, chance) }),
  ),
  ofObject("another entry's body", 8, (exchange, { headers, body }, chance) => {
    const other = exchange.otherObject(chance)?.body ?? flipped(body, chance);
    exchange.sendObject({ headers, body: other });
  }),
  ofObject('another entry', 10, (exchange, object, chance) =>
    exchange.sendObject(exchange.otherObject(chance) ?? object),
  ),
  ofObject('wrong size in the metadata', 6, (exchange, object) =>
    exchange.sendObject(object, { 'x-amz-meta-size': object.body.length + 1 }),
  ),
  ofObject('more bytes than declared', 6, ({ response }, { headers, body }) => {
    response.writeHead(200, { etag: '"stored"', ...headers });
    response.end(Buffer.concat([body, Buffer.alloc(17)]));
  }),
  ofObject('no metadata', 5, (exchange, { body }) =>
    exchange.sendObject({ headers: { 'content-type': 'image/webp' }, body }),
  ),
  ofObject('stale version', 10, (exchange) => {
    const object = exchange.staleObject();
    return object === undefined ? exchange.sendAbsent(false) : exchange.sendObject(object);
  }),
  ofObject('said to be absent', 5, (exchange) => exchange.sendAbsent(true)),

  {
    name: 'reset while the body comes',
    weight: 8,
    kinds: ['put'],
    early: true,
    async play(exchange) {
      await exchange.receivePart();
      exchange.reset();
    },
  },
  {
    name: 'refused while the body comes',
    weight: 6,
    kinds: ['put'],
    early: true,
    play: (exchange) => exchange.sendError(503, 'SlowDown'),
  },
  {
    name: 'done, then reset',
    weight: 10,
    kinds: WRITES,
    play(exchange) {
      exchange.apply();
      exchange.reset();
    },
  },
  {
    name: 'done, then no answer',
    weight: 8,
    kinds: WRITES,
    play: (exchange) => exchange.apply(),
  },
  {
    name: 'done, then InternalError',
    weight: 8,
    kinds: WRITES,
    play(exchange) {
      exchange.apply();
      exchange.sendError(500, 'InternalError');
    },
  },
  {
    name: 'done late, without an answer',
    weight: 8,
    kinds: WRITES,
    async play(exchange, chance) {
      await delay(chance * 1000);
      exchange.apply();
    },
  },
  {
    name: 'done without an ETag',
    weight: 6,
    kinds: ['put'],
    play(exchange) {
      exchange.apply();
      exchange.send(200, {});
    },
  },
  {
    name: 'deleted in part',
    weight: 20,
    kinds: ['delete-many'],
    play: (exchange, chance) =>
      exchange.serveDeletion((name) => name.charCodeAt(name.length - 1) % 2 === (chance < 0.5 ? 0 : 1)),
  },
];
