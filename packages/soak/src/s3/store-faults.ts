import {
  type Answer,
  deleted,
  type Fault,
  failure,
  type JournaledObjects,
  keysToDelete,
  type Operation,
  type Reply,
  replyOf,
  reset,
  type StoredObject,
  startBody,
  type WireRequest,
} from 'fake-s3';

/** A request that goes wrong. */
export interface Played {
  readonly request: WireRequest;
  readonly objects: JournaledObjects;
  /** Does what is asked, and returns what a sound store would answer. */
  perform(): Exclude<Reply, undefined>;
  /** Does something after so many milliseconds. */
  later(milliseconds: number, action: () => void): void;
}

/** One way in which a request goes wrong. */
export interface StoreFault {
  readonly name: string;
  /** How likely it is beside the others. */
  readonly weight: number;
  readonly operations: readonly Operation[];
  /** Of a fault that strikes before the request's body has arrived. */
  readonly strikesHead?: Reply;
  /** @param chance a random number from 0 up to 1 */
  play(played: Played, chance: number): Reply;
}

const ALL: readonly Operation[] = ['get', 'put', 'delete', 'delete-many', 'list'];
const WRITES: readonly Operation[] = ['put', 'delete', 'delete-many'];
const PAGE = '<!doctype html><title>Welcome</title><p>Please log in.';

const noAnswer: Reply = () => undefined;

function always(name: string, weight: number, fault: Fault, operations = ALL): StoreFault {
  return { name, weight, operations, play: () => replyOf(fault, undefined) };
}

function page(status: number): Fault {
  return {
    kind: 'answer',
    answer: { status, headers: { 'content-type': 'text/html' }, body: PAGE },
  };
}

/** A fault of the body of an object: with one that is not there nothing is wrong. */
function ofObject(
  name: string,
  weight: number,
  play: (object: StoredObject, chance: number, played: Played) => Reply | Fault,
): StoreFault {
  return {
    name,
    weight,
    operations: ['get'],
    play: (played, chance) => {
      const object = played.objects.get(played.request.key);
      if (object === undefined) return undefined;
      const wrong = play(object, chance, played);
      return wrong !== undefined && 'kind' in wrong ? replyOf(wrong, object) : wrong;
    },
  };
}

function head(name: string, weight: number, strikesHead: Reply): StoreFault {
  return { name, weight, operations: ['put'], strikesHead, play: () => undefined };
}

/** A fault of a write that takes effect all the same. */
function done(name: string, weight: number, reply: Reply, operations = WRITES): StoreFault {
  return {
    name,
    weight,
    operations,
    play({ perform }) {
      perform();
      return reply;
    },
  };
}

const place = (body: Buffer, chance: number): number => Math.floor(chance * body.length);

function answerOf({ headers, body }: StoredObject): Answer {
  return { status: 200, headers, body };
}

/** An object that is not the one of a name. */
function otherThan({ objects, request }: Played, chance: number): StoredObject | undefined {
  const others = [...objects.keys()].filter((name) => name !== request.key);
  return objects.get(others[Math.floor(chance * others.length)] ?? '');
}

/** Everything that goes wrong, on the wire and in what the store says. */
export const FAULTS: readonly [StoreFault, ...StoreFault[]] = [
  always('reset before an answer', 10, { kind: 'reset' }),
  always('hung up before an answer', 8, { kind: 'hang-up' }),
  always('no answer', 8, { kind: 'head-hangs' }),
  always('SlowDown', 12, { kind: 'error', status: 503, code: 'SlowDown' }),
  always('InternalError', 12, { kind: 'error', status: 500, code: 'InternalError' }),
  always('error with 200', 8, { kind: 'error', status: 200, code: 'InternalError' }),
  always('HTML with 502', 6, page(502)),
  always('HTML with 404', 4, page(404)),
  always('HTML with 200', 8, page(200)),
  always('empty 500', 4, { kind: 'answer', answer: { status: 500 } }),

  ofObject('stall in the body', 8, ({ body }, chance) => ({
    kind: 'body-hangs',
    after: place(body, chance),
  })),
  ofObject('reset in the body', 10, ({ body }, chance) => ({
    kind: 'body-resets',
    after: place(body, chance),
  })),
  ofObject('body cut short of its length', 10, ({ body }, chance) => ({
    kind: 'body-breaks',
    after: place(body, chance),
  })),
  ofObject('body cut short without a length', 10, ({ body }, chance) => ({
    kind: 'ends-early',
    after: place(body, chance),
    length: 'undeclared',
  })),
  ofObject('last chunk too early', 8, ({ body }, chance) => ({
    kind: 'ends-early',
    after: place(body, chance),
    length: 'chunked',
  })),
  ofObject('whole body without a length', 6, ({ body }) => ({
    kind: 'ends-early',
    after: body.length,
    length: 'undeclared',
  })),
  ofObject('body in drips', 6, ({ body }) => ({ kind: 'slow', bytesPerSecond: body.length * 40 })),

  ofObject('wrong byte', 10, ({ body }, chance) => ({ kind: 'damaged', at: place(body, chance) })),
  ofObject("another entry's body", 8, (object, chance, played) => {
    const other = otherThan(played, chance);
    if (other === undefined) return { kind: 'damaged', at: place(object.body, chance) };
    return answerOf({ headers: object.headers, body: other.body });
  }),
  ofObject('another entry', 10, (object, chance, played) => answerOf(otherThan(played, chance) ?? object)),
  ofObject('wrong size in the metadata', 6, ({ headers, body }) =>
    answerOf({ headers: { ...headers, 'x-amz-meta-size': String(body.length + 1) }, body }),
  ),
  ofObject('more bytes than declared', 6, (object) => (response) => {
    startBody(response, object, 'chunked');
    response.end(Buffer.concat([object.body, Buffer.alloc(17)]));
  }),
  ofObject('no metadata', 5, ({ headers, body }) =>
    answerOf({ headers: { 'content-type': 'image/webp', etag: headers['etag'] ?? '' }, body }),
  ),
  ofObject('stale version', 10, (_object, _chance, { objects, request }) => {
    const object = objects.stale(request.key);
    return object === undefined ? failure(404, 'NoSuchKey') : answerOf(object);
  }),
  ofObject('said to be absent', 5, (_object, _chance, { objects, request }) => {
    objects.deny(request.key);
    return failure(404, 'NoSuchKey');
  }),

  head('reset while the body comes', 8, (response, request) => {
    request.once('readable', () => reset(response));
  }),
  head('refused while the body comes', 6, failure(503, 'SlowDown')),
  done('done, then reset', 10, reset),
  done('done, then no answer', 8, noAnswer),
  done('done, then InternalError', 8, failure(500, 'InternalError')),
  {
    name: 'done late, without an answer',
    weight: 8,
    operations: WRITES,
    play({ perform, later }, chance) {
      later(chance * 1000, perform);
      return noAnswer;
    },
  },
  done('done without an ETag', 6, { status: 200 }, ['put']),
  {
    name: 'deleted in part',
    weight: 20,
    operations: ['delete-many'],
    play({ request, objects }, chance) {
      const fails = (name: string): boolean =>
        name.charCodeAt(name.length - 1) % 2 === (chance < 0.5 ? 0 : 1);
      const keys = Map.groupBy(keysToDelete(request), (name) => (fails(name) ? 'failed' : 'deleted'));
      for (const name of keys.get('deleted') ?? []) objects.delete(name);
      return deleted(keys.get('deleted') ?? [], keys.get('failed'));
    },
  },
];
