import { inspect } from 'node:util';
import type { S3Driver } from '@imgproxy-cache/s3';
import { describe, expect, test } from 'vitest';
import { startService } from './http-service.js';
import { entryOf, namesIn, openDriver, setEnvironment, TEST_KEYS } from './open-driver.js';
import { type Answer, S3Server, type Session, type WireRequest } from './s3-server.js';

// Like codes of S3, which no pattern tells apart.
const SESSION: Session = {
  accessKey: 'AsiaSessionKey',
  secret: 'SecretOfTheSession',
  token: 'TokenOfTheSession',
};

function signatureOf({ headers }: WireRequest): string {
  return /Signature=(\w+)/.exec(headers.authorization ?? '')?.[1] ?? '';
}

/** All that is secret about a request. */
const SECRETS: readonly ((request: WireRequest) => string)[] = [
  ...Object.values(SESSION).map((secret) => () => secret),
  signatureOf,
];

type Echo = (secret: string) => Omit<Answer, 'status'>;

const document = (elements: string): Omit<Answer, 'status'> => ({
  headers: { 'content-type': 'application/xml' },
  body: `<?xml version="1.0" encoding="UTF-8"?><Error>${elements}</Error>`,
});

const ECHOES: Readonly<Record<string, Echo>> = {
  'an element of any name': (secret) => document(`<Code>InvalidToken</Code><Token-0>${secret}</Token-0>`),
  'the code': (secret) => document(`<Code>${secret}</Code><Message>no</Message>`),
  'a part of the code': (secret) => document(`<Code>Bad${secret.slice(0, 40)}</Code><Message>no</Message>`),
  'the message': (secret) => document(`<Code>ExpiredToken</Code><Message>${secret}</Message>`),
  'what was signed': (secret) =>
    document(
      `<Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>${secret}</AWSAccessKeyId><StringToSign>AWS4 ${secret}</StringToSign><SignatureProvided>${secret}</SignatureProvided>`,
    ),
  'the region': (secret) =>
    document(`<Code>AuthorizationHeaderMalformed</Code><Region>${secret.slice(0, 60)}</Region>`),
  'the region that is expected': (secret) =>
    document(
      `<Code>AuthorizationHeaderMalformed</Code><Message>expecting '${secret.slice(0, 60)}'</Message>`,
    ),
  'a document that is no XML': (secret) => ({
    headers: { 'content-type': 'application/xml' },
    body: `<?xml version="1.0"?><Error><Code>X</Code><Mess & ${secret}`,
  }),
  'a page of text': (secret) => ({ headers: { 'content-type': 'text/plain' }, body: `you sent ${secret}` }),
  'its headers': (secret) => ({
    headers: {
      'content-type': `application/xml; was=${secret}`,
      'x-amz-request-id': secret,
      'x-amz-bucket-region': secret.slice(0, 60),
      location: `http://${secret.slice(0, 60)}.example.com/?token=${secret}`,
      'x-amz-meta-echo': secret,
    },
    body: `<?xml version="1.0" encoding="UTF-8"?><Error><Code>InvalidToken</Code></Error>`,
  }),
};

const OPERATIONS: Readonly<Record<string, (driver: S3Driver) => Promise<unknown>>> = {
  get: (driver) => driver.get('a'),
  put: (driver) => driver.put('a', entryOf('a')),
  'delete of one': (driver) => driver.delete(['a']),
  'delete of several': (driver) => driver.delete(['a', 'b']),
  list: (driver) => namesIn(driver, ''),
  check: (driver) => driver.check(),
};

/** Everything that can be seen of a value, hidden properties included. */
function everythingOf(value: unknown): string {
  return inspect(value, {
    showHidden: true,
    depth: Infinity,
    getters: true,
    maxArrayLength: Infinity,
    maxStringLength: Infinity,
    breakLength: Infinity,
  });
}

function expectNone(secrets: Iterable<string>, seen: unknown): void {
  const text = everythingOf(seen);
  for (const secret of secrets) {
    // As text, a part of it, as a part of an address, and as bytes are shown.
    const bytes = Buffer.from(secret)
      .toString('hex')
      .replace(/..(?!$)/g, '$& ');
    for (const form of [secret.slice(0, 40).toLowerCase(), bytes]) {
      const at = text.toLowerCase().indexOf(form);
      expect(at < 0 ? '' : text.slice(Math.max(0, at - 200), at + 200)).toBe('');
    }
  }
}

describe.each(Object.entries(ECHOES))('a store that repeats a secret in %s', (_place, echo) => {
  test.each(Object.entries(OPERATIONS))(
    'has it told by no error or event of %s',
    async (_name, operation) => {
      setEnvironment({
        AWS_ACCESS_KEY_ID: SESSION.accessKey,
        AWS_SECRET_ACCESS_KEY: SESSION.secret,
        AWS_SESSION_TOKEN: SESSION.token,
      });
      const attempts = [200, 301, 400, 403, 404, 500].flatMap((status) =>
        SECRETS.map(async (secretOf) => {
          const secrets = new Set<string>(Object.values(SESSION));
          const server = await S3Server.start();
          server.script = (request) => {
            const secret = secretOf(request);
            secrets.add(secret).add(signatureOf(request));
            return { status, ...echo(secret) };
          };
          const { driver, events } = openDriver({ endpoint: server.url, region: 'us-west-1' });
          const outcome = await operation(driver).catch((error: unknown) => error);
          expect(secrets.size).toBeGreaterThan(3);
          expectNone(secrets, [outcome, events]);
        }),
      );
      await Promise.all(attempts);
    },
  );
});

describe('an STS that repeats a secret', () => {
  test.each(['Code', 'Message', 'Token-0'])('in <%s> has it told by no error or event', async (element) => {
    const server = await S3Server.start();
    const secrets = [SESSION.secret, SESSION.token, SESSION.accessKey, 'ExternalWord'];
    for (const secret of secrets) {
      const sts = await startService((_request, response) => {
        const code = element === 'Code' ? '' : '<Code>AccessDenied</Code>';
        response.writeHead(403, { 'content-type': 'text/xml' });
        response.end(
          `<ErrorResponse><Error><Type>Sender</Type>${code}<${element}>${secret}</${element}></Error></ErrorResponse>`,
        );
      });
      setEnvironment({
        AWS_ACCESS_KEY_ID: SESSION.accessKey,
        AWS_SECRET_ACCESS_KEY: SESSION.secret,
        AWS_SESSION_TOKEN: SESSION.token,
        AWS_ENDPOINT_URL_STS: sts.url,
      });
      const { driver, events } = openDriver({
        endpoint: server.url,
        assumeRoleArn: 'arn:aws:iam::123456789012:role/images',
        assumeRoleExternalId: 'ExternalWord',
      });
      const error = await driver.get('a').catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'ERR_CACHE_ACCESS_DENIED' });
      expectNone(secrets, [error, events]);
    }
  });
});

test('the code, the status and the number of a refused request are told', async () => {
  setEnvironment(TEST_KEYS);
  const server = await S3Server.start();
  server.script = () => ({ status: 400, ...document('<Code>KeyTooLongError</Code>') });
  const { driver } = openDriver({ endpoint: server.url });
  await expect(driver.put('a', entryOf('a'))).rejects.toMatchObject({
    message: expect.stringContaining('(KeyTooLongError, status 400)'),
    cause: { name: 'KeyTooLongError', $metadata: { httpStatusCode: 400, requestId: 'TESTREQUEST' } },
  });
});
