import {
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

/** A request that is to fail. */
export interface Played {
  readonly request: WireRequest;
  readonly objects: JournaledObjects;
  /** A random number from 0 up to 1. */
  readonly chance: number;
  /** Does what is requested, and returns what a sound store would answer. */
  perform(): Exclude<Reply, undefined>;
  /** Does something after so many milliseconds. */
  later(milliseconds: number, action: () => void): void;
}

/** One way in which a request fails: before its body has arrived, or after. */
export type StoreFault = {
  readonly name: string;
  readonly weight: number;
  readonly operations: readonly Operation[];
} & ({ readonly head: Reply } | { play(played: Played): Reply });

const ALL: readonly Operation[] = ['get', 'put', 'delete', 'delete-many', 'list'];
const WRITES: readonly Operation[] = ['put', 'delete', 'delete-many'];

const noAnswer: Reply = () => undefined;

/** Any request is answered in this way. */
function always(name: string, weight: number, fault: Fault): StoreFault {
  return { name, weight, operations: ALL, play: () => replyOf(fault, undefined) };
}

function page(name: string, weight: number, status: number): StoreFault {
  const body = '<!doctype html><title>Welcome</title><p>Please log in.';
  return always(name, weight, {
    kind: 'answer',
    answer: { status, headers: { 'content-type': 'text/html' }, body },
  });
}

/** A get of an object that exists is answered in this way. `place` is a random offset in its body. */
function ofObject(
  name: string,
  weight: number,
  play: (object: StoredObject, place: number, played: Played) => Reply | Fault,
): StoreFault {
  return {
    name,
    weight,
    operations: ['get'],
    play: (played) => {
      const object = played.objects.get(played.request.key);
      if (object === undefined) return undefined;
      const wrong = play(object, Math.floor(played.chance * object.body.length), played);
      return wrong !== undefined && 'kind' in wrong ? replyOf(wrong, object) : wrong;
    },
  };
}

/** A write takes effect, and is answered in this way. */
function done(name: string, weight: number, reply: Reply, operations = WRITES): StoreFault {
  const play = ({ perform }: Played): Reply => {
    perform();
    return reply;
  };
  return { name, weight, operations, play };
}

/** An object of another name. */
function otherThan({ objects, request, chance }: Played): StoredObject | undefined {
  const others = [...objects.keys()].filter((name) => name !== request.key);
  return objects.get(others[Math.floor(chance * others.length)] ?? '');
}

/** Everything that fails, on the wire and in what the store says. */
export const STORE_FAULTS: readonly StoreFault[] = [
  always('reset before an answer', 10, { kind: 'reset' }),
  always('hung up before an answer', 8, { kind: 'hang-up' }),
  always('no answer', 8, { kind: 'head-hangs' }),
  always('SlowDown', 12, { kind: 'error', status: 503, code: 'SlowDown' }),
  always('InternalError', 12, { kind: 'error', status: 500, code: 'InternalError' }),
  always('error with 200', 8, { kind: 'error', status: 200, code: 'InternalError' }),
  always('empty 500', 4, { kind: 'answer', answer: { status: 500 } }),
  page('HTML with 502', 6, 502),
  page('HTML with 404', 4, 404),
  page('HTML with 200', 8, 200),

  ofObject('stall in the body', 8, (_, after) => ({ kind: 'body-hangs', after })),
  ofObject('reset in the body', 10, (_, after) => ({ kind: 'body-resets', after })),
  ofObject('body cut short of its length', 10, (_, after) => ({ kind: 'body-breaks', after })),
  ofObject('body cut short without a length', 10, (_, after) => ({
    kind: 'ends-early',
    after,
    length: 'undeclared',
  })),
  ofObject('last chunk too early', 8, (_, after) => ({ kind: 'ends-early', after, length: 'chunked' })),
  ofObject('whole body without a length', 6, ({ body }) => ({
    kind: 'ends-early',
    after: body.length,
    length: 'undeclared',
  })),
  ofObject('body in drips', 6, ({ body }) => ({ kind: 'slow', bytesPerSecond: body.length * 40 })),
  ofObject('more bytes than declared', 6, (object) => (response) => {
    startBody(response, object, 'chunked');
    response.end(Buffer.concat([object.body, Buffer.alloc(17)]));
  }),

  ofObject('wrong byte', 10, (_, at) => ({ kind: 'damaged', at })),
  ofObject("another entry's body", 8, ({ headers }, at, played) => {
    const other = otherThan(played);
    return other === undefined ? { kind: 'damaged', at } : { status: 200, headers, body: other.body };
  }),
  ofObject('another entry', 10, (object, _, played) => ({ status: 200, ...(otherThan(played) ?? object) })),
  ofObject('wrong size in the metadata', 6, ({ headers, body }) => ({
    status: 200,
    headers: { ...headers, 'x-amz-meta-size': String(body.length + 1) },
    body,
  })),
  ofObject('no metadata', 5, ({ headers, body }) => ({
    status: 200,
    headers: { 'content-type': 'image/webp', etag: headers['etag'] ?? '' },
    body,
  })),
  ofObject('stale version', 10, (_object, _place, { objects, request }) => {
    const object = objects.stale(request.key);
    return object === undefined ? failure(404, 'NoSuchKey') : { status: 200, ...object };
  }),
  ofObject('said to be absent', 5, (_object, _place, { objects, request }) => {
    objects.deny(request.key);
    return failure(404, 'NoSuchKey');
  }),

  {
    name: 'reset during the body of a put',
    weight: 8,
    operations: ['put'],
    head: (response, request) => void request.once('readable', () => reset(response)),
  },
  {
    name: 'refused during the body of a put',
    weight: 6,
    operations: ['put'],
    head: failure(503, 'SlowDown'),
  },
  done('done, then reset', 10, reset),
  done('done, then no answer', 8, noAnswer),
  done('done, then InternalError', 8, failure(500, 'InternalError')),
  done('done without an ETag', 6, { status: 200 }, ['put']),
  {
    name: 'done late, without an answer',
    weight: 8,
    operations: WRITES,
    play({ perform, later, chance }) {
      later(chance * 1000, perform);
      return noAnswer;
    },
  },
  {
    name: 'deleted in part',
    weight: 20,
    operations: ['delete-many'],
    play({ request, objects, chance }) {
      const fails = (name: string): boolean =>
        name.charCodeAt(name.length - 1) % 2 === (chance < 0.5 ? 0 : 1);
      const names = keysToDelete(request);
      const gone = names.filter((name) => !fails(name));
      for (const name of gone) objects.delete(name);
      return deleted(gone, names.filter(fails));
    },
  },
];
