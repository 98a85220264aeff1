import type { ImageCache } from '@imgproxy-cache/core';
import { beforeEach, describe, expect, test } from 'vitest';
import { startService } from './http-service.js';
import { openCache } from './open-cache.js';
import { setEnvironment, TEST_KEYS } from './open-driver.js';
import { S3Server } from './s3-server.js';
import { startSts } from './sts-service.js';
import { fileOf } from './written-file.js';

const OTHER_KEYS = { AWS_ACCESS_KEY_ID: 'OTHERKEY', AWS_SECRET_ACCESS_KEY: 'other-secret' };

let server: S3Server;

beforeEach(async () => {
  server = await S3Server.start();
  server.secrets.set('OTHERKEY', 'other-secret');
  server.wrongRegion = () => undefined;
  setEnvironment({ ...TEST_KEYS, AWS_SESSION_TOKEN: '', AWS_REGION: 'eu-west-3' });
});

/** The names of the files that count for the process, which are to be the same. */
function files() {
  const { AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE } = process.env;
  return { AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE };
}

function open(variables: Readonly<Record<string, string | undefined>>): Promise<{ cache: ImageCache }> {
  return openCache({ IMGPROXY_CACHE_S3_ENDPOINT: server.url, ...variables });
}

/** As whom, and at which region, the store was asked. */
function asked(): unknown {
  const { authorization, headers } = server.requests[0] ?? {};
  return [authorization?.accessKey, authorization?.region, headers?.['x-amz-security-token']];
}

describe('a given env', () => {
  test('has its keys, token and region used, and not those of the process', async () => {
    server.tokens.set('OTHERKEY', 'other-token');
    await open({ ...files(), ...OTHER_KEYS, AWS_SESSION_TOKEN: 'other-token', AWS_REGION: 'sa-east-1' });
    expect(asked()).toEqual(['OTHERKEY', 'sa-east-1', 'other-token']);
  });

  test('without a region has none from the process', async () => {
    await open({ ...files(), ...OTHER_KEYS });
    expect(asked()).toEqual(['OTHERKEY', 'us-west-1', undefined]);
  });

  test('without any variable of AWS has those of the process', async () => {
    await open({});
    expect(asked()).toEqual(['TESTKEY', 'eu-west-3', undefined]);
  });

  test('without credentials has none from the process', async () => {
    const { log } = await openCache({
      ...files(),
      IMGPROXY_CACHE_S3_ENDPOINT: server.url,
      AWS_REGION: 'sa-east-1',
      AWS_EC2_METADATA_DISABLED: 'true',
    });
    expect(server.requests).toEqual([]);
    expect(log.join('\n')).toContain('AWS_ACCESS_KEY_ID');
  });

  test('has its profile used', async () => {
    const path = await fileOf(
      '[images]\naws_access_key_id = OTHERKEY\naws_secret_access_key = other-secret\nregion = eu-north-1\n',
    );
    setEnvironment({ ...TEST_KEYS, AWS_SHARED_CREDENTIALS_FILE: path });
    await open({ ...files(), AWS_PROFILE: 'images' });
    expect(asked()).toEqual(['OTHERKEY', 'eu-north-1', undefined]);
  });

  test('has its web identity used', async () => {
    const sts = await startSts(server);
    setEnvironment({ AWS_ENDPOINT_URL_STS: sts.url });
    await open({
      ...files(),
      AWS_ENDPOINT_URL_STS: sts.url,
      AWS_WEB_IDENTITY_TOKEN_FILE: await fileOf('json.web.token'),
      AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/pod',
    });
    expect(asked()).toEqual(['ASIASESSION1', 'us-west-1', 'token-1']);
  });

  test('has its container used', async () => {
    server.admit({ accessKey: 'ASIACONTAINER', secret: 'container-secret', token: 'container-token' });
    const container = await startService((_request, response) => {
      response.end(
        JSON.stringify({
          AccessKeyId: 'ASIACONTAINER',
          SecretAccessKey: 'container-secret',
          Token: 'container-token',
          Expiration: '2999-01-01T00:00:00Z',
        }),
      );
    });
    await open({ ...files(), AWS_CONTAINER_CREDENTIALS_FULL_URI: container.url });
    expect(asked()).toEqual(['ASIACONTAINER', 'us-west-1', 'container-token']);
  });

  test('that differs in what only the process’s can say is refused, with every name', async () => {
    await expect(
      open({
        ...OTHER_KEYS,
        AWS_CONFIG_FILE: '/elsewhere/config',
        AWS_SHARED_CREDENTIALS_FILE: process.env['AWS_SHARED_CREDENTIALS_FILE'],
        AWS_ENDPOINT_URL_STS: 'http://user:hunter2@sts.example.com',
        HTTPS_PROXY: 'http://proxy.example.com:3128',
        NODE_EXTRA_CA_CERTS: '/elsewhere/ca.pem',
      }),
    ).rejects.toSatisfy(({ code, message }) => {
      expect(code).toBe('ERR_CACHE_CONFIG');
      const faults = (message as string).split('\n').slice(1);
      expect(faults.map((fault) => /^- (\w+) differs/.exec(fault)?.[1])).toEqual([
        'AWS_CONFIG_FILE',
        'AWS_ENDPOINT_URL_STS',
        'HTTPS_PROXY',
        'NODE_EXTRA_CA_CERTS',
      ]);
      expect(message).not.toContain('hunter2');
      return true;
    });
  });

  test('that lacks what the process’s has of these is refused', async () => {
    setEnvironment({ AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9' });
    await expect(openCache({ ...files(), ...OTHER_KEYS })).rejects.toMatchObject({
      code: 'ERR_CACHE_CONFIG',
      message: expect.stringContaining('AWS_ENDPOINT_URL_S3 differs'),
    });
  });
});
