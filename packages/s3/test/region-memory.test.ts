import { describe, expect, test } from 'vitest';
import { bodyOf, entryOf, expectCode, namesIn, type OpenStore, openStore } from './open-driver.js';
import { type Answer, failure, type Reply, redirectWithHeader, type WireRequest } from './s3-server.js';

const FOREIGN = 'eu-central-1';

type Form = (region: string, request: WireRequest) => Reply;

/** What S3 and its kin say; the number of extra requests that the first one costs. */
const FORMS: readonly (readonly [form: string, answer: Form, extra: number])[] = [
  ['301 with x-amz-bucket-region', redirectWithHeader, 1],
  [
    '301 with x-amz-bucket-region and no body',
    (region) => ({ status: 301, headers: { 'x-amz-bucket-region': region } }),
    1,
  ],
  ['301 whose body names the region', (region) => failure(301, 'PermanentRedirect', element(region)), 1],
  ['307 with x-amz-bucket-region', withHeader(307, 'TemporaryRedirect'), 1],
  ['302 with x-amz-bucket-region', withHeader(302, 'Found'), 1],
  [
    '400 AuthorizationHeaderMalformed with Region',
    (region) => failure(400, 'AuthorizationHeaderMalformed', element(region)),
    1,
  ],
  [
    '400 AuthorizationHeaderMalformed whose message names the region',
    (region) => ({
      status: 400,
      body: `<Error><Code>AuthorizationHeaderMalformed</Code><Message>the region 'us-west-1' is wrong; expecting '${region}'</Message></Error>`,
    }),
    1,
  ],
  [
    '400 IllegalLocationConstraintException with x-amz-bucket-region',
    withHeader(400, 'IllegalLocationConstraintException'),
    1,
  ],
  ['400 with nothing but x-amz-bucket-region', withHeader(400, 'BadRequest'), 1],
  ['403 with x-amz-bucket-region', withHeader(403, 'AccessDenied'), 1],
  ['403 with Region', (region) => failure(403, 'AccessDenied', element(region)), 1],
  [
    '400 IllegalLocationConstraintException without a region, found by HeadBucket',
    unlessHead(failure(400, 'IllegalLocationConstraintException')),
    2,
  ],
  [
    '301 with nothing but a Location here, found by HeadBucket',
    unlessHead({ status: 301, headers: { location: '/elsewhere' } }),
    2,
  ],
  ['307 without a region, found by HeadBucket', unlessHead(failure(307, 'TemporaryRedirect')), 2],
  [
    '400 without a body, and a HEAD that is 400 without a header, found by GetBucketLocation',
    (region, { method, query }) => {
      if (query.has('location')) return failure(400, 'AuthorizationHeaderMalformed', element(region));
      return method === 'HEAD' ? { status: 400 } : failure(400, 'IllegalLocationConstraintException');
    },
    3,
  ],
  [
    '301 everywhere but at GetBucketLocation',
    (_region, { query }) => (query.has('location') ? undefined : { status: 301 }),
    3,
  ],
];

function element(region: string): string {
  return `<Region>${region}</Region>`;
}

function withHeader(status: number, code: string): Form {
  return (region) => failure(status, code, '', { 'x-amz-bucket-region': region });
}

function unlessHead(answer: Answer): Form {
  return (region, { method }) =>
    method === 'HEAD' ? { status: 403, headers: { 'x-amz-bucket-region': region } } : answer;
}

async function openForeign(form: Form): Promise<OpenStore> {
  const store = await openStore();
  store.server.bucket().region = FOREIGN;
  store.server.wrongRegion = form;
  return store;
}

describe('S22 a bucket in another region', () => {
  test.each(FORMS)('%s', async (_form, answer, extra) => {
    const { server, driver, events } = await openForeign(answer);

    await driver.put('a', entryOf('a'));
    expect(server.requests).toHaveLength(1 + extra);
    expect(server.requests.at(-1)).toMatchObject({ method: 'PUT', authorization: { region: FOREIGN } });
    expect(server.bucket().objects.get('a')?.body.toString()).toBe('body of a');

    expect(await bodyOf(driver, 'a')).toBe('body of a');
    expect(await bodyOf(driver, 'b')).toBeUndefined();
    expect(await namesIn(driver, '')).toEqual(['a']);
    await driver.delete(['a', 'b']);
    expect(server.requests).toHaveLength(1 + extra + 4);
    expect(events).toEqual([
      { kind: 'region-learned', level: 'info', message: expect.stringContaining(FOREIGN) },
    ]);
  });

  test.each(['get', 'list', 'delete', 'check'] as const)(
    'is found by %s as the first request',
    async (first) => {
      const { server, driver } = await openForeign(redirectWithHeader);
      const firsts = {
        get: () => driver.get('a'),
        list: () => namesIn(driver, ''),
        delete: () => driver.delete(['a']),
        check: () => driver.check(),
      };
      await firsts[first]();
      const [refused, ...followed] = server.requests.map(({ authorization }) => authorization?.region);
      expect(refused).toBe('us-west-1');
      expect(new Set(followed)).toEqual(new Set([FOREIGN]));
    },
  );

  test('costs one extra round trip, and a thousand later requests none', async () => {
    const { server, driver } = await openForeign(redirectWithHeader);
    for (let request = 0; request < 1001; request += 1) await driver.get('absent');
    expect(server.requests).toHaveLength(1002);
  });

  test('is discovered once for a hundred concurrent first requests', async () => {
    const { server, driver, events } = await openForeign(unlessHead({ status: 301 }));
    await Promise.all(
      Array.from({ length: 100 }, (_, index) => driver.put(`n${index}`, entryOf(`n${index}`))),
    );
    expect(server.requests.filter(({ method }) => method === 'HEAD')).toHaveLength(1);
    expect(server.requests.filter(({ query }) => query.has('location'))).toHaveLength(0);
    expect(server.bucket().objects.size).toBe(100);
    expect(server.requests.length).toBeLessThanOrEqual(201);
    expect(events.map(({ kind }) => kind)).toEqual(['region-learned']);
  });

  test('is found again after it has moved, and back', async () => {
    const { server, driver, events } = await openForeign(redirectWithHeader);
    await driver.put('a', entryOf('a'));
    server.bucket().region = 'ap-south-1';
    expect(await bodyOf(driver, 'a')).toBe('body of a');
    server.bucket().region = 'us-west-1';
    expect(await bodyOf(driver, 'a')).toBe('body of a');
    expect(await bodyOf(driver, 'a')).toBe('body of a');
    expect(server.requests).toHaveLength(2 + 2 + 2 + 1);
    expect(events.map(({ kind }) => kind)).toEqual([
      'region-learned',
      'region-corrected',
      'region-corrected',
    ]);
  });

  test('that was deleted where it was is looked for from the beginning', async () => {
    const { server, driver } = await openForeign(redirectWithHeader);
    await driver.get('a');
    server.buckets.delete('cache');
    await expectCode(driver.get('a'), 'ERR_CACHE_NO_BUCKET', /IMGPROXY_CACHE_BUCKET/);
    await expectCode(driver.get('a'), 'ERR_CACHE_NO_BUCKET');
    expect(server.requests.at(-1)?.authorization?.region).toBe('us-west-1');
  });

  test('is never followed in a loop', async () => {
    const { server, driver } = await openStore();
    server.script = ({ authorization }) =>
      redirectWithHeader(authorization?.region === 'us-west-1' ? FOREIGN : 'us-west-1');
    await expectCode(driver.get('a'), 'ERR_CACHE_UNAVAILABLE', /us-west-1/);
    expect(server.requests).toHaveLength(2);
    server.script = () => undefined;
    expect(await driver.get('a')).toBeUndefined();
    expect(server.requests).toHaveLength(3);
  });

  test('that nobody can name is asked for once, and the variable is named', async () => {
    const { server, driver, clock } = await openForeign(() => failure(400, 'AuthorizationHeaderMalformed'));
    await expectCode(driver.get('a'), 'ERR_CACHE_CONFIG', /IMGPROXY_CACHE_S3_REGION/);
    expect(server.requests).toHaveLength(3);
    await expectCode(driver.get('a'), 'ERR_CACHE_CONFIG');
    expect(server.requests).toHaveLength(4);
    clock.advance(60_000);
    await expectCode(driver.get('a'), 'ERR_CACHE_CONFIG');
    expect(server.requests).toHaveLength(7);
  });

  test('whose right region does not answer is asked for anew', async () => {
    const { server, driver, events } = await openForeign(redirectWithHeader);
    server.script = ({ authorization }) =>
      authorization?.region === FOREIGN ? (response) => void response.destroy() : undefined;
    await expectCode(driver.get('a'), 'ERR_CACHE_UNAVAILABLE');
    expect(events.map(({ kind }) => kind)).toEqual(['request-retried']);
    server.script = () => undefined;
    server.bucket().region = 'us-west-1';
    const before = server.requests.length;
    expect(await driver.get('a')).toBeUndefined();
    expect(server.requests).toHaveLength(before + 1);
  });

  test.each([
    ['EU', 'eu-west-1'],
    ['', 'us-east-1'],
  ])('has the legacy name "%s"', async (constraint, region) => {
    const { server, driver } = await openForeign(() => ({ status: 301 }));
    server.bucket().region = region;
    server.script = ({ query }) =>
      query.has('location')
        ? { status: 200, body: `<LocationConstraint>${constraint}</LocationConstraint>` }
        : undefined;
    expect(await driver.get('a')).toBeUndefined();
    expect(server.requests.at(-1)?.authorization?.region).toBe(region);
  });
});

test('S22 an endpoint that only points to another one is told, and not followed', async () => {
  const { server: other } = await openStore();
  const { server, driver } = await openStore();
  server.script = ({ query }) =>
    query.has('location')
      ? { status: 200, body: `<LocationConstraint>${FOREIGN}</LocationConstraint>` }
      : { status: 301, headers: { location: `${other.url}/cache/a` } };
  await expectCode(
    driver.put('a', entryOf('a')),
    'ERR_CACHE_CONFIG',
    new RegExp(`Set IMGPROXY_CACHE_S3_ENDPOINT=${other.url} and IMGPROXY_CACHE_S3_REGION=${FOREIGN}`),
  );
  await expectCode(driver.get('a'), 'ERR_CACHE_CONFIG');
  expect(server.requests).toHaveLength(4);
  expect(other.requests).toEqual([]);
});

test('S23 concurrent requests are never sent to another region than the one known', async () => {
  const { server, driver } = await openStore();
  server.buckets.set('foreign', { region: FOREIGN, objects: new Map() });
  const regions = new Set<string | undefined>();
  server.script = ({ authorization }) => {
    regions.add(authorization?.region);
    return undefined;
  };
  const waves = Array.from({ length: 5 }, () =>
    Promise.all(Array.from({ length: 20 }, () => driver.get('a'))),
  );
  await Promise.all(waves);
  expect([...regions]).toEqual(['us-west-1']);
  server.bucket().region = FOREIGN;
  regions.clear();
  await Promise.all(Array.from({ length: 20 }, () => driver.get('a')));
  await Promise.all(Array.from({ length: 20 }, () => driver.get('a')));
  expect([...regions]).toEqual(['us-west-1', FOREIGN]);
  expect(server.requests.slice(-20).every(({ authorization }) => authorization?.region === FOREIGN)).toBe(
    true,
  );
});

test.each([
  'evil.example.com/',
  'us-west-1.evil.example.com',
  'x@evil.example.com:80#',
  '-',
  ' ',
  'a'.repeat(64),
  '$(jndi)',
  'eu_central',
])('S24 %j is not believed to be a region', async (name) => {
  const { server, driver } = await openStore();
  server.script = ({ method }) =>
    method === 'HEAD'
      ? { status: 301, headers: { 'x-amz-bucket-region': name.trim() } }
      : failure(301, 'PermanentRedirect', `<Region>${name}</Region><Endpoint>evil.example.com</Endpoint>`, {
          location: `${server.url}/elsewhere`,
        });
  await expectCode(driver.get('a'), 'ERR_CACHE_UNAVAILABLE', /IMGPROXY_CACHE_S3_REGION/);
  expect(new Set(server.requests.map(({ authorization }) => authorization?.region))).toEqual(
    new Set(['us-west-1']),
  );
});
