import net, { type Server, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { bodyOf, entryOf, type OpenDriver, openDriver, setEnvironment, TEST_KEYS } from './open-driver.js';
import { S3Server } from './s3-server.js';

const REQUESTS = 64;

/** A way between the driver and the store, on a port that stays, which a test can break. */
class Middlebox {
  readonly #pairs = new Set<{ readonly client: Socket; readonly upstream: Socket }>();
  readonly #store: number;
  readonly #dropped = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;
  accepted = 0;
  /** How many requests went over dropped connections. */
  lost = 0;

  constructor(store: number) {
    this.#store = store;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async open(): Promise<void> {
    const server = net.createServer((client) => {
      this.accepted += 1;
      const upstream = net.connect(this.#store, '127.0.0.1');
      const pair = { client, upstream };
      this.#pairs.add(pair);
      for (const [from, to] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        from.on('error', () => {});
        from.on('data', (chunk) => {
          if (this.#dropped.has(client)) this.lost += 1;
          else to.write(chunk);
        });
        from.once('close', () => {
          this.#pairs.delete(pair);
          to.destroy();
        });
      }
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (server.address() as net.AddressInfo).port;
  }

  /** What a restart does: every connection ends, and for a moment nobody listens. */
  async restart(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server?.close(() => resolve()));
    for (const { client } of this.#pairs) client.destroy();
    await closed;
    await this.open();
  }

  /** What a firewall does that has forgotten its connections: whatever is sent over them is answered by a reset. */
  resetOnUse(): void {
    for (const { client } of this.#pairs) {
      client.removeAllListeners('data');
      client.on('data', () => client.resetAndDestroy());
    }
  }

  /** What another firewall does: from now on nothing passes over these connections, and nobody is told. */
  drop(): void {
    for (const { client } of this.#pairs) this.#dropped.add(client);
  }

  close(): void {
    this.#server?.close();
    for (const { client } of this.#pairs) client.destroy();
  }
}

/** A driver with a pool of connections that were all used. */
async function openWithPool(): Promise<OpenDriver & { middlebox: Middlebox; server: S3Server }> {
  setEnvironment(TEST_KEYS);
  const server = await S3Server.start();
  const middlebox = new Middlebox(server.port);
  await middlebox.open();
  onTestFinished(() => middlebox.close());
  const opened = openDriver({ endpoint: middlebox.url });
  await opened.driver.put('a', entryOf('a'));
  await hits(opened);
  expect(middlebox.accepted).toBeGreaterThan(REQUESTS / 2);
  return { ...opened, middlebox, server };
}

/** Many hits at a time. Any that fails fails the test. */
async function hits({ driver }: OpenDriver): Promise<number> {
  const started = performance.now();
  const bodies = await Promise.all(Array.from({ length: REQUESTS }, () => bodyOf(driver, 'a')));
  expect(bodies).toEqual(Array.from({ length: REQUESTS }, () => 'body of a'));
  return performance.now() - started;
}

describe('S7 a pool that is killed', () => {
  test('by a restart of the store fails no request', async () => {
    const opened = await openWithPool();
    const usual = await hits(opened);
    await opened.middlebox.restart();
    tell('restart', usual, await hits(opened));
  });

  test('by a restart in the middle of requests fails none of them', async () => {
    const opened = await openWithPool();
    const usual = await hits(opened);
    const stored = opened.server.requests.length;
    let restarting: Promise<void> | undefined;
    opened.server.script = () => {
      if (opened.server.requests.length - stored === REQUESTS / 2) restarting ??= opened.middlebox.restart();
      return undefined;
    };
    tell('restart in the middle', usual, await hits(opened));
    expect(restarting).toBeDefined();
    await restarting;
  });

  test('by resets on use fails no request', async () => {
    const opened = await openWithPool();
    const usual = await hits(opened);
    opened.middlebox.resetOnUse();
    tell('resets', usual, await hits(opened));
  });

  test('by a firewall that drops fails no request, once the deadline for an answer has passed', async () => {
    const opened = await openWithPool();
    const usual = await hits(opened);
    opened.middlebox.drop();
    const started = opened.clock.monotonic();
    const asking = hits(opened);
    asking.catch(() => undefined);
    await vi.waitFor(() => expect(opened.middlebox.lost).toBe(REQUESTS), { timeout: 20_000 });
    opened.clock.advance(10_000);
    await asking;
    tell('silent drop', usual, opened.clock.monotonic() - started);
  });
});

function tell(what: string, usual: number, now: number): void {
  process.stdout.write(
    `${what}: ${REQUESTS} hits in ${now.toFixed(0)} ms instead of ${usual.toFixed(0)} ms\n`,
  );
}
