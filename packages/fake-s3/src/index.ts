/**
 * The scripted S3 server of all tests, benches and soaks.
 * @module
 */
export { type Answer, failure, html, type Reply, redirectWithHeader, xml } from './answers.js';
export { type Bucket, deleted, keysToDelete, type StoredObject } from './bucket.js';
export { testAuthority, testAuthorityFile, testTls } from './certificates.js';
export { FakeS3, type FakeS3Options, type Session } from './fake-s3.js';
export { FakeS3Process, type FakeS3ProcessOptions, type ServerScript } from './fake-s3-process.js';
export { type Fault, type FaultRule, hangUp, replyOf, reset, startBody } from './faults.js';
export { type Change, JournaledObjects } from './journaled-objects.js';
export type { Operation, WireRequest } from './wire-request.js';
