import { once } from 'node:events';
import http, { type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { openCache } from './open-cache.js';
import { expectCode, openDriver, setEnvironment, TEST_KEYS } from './open-driver.js';
import { S3Server } from './s3-server.js';
import { startSts } from './sts-service.js';
import { fileOf } from './written-file.js';

const ROLE = 'arn:aws:iam::123456789012:role/images';
const MINUTE = 60_000;
const SESSION = { accessKey: 'ASIASESSION', secret: 'session-secret', token: 'session-token' };
const EXPIRATION = '2999-01-01T00:00:00Z';

interface CredentialService {
  readonly url: string;
  hangs: boolean;
  /** Connections that are open now. */
  readonly connections: () => number;
}

/** Gives the session's credentials as a container does, or as STS in answer to any action, or hangs. */
async function startCredentialService(): Promise<CredentialService> {
  const service = { hangs: true };
  let open = 0;
  const server = http.createServer((request, response) => {
    if (service.hangs) return;
    if (request.method === 'GET') answerAsContainer(response);
    else answerAsSts(request, response);
  });
  server.on('connection', (socket) => {
    open += 1;
    socket.once('close', () => {
      open -= 1;
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return Object.assign(service, { url, connections: () => open });
}

function answerAsContainer(response: ServerResponse): void {
  const { accessKey, secret, token } = SESSION;
  response.end(
    JSON.stringify({ AccessKeyId: accessKey, SecretAccessKey: secret, Token: token, Expiration: EXPIRATION }),
  );
}

async function answerAsSts(request: AsyncIterable<Buffer>, response: ServerResponse): Promise<void> {
  let body = '';
  for await (const chunk of request) body += chunk.toString();
  const action = new URLSearchParams(body).get('Action');
  const { accessKey, secret, token } = SESSION;
  response.setHeader('content-type', 'text/xml');
  response.end(
    `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result><Credentials><AccessKeyId>${accessKey}</AccessKeyId><SecretAccessKey>${secret}</SecretAccessKey><SessionToken>${token}</SessionToken><Expiration>${EXPIRATION}</Expiration></Credentials></${action}Result></${action}Response>`,
  );
}

const SOURCES: Readonly<Record<string, (url: string) => Promise<Readonly<Record<string, string>>>>> = {
  'a container': async (url) => ({ AWS_CONTAINER_CREDENTIALS_FULL_URI: url }),
  'web identity': async (url) => ({
    AWS_ENDPOINT_URL_STS: url,
    AWS_WEB_IDENTITY_TOKEN_FILE: await fileOf('json.web.token'),
    AWS_ROLE_ARN: ROLE,
  }),
  'a profile with a role': async (url) => ({
    AWS_ENDPOINT_URL_STS: url,
    AWS_PROFILE: 'images',
    AWS_CONFIG_FILE: await fileOf(
      `[profile images]\nrole_arn = ${ROLE}\nsource_profile = base\n[profile base]\naws_access_key_id = TESTKEY\naws_secret_access_key = test-secret\n`,
    ),
  }),
  'a profile with web identity': async (url) => ({
    AWS_ENDPOINT_URL_STS: url,
    AWS_PROFILE: 'images',
    AWS_CONFIG_FILE: await fileOf(
      `[profile images]\nrole_arn = ${ROLE}\nweb_identity_token_file = ${await fileOf('json.web.token')}\n`,
    ),
  }),
};

describe.each(Object.entries(SOURCES))('credentials of %s that hang', (_source, variables) => {
  test.each(['get', 'check'] as const)(
    'hold no %s that is aborted, are given up, and come later',
    async (name) => {
      const service = await startCredentialService();
      setEnvironment(await variables(service.url));
      const server = await S3Server.start();
      server.admit(SESSION);
      const { driver, clock } = openDriver({ endpoint: server.url });
      const abort = new AbortController();
      const options = { signal: abort.signal };
      const hung = name === 'get' ? driver.get('a', options) : driver.check(options);
      await vi.waitFor(() => expect(service.connections()).toBe(1));
      abort.abort();
      await expectCode(hung, 'ERR_CACHE_ABORTED');

      clock.advance(10_000);
      await vi.waitFor(() => expect(service.connections()).toBe(0));
      service.hangs = false;
      clock.advance(MINUTE);
      expect(await driver.get('a')).toBeUndefined();
      expect(server.requests.at(-1)?.authorization?.accessKey).toBe(SESSION.accessKey);
    },
  );

  test('are given up by close()', async () => {
    const service = await startCredentialService();
    setEnvironment(await variables(service.url));
    const { driver } = openDriver({ endpoint: 'http://127.0.0.1:9' });
    const hung = driver.get('a');
    await vi.waitFor(() => expect(service.connections()).toBe(1));
    await driver.close();
    await expectCode(hung, 'ERR_CACHE_CLOSED');
    await vi.waitFor(() => expect(service.connections()).toBe(0));
  });
});

test('a cache whose STS hangs starts after one look-up timeout, serves, and stores once STS answers', async () => {
  const server = await S3Server.start();
  const sts = await startSts(server);
  sts.reply = () => 'hang';
  setEnvironment({ ...TEST_KEYS, AWS_ENDPOINT_URL_STS: sts.url });
  const started = performance.now();
  const { cache } = await openCache({
    ...process.env,
    IMGPROXY_CACHE_S3_ENDPOINT: server.url,
    IMGPROXY_CACHE_S3_ASSUME_ROLE_ARN: ROLE,
    IMGPROXY_CACHE_LOOKUP_TIMEOUT_SECONDS: '0.2',
  });
  expect(sts.calls).toHaveLength(1);
  const render = async () => ({ body: Buffer.from('rendered'), contentType: 'image/webp' });
  const fetch = async (name: string) => {
    const request = { source: `https://example.com/${name}.jpg`, options: [], headers: {} };
    return Buffer.from(await (await cache.fetch(request, render)).image.bytes()).toString();
  };
  expect(await fetch('cat')).toBe('rendered');
  // The exchange has ten seconds, and nobody has waited for its end.
  expect(performance.now() - started).toBeLessThan(9_000);

  sts.reply = () => ({ lifeSeconds: 3600 });
  let round = 0;
  await vi.waitFor(
    async () => {
      round += 1;
      expect(await fetch(`dog${round}`)).toBe('rendered');
      expect(server.bucket().objects.size).toBeGreaterThan(0);
    },
    { timeout: 60_000, interval: 500 },
  );
});
