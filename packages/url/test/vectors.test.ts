import { NEGOTIATION_TABLE, negotiate, readConfig } from '@imgproxy-cache/core';
import { parseHexList, toCacheRequest, type UrlConfig, UrlParser } from '@imgproxy-cache/url';
import { readUrlConfig } from '@imgproxy-cache/url/environment';
import { describe, expect, it } from 'vitest';
import { refusalOf } from './refusal.js';
import { type Accepted, pairsOf, type UrlVector, VECTORS } from './vectors/read-vectors.js';

const NOW = () => Date.UTC(2026, 10, 1);

/** imgproxy crashes here and answers 500; a forged signature is refused instead. */
const CRASHES_IMGPROXY = 'sig empty path panics (500) when keys set';
/** Here imgproxy was made to read hints, which its variable does not make it. */
const FORCED_HINTS = 'client hints forced, bad sec-ch falls to legacy';
/** Its source is not said, since it is no text. */
const WITHOUT_SOURCE = 'sig imgproxy unit vector path "asd" (not a valid image path)';

const ALL = [...VECTORS.urlGrammar, ...VECTORS.signature];

function configOf(vector: UrlVector): Partial<UrlConfig> {
  return {
    ...readUrlConfig(vector.env ?? {}),
    ...(vector.keysHex && { keys: parseHexList(vector.keysHex.join(',')) }),
    ...(vector.saltsHex && { salts: parseHexList(vector.saltsHex.join(',')) }),
    ...(vector.signatureSize !== undefined && { signatureSize: vector.signatureSize }),
    ...(vector.trustedSignatures && { trustedSignatures: vector.trustedSignatures }),
    ...(vector.pathPrefix !== undefined && { pathPrefix: vector.pathPrefix }),
    clientHints: vector.name === FORCED_HINTS,
    now: NOW,
  };
}

/** What imgproxy calls a format that a client accepts. */
const preferencesOf = (formats: readonly string[] = []) =>
  formats.map((format): [string, string] => [`prefer_${format}`, 'true']);

describe(`vectors of ${VECTORS.source}`, () => {
  const vectors = ALL.filter(({ name }) => name !== CRASHES_IMGPROXY);

  it.each(vectors.map((vector) => [vector.name, vector] as const))('%s', (_, vector) => {
    const parser = new UrlParser(configOf(vector));
    const headers = new Headers(vector.requestHeaders);
    if (vector.expect.ok) {
      const image = parser.parse(vector.requestUri, headers);
      const accepted = negotiate(
        headers.get('accept'),
        readConfig(NEGOTIATION_TABLE, vector.env ?? {}).values,
        image.format,
      );
      const { used_presets: presets = [], ...options } = vector.expect.effectiveOptions;
      expect({
        signature: image.signature,
        signedPath: image.signedPath,
        source: image.source.text,
        options: [...image.options, ...preferencesOf(accepted)].sort(),
        presets: image.usedPresets,
        vary: [...(accepted ? ['Accept'] : []), ...parser.vary].join(', ').toLowerCase(),
      }).toEqual({
        signature: vector.expect.signature,
        signedPath: vector.expect.signedPath,
        source: vector.expect.sourceUrl,
        options: pairsOf(options),
        presets,
        vary: (vector.expect.vary ?? '').toLowerCase(),
      });
      expect(image.pipelines).toEqual([image.options]);
      if (vector.name !== WITHOUT_SOURCE)
        expect(Buffer.from(image.source.bytes).toString()).toBe(vector.expect.sourceUrl);
    } else {
      const { status, publicMessage, message } = refusalOf(() => parser.parse(vector.requestUri, headers));
      expect({ status, publicMessage, message }).toEqual({
        status: vector.expect.status,
        publicMessage: vector.expect.publicMessage,
        message: vector.expect.logMessage,
      });
    }
  });

  it.each(
    VECTORS.signature
      .filter(({ expect: { ok } }) => ok)
      .map((vector) => [vector.name, vector, vector.expect as Accepted] as const),
  )('%s: the signature alone', (_, vector, { signature, signedPath }) => {
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
  const cacheRequestsOf = (uris: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const parser = new UrlParser({ ...readUrlConfig(env), now: NOW });
    return uris.map((uri) => toCacheRequest(parser.parse(uri)));
  };

  it.each(VECTORS.keyEquivalence.same.map(({ name, same, env }) => [name, same, env] as const))(
    'same: %s',
    (_, uris, env) => {
      const [first, ...others] = cacheRequestsOf(uris, env);
      for (const other of others) expect(other).toEqual(first);
      expect(others.length).toBeGreaterThan(0);
    },
  );

  it.each(VECTORS.keyEquivalence.distinct.map(({ name, pair, env }) => [name, pair, env] as const))(
    'distinct: %s',
    (_, pair, env) => {
      const [first, second] = cacheRequestsOf(pair, env);
      expect(second).not.toEqual(first);
    },
  );
});

describe('encrypted sources', () => {
  const { keyHex, sourceUrl, encoded } = VECTORS.encryption;
  const [sourceUrlEncryptionKey] = parseHexList(keyHex);
  const uri = `/s/w:5/enc/${encoded.slice(0, 20)}/${encoded.slice(20)}.png`;

  it('are decrypted with the key, from the environment, too', () => {
    for (const config of [
      { sourceUrlEncryptionKey, pro: true },
      readUrlConfig({ IMGPROXY_SOURCE_URL_ENCRYPTION_KEY: keyHex }),
    ])
      expect(new UrlParser(config).parse(uri)).toMatchObject({
        source: { text: sourceUrl, isEncrypted: false },
        format: 'png',
      });
  });

  it('are known by their encrypted text without it', () => {
    const image = new UrlParser({ pro: true }).parse(uri);
    expect(image.source).toMatchObject({ text: encoded, isEncrypted: true });
    // And are no plain source of that name.
    expect(toCacheRequest(image)).not.toEqual(
      toCacheRequest(new UrlParser().parse(`/s/w:5/plain/${encoded}@png`)),
    );
  });
});

describe('every option that imgproxy knows', () => {
  const openSource = new Set(VECTORS.options.openSource.flat());
  const tooMany = ':\0'.repeat(20);
  const answerOf = (name: string, config: Partial<UrlConfig> = {}) =>
    refusalOf(() => new UrlParser(config).parse(`/s/${name}${tooMany}/plain/x`));

  it.each([...openSource])('%s of open-source imgproxy is known', (name) => {
    const { message } = answerOf(name, { allowSecurityOptions: true });
    expect(message).toMatch(/^(Invalid|Missing|Unknown preset)/);
  });

  const pro = VECTORS.options.documented.flat().filter((name) => !openSource.has(name));
  // These take any text, and any number of arguments.
  const TAKE_ANY = new Set(['co', 'cache_tags', 'ct', 'draw_detections', 'dd']);

  it.each(pro)('%s is known to imgproxy Pro alone', (name) => {
    expect(answerOf(name)).toMatchObject({
      code: 'ERR_URL_UNSUPPORTED',
      status: 404,
      message: `Unknown processing option ${name}`,
    });
    if (TAKE_ANY.has(name)) new UrlParser({ pro: true }).parse(`/s/${name}${tooMany}/plain/x`);
    else expect(answerOf(name, { pro: true }).message).toMatch(/^Invalid/);
  });

  it('counts 45 and 87', () => {
    expect(VECTORS.options.openSource).toHaveLength(45);
    expect(VECTORS.options.documented).toHaveLength(87);
  });
});
