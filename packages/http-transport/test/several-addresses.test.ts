import { execFile } from 'node:child_process';
import net, { type LookupFunction } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { HttpTransport } from '@imgproxy-cache/http-transport';
import { describe, expect, onTestFinished, test } from 'vitest';
import { authority, authorityFile, read, setProxies, startServer } from './http-server.js';
import { startProxy } from './proxy-server.js';
import { SILENT_ADDRESS, startSilentListener } from './silent-listener.js';

const ADDRESSES = { refuses: '127.0.0.2', 'is silent': SILENT_ADDRESS } as const;
const SOUND = '127.0.0.1';

type Trouble = keyof typeof ADDRESSES;
type Way = 'directly' | 'through an http proxy' | 'through an https proxy';

function naming(addresses: readonly string[]): LookupFunction {
  const found = addresses.map((address) => ({ address, family: 4 }));
  return (_name, options, callback) => {
    setImmediate(() => {
      if (options.all === true) callback(null, found);
      else callback(null, found[0]?.address ?? '', 4);
    });
  };
}

/** A server whose name, or that of the proxy before it, has an address that is no use and a sound one. */
async function startBehind(way: Way, secure: boolean, trouble: Trouble): Promise<string> {
  const server = await startServer((_request, response) => response.end('reached'), { secure });
  let { port } = server;
  setProxies();
  if (way !== 'directly') {
    const proxyIsSecure = way === 'through an https proxy';
    ({ port } = await startProxy({ secure: proxyIsSecure }));
    const proxy = `${proxyIsSecure ? 'https' : 'http'}://proxy.s3.example.com:${port}`;
    setProxies({ HTTP_PROXY: proxy, HTTPS_PROXY: proxy });
  }
  if (trouble === 'is silent') await startSilentListener(port);
  return `${secure ? 'https' : 'http'}://store.s3.example.com:${server.port}`;
}

describe.each(['refuses', 'is silent'] as const)('a name whose first address %s', (trouble) => {
  describe.each(['directly', 'through an http proxy', 'through an https proxy'] as const)('%s', (way) => {
    test.each(['http', 'https'])('is reached by %s within the deadline to connect', async (scheme) => {
      const origin = await startBehind(way, scheme === 'https', trouble);
      for (const addresses of [
        [ADDRESSES[trouble], SOUND],
        [SOUND, ADDRESSES[trouble]],
      ]) {
        // No clock of the test's: the deadline passes by itself.
        const transport = new HttpTransport({ ca: authority, lookup: naming(addresses) });
        onTestFinished(() => transport.close());
        for (let connection = 0; connection < 2; connection += 1)
          expect(await read(transport, origin, '/', { fresh: true })).toBe('reached');
      }
    });
  });

  test.each(['directly', 'through an https proxy'] as const)('does not kill the process %s', async (way) => {
    const origin = await startBehind(way, true, trouble);
    for (const addresses of [
      [ADDRESSES[trouble], SOUND],
      [SOUND, ADDRESSES[trouble]],
    ]) {
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ['--import', urlOf('several-addresses.mjs'), fileURLToPath(urlOf('ask.mjs')), origin],
        {
          env: {
            ...process.env,
            NODE_EXTRA_CA_CERTS: fileURLToPath(authorityFile),
            ADDRESSES: addresses.join(),
          },
        },
      );
      expect(stdout).toBe('reached');
    }
  });
});

test.each(['http', 'https'])('a silent address costs the next connection by %s nothing', async (scheme) => {
  const patience = net.getDefaultAutoSelectFamilyAttemptTimeout();
  net.setDefaultAutoSelectFamilyAttemptTimeout(5_000);
  onTestFinished(() => net.setDefaultAutoSelectFamilyAttemptTimeout(patience));
  const origin = await startBehind('directly', scheme === 'https', 'is silent');
  const transport = new HttpTransport({
    ca: authority,
    lookup: naming([SILENT_ADDRESS, SOUND]),
    connectTimeout: 60_000,
    responseTimeout: 60_000,
  });
  onTestFinished(() => transport.close());
  await read(transport, origin);
  const started = performance.now();
  await read(transport, origin, '/', { fresh: true });
  expect(performance.now() - started).toBeLessThan(4_000);
});

function urlOf(script: string): string {
  return new URL(`processes/${script}`, import.meta.url).href;
}

test.each<[string, unknown]>([
  ['no address', []],
  ['nothing', undefined],
  ['something else', [null, { address: 'nowhere' }]],
])('a resolver that gives %s fails a request, and not the process', async (_what, answer) => {
  const lookup: LookupFunction = (_name, _options, callback) =>
    void setImmediate(() => callback(null, answer as never));
  const transport = new HttpTransport({ lookup });
  onTestFinished(() => transport.close());
  await expect(read(transport, 'http://store.s3.example.com:9', '/')).rejects.toMatchObject({
    cause: { code: 'ENOTFOUND' },
  });
});

test('a resolver that gives one address as text is understood', async () => {
  const { port } = await startServer((_request, response) => response.end('reached'));
  const lookup: LookupFunction = (_name, _options, callback) =>
    void setImmediate(() => callback(null, SOUND, 4));
  const transport = new HttpTransport({ lookup });
  onTestFinished(() => transport.close());
  expect(await read(transport, `http://store.s3.example.com:${port}`, '/')).toBe('reached');
});

test('an address that takes connections and never speaks TLS is tried last from then on', async () => {
  const { port } = await startServer((_request, response) => response.end('reached'), { secure: true });
  const mute = net.createServer(() => {});
  await new Promise<void>((resolve) => mute.listen(port, '127.0.0.9', resolve));
  const held: net.Socket[] = [];
  mute.on('connection', (socket) => held.push(socket));
  onTestFinished(() => {
    for (const socket of held) socket.destroy();
    mute.close();
  });
  const transport = new HttpTransport({
    ca: authority,
    lookup: naming(['127.0.0.9', SOUND]),
    connectTimeout: 300,
  });
  onTestFinished(() => transport.close());
  const origin = `https://store.s3.example.com:${port}`;
  await expect(read(transport, origin, '/')).rejects.toMatchObject({ name: 'TimeoutError' });
  expect(await read(transport, origin, '/')).toBe('reached');
});
