import type { ServerResponse } from 'node:http';
import { describe, expect, test, vi } from 'vitest';
import { startService } from './http-service.js';
import { expectCode, openDriver, setEnvironment, TEST_KEYS } from './open-driver.js';
import { S3Server, type Session } from './s3-server.js';
import { startSts } from './sts-service.js';
import { fileOf } from './written-file.js';

const SESSION: Session = { accessKey: 'ASIACONTAINER', secret: 'container-secret', token: 'container-token' };

async function openServer(): Promise<S3Server> {
  setEnvironment();
  const server = await S3Server.start();
  server.admit(SESSION);
  return server;
}

function json(response: ServerResponse, document: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document));
}

const DOCUMENT = {
  AccessKeyId: SESSION.accessKey,
  SecretAccessKey: SESSION.secret,
  Token: SESSION.token,
  Expiration: new Date(Date.now() + 3_600_000).toISOString(),
};

/** Who asked the server last. */
async function identityOf(server: S3Server): Promise<string | undefined> {
  const { driver } = openDriver({ endpoint: server.url });
  expect(await driver.get('absent')).toBeUndefined();
  return server.requests.at(-1)?.authorization?.accessKey;
}

describe('credentials come from', () => {
  test('the environment', async () => {
    const server = await openServer();
    setEnvironment(TEST_KEYS);
    expect(await identityOf(server)).toBe('TESTKEY');
  });

  test('the environment, with a session token', async () => {
    const server = await openServer();
    setEnvironment({
      AWS_ACCESS_KEY_ID: SESSION.accessKey,
      AWS_SECRET_ACCESS_KEY: SESSION.secret,
      AWS_SESSION_TOKEN: SESSION.token,
    });
    expect(await identityOf(server)).toBe(SESSION.accessKey);
  });

  test('a profile of the shared credentials file', async () => {
    const server = await openServer();
    const path = await fileOf(
      '[default]\naws_access_key_id = OTHER\naws_secret_access_key = x\n[images]\naws_access_key_id = TESTKEY\naws_secret_access_key = test-secret\n',
    );
    setEnvironment({ AWS_SHARED_CREDENTIALS_FILE: path, AWS_PROFILE: 'images' });
    expect(await identityOf(server)).toBe('TESTKEY');
  });

  test('a profile of the configuration file that assumes a role', async () => {
    const server = await openServer();
    const sts = await startSts(server);
    const path = await fileOf(
      '[profile base]\naws_access_key_id = TESTKEY\naws_secret_access_key = test-secret\n[profile images]\nrole_arn = arn:aws:iam::123456789012:role/images\nsource_profile = base\nregion = us-west-1\n',
    );
    setEnvironment({ AWS_CONFIG_FILE: path, AWS_PROFILE: 'images', AWS_ENDPOINT_URL_STS: sts.url });
    expect(await identityOf(server)).toBe('ASIASESSION1');
    expect(sts.calls[0]?.get('RoleArn')).toBe('arn:aws:iam::123456789012:role/images');
  });

  test('the container, as ECS gives them', async () => {
    const server = await openServer();
    const container = await startService((_request, response) => json(response, DOCUMENT));
    setEnvironment({
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${container.url}/v2/credentials/id`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN: 'secret-word',
    });
    expect(await identityOf(server)).toBe(SESSION.accessKey);
    expect(container.requests).toMatchObject([{ headers: { authorization: 'secret-word' } }]);
  });

  test('the container, as EKS pod identity gives them', async () => {
    const server = await openServer();
    const container = await startService((_request, response) => json(response, DOCUMENT));
    setEnvironment({
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${container.url}/v1/credentials`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: await fileOf('word-in-a-file'),
    });
    expect(await identityOf(server)).toBe(SESSION.accessKey);
    expect(container.requests).toMatchObject([{ headers: { authorization: 'word-in-a-file' } }]);
  });

  test('web identity, as EKS service accounts give it', async () => {
    const server = await openServer();
    const sts = await startSts(server);
    setEnvironment({
      AWS_WEB_IDENTITY_TOKEN_FILE: await fileOf('json.web.token'),
      AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/pod',
      AWS_ENDPOINT_URL_STS: sts.url,
      AWS_REGION: 'us-west-1',
    });
    expect(await identityOf(server)).toBe('ASIASESSION1');
    expect(Object.fromEntries(sts.calls[0] ?? [])).toMatchObject({
      Action: 'AssumeRoleWithWebIdentity',
      WebIdentityToken: 'json.web.token',
      RoleArn: 'arn:aws:iam::123456789012:role/pod',
    });
  });

  test('the metadata of the instance', async () => {
    const server = await openServer();
    const metadata = await startService(({ method, url }, response) => {
      if (method === 'PUT') response.end('metadata-token');
      else if (url.endsWith('/security-credentials/')) response.end('instance-role');
      else json(response, { Code: 'Success', ...DOCUMENT });
    });
    setEnvironment({ AWS_EC2_METADATA_SERVICE_ENDPOINT: metadata.url });
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', undefined);
    expect(await identityOf(server)).toBe(SESSION.accessKey);
    expect(metadata.requests.at(-1)?.url).toMatch(/\/security-credentials\/instance-role$/);
  });

  test('a container that hangs (S15) no longer than the deadline, and are asked for anew', async () => {
    const server = await openServer();
    let hangs = true;
    const container = await startService((_request, response) => {
      if (!hangs) json(response, DOCUMENT);
    });
    setEnvironment({ AWS_CONTAINER_CREDENTIALS_FULL_URI: `${container.url}/v2/credentials/id` });
    const { driver, clock } = openDriver({ endpoint: server.url });
    const hung = driver.get('absent');
    await vi.waitFor(() => expect(container.requests).toHaveLength(1));
    clock.advance(10_000);
    await expectCode(hung, 'ERR_CACHE_TIMEOUT', /environment/);
    hangs = false;
    clock.advance(60_000);
    expect(await driver.get('absent')).toBeUndefined();
  });

  test('nowhere, which is said with what to set', async () => {
    const server = await openServer();
    const { driver } = openDriver({ endpoint: server.url });
    await expectCode(driver.get('a'), 'ERR_CACHE_ACCESS_DENIED', /AWS_ACCESS_KEY_ID.*AWS_PROFILE/);
    expect(server.requests).toEqual([]);
  });
});

describe('the region to begin with comes from', () => {
  async function firstRegion(region: string): Promise<string | undefined> {
    const server = await S3Server.start();
    server.wrongRegion = () => undefined;
    const { driver } = openDriver({ endpoint: server.url, region });
    await driver.get('a');
    return server.requests[0]?.authorization?.region;
  }

  test('IMGPROXY_CACHE_S3_REGION, then AWS_REGION, then the configuration file, then us-west-1', async () => {
    const path = await fileOf('[default]\nregion = eu-north-1\n');
    setEnvironment({ ...TEST_KEYS, AWS_REGION: 'eu-west-3', AWS_CONFIG_FILE: path });
    expect(await firstRegion('sa-east-1')).toBe('sa-east-1');
    expect(await firstRegion('')).toBe('eu-west-3');
    vi.stubEnv('AWS_REGION', '');
    expect(await firstRegion('')).toBe('eu-north-1');
    setEnvironment(TEST_KEYS);
    expect(await firstRegion('')).toBe('us-west-1');
  });
});
