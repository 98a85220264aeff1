import { Pool } from 'undici';
import type { S3Peer } from '../s3-peer.js';
import { versionOf } from '../versions.js';
import { drain, nameOf } from './imgproxy-cache.js';

/** The least that the body of an object can cost, without signature, checks or policy. */
export const undiciStream: S3Peer = {
  names: { get: 'undici request', put: 'undici request' },
  version: `undici ${versionOf('undici')}`,
  settings: 'a pool of 256 connections, no signature; the body read as a stream',
  connect({ endpoint }, bucket) {
    const pool = new Pool(endpoint, { connections: 256 });
    return {
      async get(index) {
        const { body } = await pool.request({ method: 'GET', path: `/${bucket}/${nameOf(index)}` });
        return await drain(body);
      },
      put: async () => undefined,
      close: () => pool.close(),
    };
  },
};
