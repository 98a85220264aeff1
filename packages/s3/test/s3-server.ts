import { FakeS3, type FakeS3Options } from 'fake-s3';
import { onTestFinished } from 'vitest';

export {
  type Answer,
  type Bucket,
  failure,
  html,
  type Reply,
  redirectWithHeader,
  type Session,
  type StoredObject,
  testAuthority,
  testTls,
  type WireRequest,
  xml,
} from 'fake-s3';

/** The fake S3 that runs until the test is over. */
export class S3Server extends FakeS3 {
  static override async start(options: FakeS3Options = {}): Promise<S3Server> {
    const server = new S3Server(options);
    await server.accept();
    onTestFinished(() => server.stop());
    return server;
  }
}
