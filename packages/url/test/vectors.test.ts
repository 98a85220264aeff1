import {
  parseHexList,
  readUrlConfig,
  toCacheRequest,
  type UrlConfig,
  UrlConfigError,
  UrlParser,
} from '@imgproxy-cache/url';
import { describe, expect, it } from 'vitest';
import { refusalOf } from './refusal.js';
import { type Accepted, pairsOf, type UrlVector, VECTORS } from './vectors/read-vectors.js';

const NOW = () => Date.UTC(2026, 10, 1);

/** Vectors that use what is outside of the supported subset, with the options or variables that are refused. */
const OUTSIDE_THE_SUBSET: ReadonlyMap<string, string> = new Map([
  ['only presets unknown', 'IMGPROXY_ONLY_PRESETS'],
  ['default preset applied first', 'IMGPROXY_PRESETS'],
  ['preset == options', 'IMGPROXY_PRESETS'],
  ['preset order matters (before)', 'IMGPROXY_PRESETS'],
  ['bool t/T/TRUE/True/1', 'raw'],
  ['opt eq1~ rs enlarge0 explicit', 'extend'],
  ['opt blur hex float', 'bl'],
  ['opt zoom two', 'z'],
  ['opt gravity sm deletes offsets', 'g'],
  ['opt gravity fp missing', 'g'],
  ['opt gravity fp out of range', 'g'],
  ['opt gravity ce explicit default', 'g'],
  ['opt extend bool only', 'ex'],
  ['opt size 7 args max', 'extend'],
  ['opt crop ', 'c'],
  ['opt crop one', 'c'],
  ['opt pad 1', 'pd'],
  ['opt pad skip', 'pd'],
  ['opt pad 5', 'pd'],
  ['opt trim color', 't'],
  ['opt rotate 450', 'rot'],
  ['opt rotate -90', 'rot'],
  ['opt flip :1', 'fl'],
  ['opt wm re', 'wm'],
  ['opt fq', 'fq'],
  ['opt fq zero', 'fq'],
  ['opt skp repeat accumulates', 'skp'],
  ['opt eth', 'eth'],
  ['opt scp', 'scp'],
  ['opt extend_ar', 'extend_ar'],
  ['sig trusted', 'g'],
  ['sig size 8', 'g'],
]);

/** imgproxy crashes here and answers 500; a forged signature is refused instead. */
const CRASHES_IMGPROXY = 'sig empty path panics (500) when keys set';

const ALL = [...VECTORS.urlGrammar, ...VECTORS.signature];
const INSIDE = ALL.filter(({ name }) => !OUTSIDE_THE_SUBSET.has(name) && name !== CRASHES_IMGPROXY);
const OUTSIDE = ALL.filter(({ name }) => OUTSIDE_THE_SUBSET.has(name));

function configOf(vector: UrlVector): Partial<UrlConfig> {
  return {
    ...readUrlConfig(vector.env ?? {}),
    ...(vector.keysHex && { keys: parseHexList(vector.keysHex.join(',')) }),
    ...(vector.saltsHex && { salts: parseHexList(vector.saltsHex.join(',')) }),
    ...(vector.signatureSize !== undefined && { signatureSize: vector.signatureSize }),
    ...(vector.trustedSignatures && { trustedSignatures: vector.trustedSignatures }),
    ...(vector.pathPrefix !== undefined && { pathPrefix: vector.pathPrefix }),
    now: NOW,
  };
}

describe(`vectors of ${VECTORS.source}`, () => {
  it('knows every vector that is outside of the subset', () => {
    expect(OUTSIDE.map(({ name }) => name).sort()).toEqual([...OUTSIDE_THE_SUBSET.keys()].sort());
  });

  it.each(INSIDE.map((vector) => [vector.name, vector] as const))('%s', (_, vector) => {
    const parser = new UrlParser(configOf(vector));
    if (vector.expect.ok) {
      const { signature, signedPath, source, options } = parser.parse(vector.requestUri);
      expect({ signature, signedPath, source: source.text, options }).toEqual({
        signature: vector.expect.signature,
        signedPath: vector.expect.signedPath,
        source: vector.expect.sourceUrl,
        options: pairsOf(vector.expect.effectiveOptions),
      });
    } else {
      const { status, publicMessage, message } = refusalOf(() => parser.parse(vector.requestUri));
      expect({ status, publicMessage, message }).toEqual({
        status: vector.expect.status,
        publicMessage: vector.expect.publicMessage,
        message: vector.expect.logMessage,
      });
    }
  });

  it.each(OUTSIDE.map((vector) => [vector.name, vector] as const))(
    'outside the subset: %s is refused and not misread',
    (_, vector) => {
      const refused = OUTSIDE_THE_SUBSET.get(vector.name) ?? '';
      if (refused.startsWith('IMGPROXY_')) {
        expect(() => configOf(vector)).toThrow(UrlConfigError);
        expect(() => configOf(vector)).toThrow(refused);
        return;
      }
      const parser = new UrlParser(configOf(vector));
      expect(refusalOf(() => parser.parse(vector.requestUri))).toMatchObject({
        code: 'ERR_URL_UNSUPPORTED',
        status: 404,
        publicMessage: 'Invalid URL',
        message: `Processing option ${refused} is not supported here`,
      });
    },
  );

  it.each(
    OUTSIDE.filter(({ expect: { ok } }) => ok)
      .filter(({ name }) => name.startsWith('sig '))
      .map((vector) => [vector.name, vector] as const),
  )('%s: the signature is right, whatever the options', (_, vector) => {
    const { signature, signedPath } = vector.expect as Accepted;
    expect(new UrlParser(configOf(vector)).verify(vector.requestUri)).toEqual({ signature, signedPath });
  });

  it('refuses an empty path with a forged signature, where imgproxy crashes', () => {
    const vector = ALL.find(({ name }) => name === CRASHES_IMGPROXY);
    if (vector === undefined) throw new Error('The vector is missing');
    expect(refusalOf(() => new UrlParser(configOf(vector)).parse(vector.requestUri))).toMatchObject({
      status: 403,
      publicMessage: 'Forbidden',
    });
  });
});

describe('equal and distinct requests', () => {
  const cacheRequestsOf = (uris: readonly string[]) => {
    const parser = new UrlParser({ now: NOW });
    return uris.map((uri) => toCacheRequest(parser.parse(uri)));
  };

  it.each(VECTORS.keyEquivalence.same.map(({ name, same }) => [name, same] as const))(
    'same: %s',
    (_, uris) => {
      const [first, ...others] = cacheRequestsOf(uris);
      for (const other of others) expect(other).toEqual(first);
      expect(others.length).toBeGreaterThan(0);
    },
  );

  const usesOnly = (uris: readonly string[]) => !uris.some((uri) => /\/(?:pr|g):/.test(uri));
  const distinct = VECTORS.keyEquivalence.distinct.map(({ name, pair }) => [name, pair] as const);

  it.each(distinct.filter(([, pair]) => usesOnly(pair)))('distinct: %s', (_, pair) => {
    const [first, second] = cacheRequestsOf(pair);
    expect(second).not.toEqual(first);
  });

  it.each(distinct.filter(([, pair]) => !usesOnly(pair)))('outside the subset: %s', (_, pair) => {
    const parser = new UrlParser();
    for (const uri of pair) {
      expect(refusalOf(() => parser.parse(uri)).message).toMatch(
        /^Processing option (pr|g) is not supported here$/,
      );
    }
  });
});

describe('every option that imgproxy knows', () => {
  const SUPPORTED = new Set(
    'resize rs size s resizing_type rt width w height h dpr enlarge el background bg quality q format f ext'
      .concat(' cachebuster cb expires exp filename fn return_attachment att')
      .split(' '),
  );
  const SECURITY = /^(max_src_.*|max_animation_.*|max_result_.*|msr|msfs|maf|mafr|mrd)$/;
  const answerOf = (name: string) =>
    refusalOf(() => new UrlParser().parse(`/s/${name}:\0:\0:\0:\0:\0:\0:\0:\0:\0/plain/x`));

  it.each(VECTORS.options.openSource.flat())('%s is supported, or refused by name', (name) => {
    const answer = answerOf(name);
    if (SUPPORTED.has(name)) expect(answer.message).toMatch(/^Invalid .* arguments/);
    else if (SECURITY.test(name)) expect(answer).toMatchObject({ status: 403, publicMessage: 'Invalid URL' });
    else expect(answer.message).toBe(`Processing option ${name} is not supported here`);
  });

  it.each(VECTORS.options.pro.filter((name) => !SUPPORTED.has(name)))(
    '%s of imgproxy Pro is unknown, and said to be unsupported',
    (name) => {
      expect(answerOf(name)).toMatchObject({
        code: 'ERR_URL_UNSUPPORTED',
        status: 404,
        message: `Unknown processing option ${name}`,
      });
    },
  );
});
