import s3, { type S3Config } from '@imgproxy-cache/s3';
import { describe, expect, test } from 'vitest';
import { configOf } from './open-driver.js';

async function faultsOf(changes: Partial<S3Config>) {
  return (await s3.validate?.(configOf(changes))) ?? [];
}

describe('the configuration', () => {
  test.each<readonly [string, Partial<S3Config>]>([
    ['a bucket', {}],
    ['the ARN of an access point', { bucket: 'arn:aws:s3:us-west-1:123456789012:accesspoint/images' }],
    ['an endpoint without a scheme', { endpoint: 'minio:9000' }],
    ['an endpoint with a path', { endpoint: 'https://project.example.com/storage/v1/s3' }],
    ['a region of another store', { region: 'auto' }],
    [
      'a role with an external ID',
      { assumeRoleArn: 'arn:aws:iam::123456789012:role/a/b', assumeRoleExternalId: 'x' },
    ],
    ['a role of Ceph', { assumeRoleArn: 'arn:aws:iam:::role/plain' }],
  ])('takes %s', async (_name, changes) => {
    expect(await faultsOf(changes)).toEqual([]);
  });

  test.each<readonly [string, Partial<S3Config>, RegExp]>([
    ['IMGPROXY_CACHE_BUCKET', { bucket: 'a/b' }, /"a\/b" is no name of a bucket/],
    ['IMGPROXY_CACHE_BUCKET', { bucket: 'b' }, /"b" is no name of a bucket: it takes 3 to 255 letters/],
    ['IMGPROXY_CACHE_BUCKET', { bucket: 'bb' }, /"bb" is no name of a bucket: it takes 3 to 255 letters/],
    [
      'IMGPROXY_CACHE_BUCKET',
      { bucket: 'arn:aws:s3:us-west-1:123456789012:accesspoint/images', endpoint: 'minio:9000' },
      /without IMGPROXY_CACHE_S3_ENDPOINT/,
    ],
    ['IMGPROXY_CACHE_S3_REGION', { region: 'eu central' }, /"eu central" is no name of a region/],
    ['IMGPROXY_CACHE_S3_REGION', { region: 'x.evil.example.com' }, /is no name of a region/],
    ['IMGPROXY_CACHE_S3_ENDPOINT', { endpoint: 'http://' }, /is not a URL/],
    ['IMGPROXY_CACHE_S3_ENDPOINT', { endpoint: 'ftp://minio' }, /is not a URL/],
    ['IMGPROXY_CACHE_S3_ENDPOINT', { endpoint: 'http://minio?x=1' }, /query/],
    ['IMGPROXY_CACHE_S3_ASSUME_ROLE_ARN', { assumeRoleArn: 'images' }, /"images" is no ARN of a role/],
    [
      'IMGPROXY_CACHE_S3_ASSUME_ROLE_EXTERNAL_ID',
      { assumeRoleExternalId: 'x' },
      /without IMGPROXY_CACHE_S3_ASSUME_ROLE_ARN/,
    ],
    ['IMGPROXY_CACHE_S3_USE_DECRYPTION_CLIENT', { useDecryptionClient: true }, /not supported.*SSE-KMS/],
  ])('refuses for %s %j', async (variable, changes, message) => {
    expect(await faultsOf(changes)).toEqual([{ variable, message: expect.stringMatching(message) }]);
  });

  test('never repeats a password', async () => {
    const [fault] = await faultsOf({ endpoint: 'http://user:hunter2@minio:9000' });
    expect(fault?.message).toMatch(/credentials come from/);
    expect(fault?.message).not.toContain('hunter2');
    expect(s3.config.assumeRoleExternalId.secret).toBe(true);
  });

  test('requires a bucket, and begins where imgproxy does', () => {
    expect(s3.config.bucket.required).toBe(true);
    expect(configOf({})).toMatchObject({
      usePathStyle: true,
      useDecryptionClient: false,
      endpoint: '',
      region: '',
    });
  });
});
