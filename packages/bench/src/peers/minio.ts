import http from 'node:http';
import https from 'node:https';
import { Client } from 'minio';
import type { S3Peer } from '../s3-peer.js';
import { versionOf } from '../versions.js';
import { nameOf } from './imgproxy-cache.js';

export const minio: S3Peer = {
  names: { get: 'minio-js getObject', put: 'minio-js putObject' },
  version: `minio ${versionOf('minio')}`,
  settings: 'keep-alive agent with 256 sockets, region given; the stream collected into a Buffer',
  connect({ endpoint, region, accessKeyId, secretAccessKey }, bucket) {
    const { protocol, hostname, port } = new URL(endpoint);
    const useSSL = protocol === 'https:';
    const agent = new (useSSL ? https : http).Agent({ keepAlive: true, maxSockets: 256 });
    const client = new Client({
      endPoint: hostname,
      ...(port !== '' && { port: Number(port) }),
      useSSL,
      region,
      accessKey: accessKeyId,
      secretKey: secretAccessKey,
      transportAgent: agent,
    });
    return {
      async get(index) {
        const stream = await client.getObject(bucket, nameOf(index));
        return Buffer.concat(await stream.toArray());
      },
      put: ({ metadata: { name, contentType }, body }) =>
        client.putObject(bucket, name, Buffer.from(body.buffer, body.byteOffset, body.length), body.length, {
          'Content-Type': contentType,
        }),
      close: () => agent.destroy(),
    };
  },
};
