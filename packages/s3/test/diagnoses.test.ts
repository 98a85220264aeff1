import { once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { startService } from './http-service.js';
import { openCache } from './open-cache.js';
import { setEnvironment, TEST_KEYS } from './open-driver.js';
import { failure, redirectWithHeader, S3Server, testTls, xml } from './s3-server.js';
import { fileOf } from './written-file.js';

/** Longer than the instance's metadata is waited for. */
const PATIENCE = { timeout: 20_000 };

const REQUEST = { source: 'https://example.com/cat.jpg', options: [], headers: {} };

async function render() {
  return { body: Buffer.alloc(1000, 'x'), contentType: 'image/webp' };
}

/** What a cache logs of its store: it waits until that is there. */
async function expectLog(
  { log }: { readonly log: readonly string[] },
  ...words: readonly (string | RegExp)[]
): Promise<void> {
  await vi.waitFor(() => {
    for (const word of words) expect(log.join('\n')).toMatch(word);
  }, PATIENCE);
}

async function openWith(
  variables: Readonly<Record<string, string>>,
  server?: S3Server,
): ReturnType<typeof openCache> {
  setEnvironment(variables);
  const { url } = server ?? (await S3Server.start());
  return await openCache({ ...process.env, IMGPROXY_CACHE_S3_ENDPOINT: url });
}

describe('of credentials the log says', () => {
  test.each([
    ['AWS_ACCESS_KEY_ID', /AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not: set both/],
    ['AWS_SECRET_ACCESS_KEY', /AWS_SECRET_ACCESS_KEY is set and AWS_ACCESS_KEY_ID is not: set both/],
  ])('that %s stands alone', async (variable, words) => {
    await expectLog(await openWith({ [variable]: 'TESTKEY' }), words);
  });

  test.each(['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'])(
    'that %s contains a line break, and nothing of it',
    async (variable) => {
      const cache = await openWith({ ...TEST_KEYS, [variable]: 'from-a-file\n' });
      await expectLog(cache, new RegExp(`${variable} contains a space, a line break`));
      expect(cache.log.join('')).not.toContain('from-a-file');
    },
  );

  test('that there is no such profile', async () => {
    const cache = await openWith({ AWS_PROFILE: 'imgaes' });
    await expectLog(cache, /AWS_PROFILE is "imgaes", and there is no such profile.*AWS_CONFIG_FILE/);
  });

  test('that there is no such profile behind it', async () => {
    const path = await fileOf('[profile images]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = bsae\n');
    const cache = await openWith({ AWS_CONFIG_FILE: path, AWS_PROFILE: 'images' });
    await expectLog(cache, /profile "images" gives none: there is no profile "bsae", its source_profile/);
  });

  test('what a profile lacks', async () => {
    const path = await fileOf('[profile images]\nregion = eu-central-1\n');
    const cache = await openWith({ AWS_CONFIG_FILE: path, AWS_PROFILE: 'images' });
    await expectLog(cache, /profile "images" gives none: it needs aws_access_key_id/);
  });

  test('that single sign-on has ended', async () => {
    const path = await fileOf(
      '[profile images]\nsso_start_url = https://x.awsapps.com/start\nsso_region = eu-north-1\nsso_account_id = 1\nsso_role_name = x\n',
    );
    const cache = await openWith({ AWS_CONFIG_FILE: path, AWS_PROFILE: 'images' });
    await expectLog(cache, /aws sso login --profile images/);
  });

  test('that the file of web identity is not there', async () => {
    const cache = await openWith({
      AWS_WEB_IDENTITY_TOKEN_FILE: '/nowhere/token',
      AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/pod',
    });
    await expectLog(cache, /AWS_WEB_IDENTITY_TOKEN_FILE names cannot be read \(ENOENT\)/);
  });

  test.each([
    ['hangs', undefined, /metadata gave no answer within 1 s.*hop limit.*AWS_EC2_METADATA_DISABLED=true/],
    ['answers 500', 500, /metadata answered with status 500.*AWS_PROFILE/],
    ['knows no role', 404, /instance has no role/],
  ])('that the instance’s metadata %s', async (_what, status, words) => {
    const metadata = await startService((_request, response) => {
      if (status !== undefined) response.writeHead(status).end();
    });
    const cache = await openWith({
      AWS_EC2_METADATA_DISABLED: 'false',
      AWS_EC2_METADATA_SERVICE_ENDPOINT: metadata.url,
    });
    await expectLog(cache, words);
  });

  test.each([
    [
      'refuses',
      403,
      /refuses the container's credentials with status 403.*AWS_CONTAINER_AUTHORIZATION_TOKEN/,
    ],
    ['fails', 500, /where the container's credentials are, answered with status 500/],
  ])('that the container %s', async (_what, status, words) => {
    const container = await startService((_request, response) => void response.writeHead(status).end());
    await expectLog(await openWith({ AWS_CONTAINER_CREDENTIALS_FULL_URI: container.url }), words);
  });

  test('that keys beside a profile are not used', async () => {
    const path = await fileOf('[images]\naws_access_key_id = TESTKEY\naws_secret_access_key = test-secret\n');
    const keys = { AWS_ACCESS_KEY_ID: 'OTHERKEY', AWS_SECRET_ACCESS_KEY: 'other-secret' };
    const cache = await openWith({ AWS_SHARED_CREDENTIALS_FILE: path, AWS_PROFILE: 'images', ...keys });
    await expectLog(cache, /AWS_PROFILE is "images", so AWS_ACCESS_KEY_ID and .* are not used/);
  });

  test('that a store may say of a wrong secret, as Ceph does, that access is denied', async () => {
    const server = await S3Server.start();
    server.script = () => failure(403, 'AccessDenied');
    const cache = await openWith({ ...TEST_KEYS, AWS_SECRET_ACCESS_KEY: 'mistyped' }, server);
    await expectLog(cache, /AWS_SECRET_ACCESS_KEY is wrong.*"Action": "s3:PutObject".*AccessDenied/);
  });

  test('nothing of a secret where AWS itself denies access, since it tells a wrong one apart', async () => {
    setEnvironment(TEST_KEYS);
    const server = await S3Server.start();
    server.script = () => failure(403, 'AccessDenied');
    const cache = await openCache(process.env, {
      connect: () => net.connect(server.port, '127.0.0.1'),
    });
    await expectLog(cache, /cannot put/);
    expect(cache.log.join('\n')).not.toContain('AWS_SECRET_ACCESS_KEY');
  });
});

describe('of the connection the log says', () => {
  test('that a certificate is not trusted', async () => {
    const { port } = await S3Server.start({ tls: testTls });
    setEnvironment(TEST_KEYS);
    const cache = await openCache({
      ...process.env,
      IMGPROXY_CACHE_S3_ENDPOINT: `https://127.0.0.1:${port}`,
    });
    await expectLog(cache, /certificate is not trusted \(\w+\).*NODE_EXTRA_CA_CERTS=/);
  });

  test('that a store speaks no TLS', async () => {
    const { port } = await S3Server.start();
    setEnvironment(TEST_KEYS);
    const cache = await openCache({
      ...process.env,
      IMGPROXY_CACHE_S3_ENDPOINT: `https://127.0.0.1:${port}`,
    });
    await expectLog(cache, /TLS failed.*IMGPROXY_CACHE_S3_ENDPOINT begin with http:/);
  });

  test('that a store speaks TLS', async () => {
    const { port } = await S3Server.start({ tls: testTls });
    setEnvironment(TEST_KEYS);
    const cache = await openCache({ ...process.env, IMGPROXY_CACHE_S3_ENDPOINT: `127.0.0.1:${port}` });
    await expectLog(cache, /broke off.*IMGPROXY_CACHE_S3_ENDPOINT has to begin with https:/);
  });

  test.each(['declared', 'undeclared'] as const)('that a body of %s length ended early', async (length) => {
    const server = await S3Server.start();
    const { cache, log } = await openWith(TEST_KEYS, server);
    await (await cache.fetch(REQUEST, render)).image.bytes();
    await vi.waitFor(() => expect(server.bucket().objects.size).toBe(1));
    const [stored] = [...server.bucket().objects.values()];
    server.script = ({ method }) =>
      method === 'GET'
        ? (response) => {
            response.sendDate = false;
            if (length === 'undeclared') {
              response.shouldKeepAlive = false;
              response.useChunkedEncodingByDefault = false;
            }
            response.writeHead(200, {
              ...stored?.headers,
              ...(length === 'declared' && { 'content-length': '1000' }),
            });
            response.write(stored?.body.subarray(0, 500), () => response.socket?.end());
          }
        : undefined;
    await (await cache.fetch(REQUEST, render)).image.bytes();
    await expectLog({ log }, /its body ended after 500 of 1000 bytes.*the store, or a proxy on the way/);
  });
});

describe('of an answer that began with status 200 the log says', () => {
  test.each<readonly [string, string, RegExp]>([
    ['GET', 'InternalError', /cannot serve now \(InternalError\)/],
    ['PUT', 'InternalError', /cannot serve now \(InternalError\)/],
    ['PUT', 'AccessDenied', /the policy.*s3:PutObject.*\(AccessDenied\)/],
    ['GET', 'InvalidAccessKeyId', /does not know the access key.*\(InvalidAccessKeyId\)/],
  ])('that to a %s it is the error %s', async (method, code, words) => {
    const server = await S3Server.start();
    server.script = (request) =>
      request.method === method ? xml(`<Error><Code>${code}</Code></Error>`) : undefined;
    await expectLog(
      await openWith(TEST_KEYS, server),
      'its answer began with status 200 and is an error',
      words,
    );
  });
});

describe('of an endpoint that holds the bucket already the log says how to write it', () => {
  test('where it is the path', async () => {
    const server = await S3Server.start();
    setEnvironment(TEST_KEYS);
    const cache = await openCache({ ...process.env, IMGPROXY_CACHE_S3_ENDPOINT: `${server.url}/cache/` });
    await expectLog(cache, new RegExp(`requests hold it twice: set it to ${server.url} `));
  });

  test.each(['true', 'false'])('where it is in the host name (path style: %s)', async (pathStyle) => {
    const server = await S3Server.start({ virtualHost: true });
    setEnvironment(TEST_KEYS);
    const cache = await openCache(
      {
        ...process.env,
        IMGPROXY_CACHE_S3_ENDPOINT: `http://cache.s3.example.com:${server.port}`,
        IMGPROXY_CACHE_S3_ENDPOINT_USE_PATH_STYLE: pathStyle,
      },
      { connect: () => net.connect(server.port, '127.0.0.1') },
    );
    await expectLog(cache, /requests hold it twice: set it to http:\/\/s3\.example\.com:\d+(?: |$)/m);
  });

  test('and nothing where that is the name of its host, and all is well', async () => {
    const server = await S3Server.start();
    setEnvironment(TEST_KEYS);
    const { log } = await openCache(
      { ...process.env, IMGPROXY_CACHE_S3_ENDPOINT: `http://cache.example.com:${server.port}` },
      { connect: () => net.connect(server.port, '127.0.0.1') },
    );
    expect(server.requests.length).toBeGreaterThan(0);
    expect(log).toEqual([]);
  });
});

test('the log says that AWS_DEFAULT_REGION is not read', async () => {
  const server = await S3Server.start();
  server.bucket().region = 'eu-central-1';
  server.wrongRegion = redirectWithHeader;
  const cache = await openWith({ ...TEST_KEYS, AWS_DEFAULT_REGION: 'eu-central-1' }, server);
  await expectLog(
    cache,
    /AWS_DEFAULT_REGION is "eu-central-1", which .* does not read: requests begin at us-west-1; set AWS_REGION/,
  );
});

describe('of proxies the log says', () => {
  test.each(['http', 'https'])('that none answers on the way to a store at %s', async (scheme) => {
    const port = await closedPort();
    setEnvironment({
      ...TEST_KEYS,
      HTTP_PROXY: `http://127.0.0.1:${port}`,
      HTTPS_PROXY: `http://127.0.0.1:${port}`,
    });
    const cache = await openCache({
      ...process.env,
      IMGPROXY_CACHE_S3_ENDPOINT: `${scheme}://store.example.com:9000`,
    });
    await expectLog(
      cache,
      new RegExp(`proxy 127.0.0.1:${port} \\(ECONNREFUSED\\): check the proxy, and HTTP_PROXY`),
    );
  });

  test.each(['http', 'https'])('that one asks for a password on the way to a store at %s', async (scheme) => {
    const proxy = http.createServer((_request, response) => response.writeHead(407).end());
    proxy.on('connect', (_request, socket) =>
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n'),
    );
    await once(proxy.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => void proxy.close());
    const { port } = proxy.address() as AddressInfo;
    setEnvironment({
      ...TEST_KEYS,
      HTTP_PROXY: `http://127.0.0.1:${port}`,
      HTTPS_PROXY: `http://127.0.0.1:${port}`,
    });
    const cache = await openCache({
      ...process.env,
      IMGPROXY_CACHE_S3_ENDPOINT: `${scheme}://store.example.com:9000`,
    });
    await expectLog(cache, /the proxy asks for a user and password \(status 407\): set them in HTTP_PROXY/);
  });
});

/** A port at which nothing listens. */
async function closedPort(): Promise<number> {
  const server = net.createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
