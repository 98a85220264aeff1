import { once } from 'node:events';
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const BUILT = fileURLToPath(new URL('../../.vitepress/dist/', import.meta.url));

const CONTENT_TYPES = new Map([
  ['.html', 'text/html; charset=utf-8'],
  ['.js', 'text/javascript'],
  ['.css', 'text/css'],
  ['.svg', 'image/svg+xml'],
  ['.json', 'application/json'],
  ['.woff2', 'font/woff2'],
]);

/** The built site on loopback, with the clean URLs that its links have. */
export class Site implements AsyncDisposable {
  readonly #server: Server;

  /** @throws if the site has not been built */
  static async start(): Promise<Site> {
    if (!existsSync(join(BUILT, 'index.html')))
      throw new Error(`There is no site in ${BUILT}: build it with "pnpm run docs"`);
    const site = new Site();
    await once(site.#server.listen(0, '127.0.0.1'), 'listening');
    return site;
  }

  private constructor() {
    this.#server = createServer(({ url = '/' }, response) => {
      const file = fileFor(new URL(url, 'http://site').pathname);
      if (file === undefined) return response.writeHead(404).end();
      response.setHeader('Content-Type', CONTENT_TYPES.get(extname(file)) ?? 'application/octet-stream');
      return createReadStream(file).pipe(response);
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }
}

function fileFor(path: string): string | undefined {
  const name = decodeURIComponent(path);
  return [name, `${name}.html`, join(name, 'index.html')]
    .map((candidate) => join(BUILT, candidate))
    .find((file) => file.startsWith(BUILT) && statSync(file, { throwIfNoEntry: false })?.isFile());
}
