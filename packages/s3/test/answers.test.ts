import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { bodyOf, entryOf, expectCode, namesIn, openStore } from './open-driver.js';
import { type Answer, failure, html, xml } from './s3-server.js';

const ERROR_DOCUMENT = xml('<Error><Code>InternalError</Code></Error>');

describe('S11 an answer that lies', () => {
  test.each<readonly [string, Answer]>([
    ['200 with HTML', html()],
    ['200 with HTML and an ETag', { ...html(), headers: { 'content-type': 'text/html', etag: '"x"' } }],
    ['200 with an Error document', ERROR_DOCUMENT],
    ['204', { status: 204 }],
    ['206', { status: 206, headers: { etag: '"x"', 'content-range': 'bytes 0-3/10' }, body: 'part' }],
    ['302 to a page', { status: 302, headers: { location: 'http://portal.example.com/login' } }],
    ['404 with HTML', html(404)],
    ['404 without a body', { status: 404 }],
    ['429 in plain text', { status: 429, headers: { 'content-type': 'text/plain' }, body: 'slow down' }],
    ['503 with HTML', html(503)],
  ])('to a get, %s, is unavailable and no miss', async (_name, answer) => {
    const { server, driver } = await openStore();
    await driver.put('a', entryOf('a'));
    server.script = () => answer;
    await expect(driver.get('a')).rejects.toMatchObject({
      code: expect.stringMatching(/UNAVAILABLE|CONFIG/),
    });
    server.script = () => undefined;
    expect(await bodyOf(driver, 'a')).toBe('body of a');
  });

  test('206 with the entry’s own metadata is no entry', async () => {
    const { server, driver } = await openStore();
    await driver.put('a', entryOf('a'));
    const stored = server.bucket().objects.get('a');
    server.script = () => ({ status: 206, ...stored, body: stored?.body.subarray(0, 4) ?? '' });
    await expectCode(driver.get('a'), 'ERR_CACHE_UNAVAILABLE', /206/);
  });

  test.each<readonly [string, Answer]>([
    [
      'an object of a stranger',
      { status: 200, headers: { etag: '"x"', 'content-type': 'image/png' }, body: 'x' },
    ],
    [
      'malformed metadata',
      {
        status: 200,
        headers: { etag: '"x"', 'x-amz-meta-version': '1', 'x-amz-meta-size': 'many' },
        body: 'x',
      },
    ],
  ])('to a get, %s is corrupt', async (_name, answer) => {
    const { server, driver } = await openStore();
    server.script = () => answer;
    await expect(driver.get('a')).rejects.toMatchObject({ code: 'ERR_CACHE_CORRUPT' });
  });

  test('to a get, the entry of a newer version is unsupported', async () => {
    const { server, driver } = await openStore();
    server.script = () => ({ status: 200, headers: { etag: '"x"', 'x-amz-meta-version': '2' }, body: 'x' });
    await expect(driver.get('a')).rejects.toMatchObject({ code: 'ERR_CACHE_UNSUPPORTED' });
  });

  test.each([
    [400, 'KeyTooLongError'],
    [501, 'NotImplemented'],
  ])('to a get, %i %s is no entry of a newer version', async (status, code) => {
    const { server, driver } = await openStore();
    server.script = () => failure(status, code);
    await expect(driver.get('a')).rejects.toMatchObject({ code: 'ERR_CACHE_UNAVAILABLE', retryable: false });
  });

  test('a name that is none reaches no server', async () => {
    const { server, driver } = await openStore();
    for (const name of ['', '../x', 'a//b', 'a/../b', '/a', 'a/', 'é']) {
      expect(await driver.get(name)).toBeUndefined();
      await expect(driver.put(name, entryOf('a'))).rejects.toMatchObject({ code: 'ERR_CACHE_UNSUPPORTED' });
      await expect(driver.delete(['a', name])).rejects.toMatchObject({ code: 'ERR_CACHE_UNSUPPORTED' });
    }
    expect(server.requests).toEqual([]);
  });

  test('to a get, another length than the entry’s is corrupt', async () => {
    const { server, driver } = await openStore();
    await driver.put('a', entryOf('a'));
    const stored = server.bucket().objects.get('a');
    server.script = () => ({ status: 200, ...stored, body: 'shorter' });
    await expectCode(driver.get('a'), 'ERR_CACHE_CORRUPT', /7 bytes/);
  });

  test.each<readonly [string, Answer]>([
    ['HTML', html()],
    ['no ETag', { status: 200 }],
    ['an Error document', ERROR_DOCUMENT],
  ])('to a put, 200 with %s, stores nothing', async (_name, answer) => {
    const { server, driver } = await openStore();
    server.script = () => answer;
    await expectCode(driver.put('a', entryOf('a')), 'ERR_CACHE_UNAVAILABLE');
  });

  test('to a put that another one has overtaken, as Swift gives it, is followed by the put again', async () => {
    const { server, driver } = await openStore();
    const overtaken = { ...html(), body: '<html><h1>Accepted</h1></html>' };
    server.script = () => (server.requests.length === 1 ? overtaken : undefined);
    await driver.put('a', entryOf('a'));
    expect(server.requests).toHaveLength(2);
    expect(await bodyOf(driver, 'a')).toBe('body of a');
  });

  test('to a delete, an empty page of HTML, as Swift gives it, is a success', async () => {
    const { server, driver } = await openStore();
    server.script = () => ({ status: 204, headers: { 'content-type': 'text/html; charset=UTF-8' } });
    await driver.delete(['a']);
    expect(server.requests).toHaveLength(1);
  });

  test.each<readonly [string, Answer]>([
    ['HTML', html()],
    ['nothing', { status: 200 }],
    ['another document', xml('<Welcome/>')],
    ['an Error document', ERROR_DOCUMENT],
    ['a listing without an end', xml('<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>')],
  ])('to a list or a delete, 200 with %s, is no empty one', async (_name, answer) => {
    const { server, driver } = await openStore();
    server.script = () => answer;
    await expectCode(namesIn(driver, ''), 'ERR_CACHE_UNAVAILABLE');
    await expect(driver.delete(['a', 'b'])).rejects.toMatchObject({
      code: 'ERR_CACHE_UNAVAILABLE',
      failedNames: ['a', 'b'],
    });
    if (answer.headers?.['content-type'] === 'text/html') {
      await expectCode(driver.delete(['a']), 'ERR_CACHE_UNAVAILABLE');
    }
  });

  test('to a list, a token that comes again ends it', async () => {
    const { server, driver } = await openStore();
    server.script = () =>
      xml(
        '<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken><Contents><Key>a</Key></Contents></ListBucketResult>',
      );
    await expectCode(namesIn(driver, ''), 'ERR_CACHE_UNAVAILABLE');
    expect(server.requests).toHaveLength(2);
  });

  test('to a list, a document without end is given up', async () => {
    const { server, driver } = await openStore();
    const chunk = Buffer.alloc(1024 * 1024, ' ');
    server.script = () => (response) => {
      response.writeHead(200, { 'content-type': 'application/xml' });
      const pour = (): void => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on('drain', pour).write('<?xml version="1.0"?><ListBucketResult>');
      pour();
    };
    await expectCode(namesIn(driver, ''), 'ERR_CACHE_UNAVAILABLE');
  });

  test('to a delete, a name that was neither deleted nor refused is deleted by itself', async () => {
    const { server, driver } = await openStore();
    for (const name of ['a', 'b', 'c']) await driver.put(name, entryOf(name));
    server.script = ({ query }) =>
      query.has('delete')
        ? xml(
            '<DeleteResult><Deleted><Key>a</Key></Deleted><Error><Key>b</Key><Code>InternalError</Code></Error></DeleteResult>',
          )
        : undefined;
    await driver.delete(['a', 'b', 'c']);
    expect([...server.bucket().objects.keys()]).toEqual(['a']);
  });
});

describe('S12 a miss', () => {
  test('is NoSuchKey', async () => {
    const { driver } = await openStore();
    expect(await driver.get('absent')).toBeUndefined();
  });

  test('is not a bucket that does not exist', async () => {
    const { driver } = await openStore({ bucket: 'nowhere' });
    await expectCode(driver.get('a'), 'ERR_CACHE_NO_BUCKET', /IMGPROXY_CACHE_BUCKET/);
    await expectCode(driver.put('a', entryOf('a')), 'ERR_CACHE_NO_BUCKET');
  });

  test('is not a refused right, before check() has found that the right to list is missing', async () => {
    const { server, driver } = await openStore();
    server.script = ({ method, key }) => {
      const absent = method === 'GET' && key !== '' && !server.bucket().objects.has(key);
      const listing = method === 'GET' && key === '';
      return absent || listing ? failure(403, 'AccessDenied') : undefined;
    };
    await expectCode(
      driver.get('absent'),
      'ERR_CACHE_ACCESS_DENIED',
      /"s3:GetObject".*arn:aws:s3:::cache\/\*/,
    );
    const { ok, findings } = await driver.check();
    expect(ok).toBe(true);
    expect(findings).toContainEqual(
      expect.objectContaining({
        level: 'warning',
        subject: 'list',
        message: expect.stringContaining('"Action": "s3:ListBucket", "Resource": "arn:aws:s3:::cache"'),
      }),
    );
    expect(await driver.get('absent')).toBeUndefined();
    server.script = () => failure(403, 'InvalidAccessKeyId');
    await expectCode(driver.get('absent'), 'ERR_CACHE_ACCESS_DENIED', /AWS_ACCESS_KEY_ID/);
    server.script = () => undefined;
    await driver.check();
    server.script = () => failure(403, 'AccessDenied');
    await expectCode(driver.get('absent'), 'ERR_CACHE_ACCESS_DENIED');
  });
});

describe('an error whose document does not end', () => {
  test.each([
    ['pours', true],
    ['is silent', false],
  ])('and %s means what its status says, soon', async (_how, pours) => {
    const { server, driver, clock } = await openStore();
    await driver.put('a', entryOf('a'));
    server.script = () => (response) => {
      const write = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(64 * 1024, 'x')));
      };
      response.writeHead(403, { 'content-type': 'application/xml', 'content-length': 10_000_000_000 });
      response.write('<?xml version="1.0"?><Error><Code>');
      if (pours) response.on('drain', write).once('error', () => {});
      if (pours) write();
    };
    const advancing = setInterval(() => clock.advance(100), 5);
    onTestFinished(() => clearInterval(advancing));
    const started = clock.monotonic();
    await expectCode(driver.get('a'), 'ERR_CACHE_ACCESS_DENIED');
    // A silence would be given up after ten seconds.
    expect(clock.monotonic() - started).toBeLessThan(8_000);
    await expectCode(driver.put('a', entryOf('a')), 'ERR_CACHE_ACCESS_DENIED');
    await expectCode(driver.delete(['a']), 'ERR_CACHE_ACCESS_DENIED');
    await vi.waitFor(() => expect(server.openConnections).toBe(0));
  });
});

test.each([
  [403, 'SignatureDoesNotMatch', 'ERR_CACHE_ACCESS_DENIED', /another signature/],
  [401, 'Unauthorized', 'ERR_CACHE_ACCESS_DENIED', /AWS_ACCESS_KEY_ID/],
  [400, 'EntityTooLarge', 'ERR_CACHE_TOO_LARGE', /IMGPROXY_CACHE_MAX_ENTRY_SIZE/],
  [413, 'Payload', 'ERR_CACHE_TOO_LARGE', /IMGPROXY_CACHE_MAX_ENTRY_SIZE/],
  [403, 'QuotaExceeded', 'ERR_CACHE_NO_SPACE', /quota/],
  [507, 'XMinioStorageFull', 'ERR_CACHE_NO_SPACE', /full/],
  [501, 'NotImplemented', 'ERR_CACHE_UNSUPPORTED', /NotImplemented, status 501/],
  [400, 'KeyTooLongError', 'ERR_CACHE_UNSUPPORTED', /KeyTooLongError/],
  [400, 'InvalidRegionName', 'ERR_CACHE_CONFIG', /IMGPROXY_CACHE_S3_REGION/],
  [400, 'constructor', 'ERR_CACHE_UNSUPPORTED', /constructor, status 400/],
  [403, 'toString', 'ERR_CACHE_ACCESS_DENIED', /s3:PutObject/],
  [500, 'InternalError', 'ERR_CACHE_UNAVAILABLE', /InternalError, status 500/],
  [400, 'AuthorizationHeaderMalformed', 'ERR_CACHE_CONFIG', /IMGPROXY_CACHE_S3_REGION/],
] as const)('%i %s has a code and says what to do', async (status, code, cacheCode, message) => {
  const { server, driver } = await openStore();
  server.script = () => failure(status, code);
  await expectCode(driver.put('a', entryOf('a')), cacheCode, message);
});

test('no error shows a secret, a signature or what a store has written', async () => {
  const { server, driver } = await openStore();
  const seen: string[] = [];
  const collect = async (operation: Promise<unknown>): Promise<void> => {
    const error = await operation.then(
      () => expect.fail('it must fail'),
      (thrown: Error) => thrown,
    );
    seen.push(error.message, JSON.stringify(error));
  };
  for (const status of [302, 400, 403, 404, 500]) {
    server.script = ({ headers }) =>
      failure(status, `X${headers.authorization}`, `<Message>${headers.authorization}</Message>`);
    await collect(driver.get('a'));
    await collect(driver.put('a', entryOf('a')));
    await collect(driver.delete(['a', 'b']));
  }
  expect(seen).toHaveLength(30);
  for (const text of seen) expect(text).not.toMatch(/test-secret|Signature=|AWS4-HMAC|Credential=/);
});
