import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { ScriptProcess } from '@imgproxy-cache/driver-testkit';
import { type ImageVersion, problemOfImage } from '../images.js';
import type { Environment } from '../stores.js';

const START_PATIENCE = 60_000;

/** A request as its client saw it. Times are in milliseconds. */
export interface Seen {
  /** Until the first byte of the answer, or until the request failed. */
  readonly first: number;
  /** Until the end. */
  readonly whole: number;
  /** `cut`: the answer began and did not end well. `failed`: there was none, or an error. */
  readonly end: 'whole' | 'cut' | 'failed';
  /** The Cache-Status, or the failure. */
  readonly status: string;
  /** What is wrong with the image. */
  readonly problem?: string | undefined;
}

/** Work of a closed cache that has not ended. */
export interface Load {
  readonly flights: number;
  readonly stores: number;
  readonly bytes: number;
}

/** Says what work is left; `undefined` for none. */
export function describeLoad({ flights, stores, bytes }: Load): string | undefined {
  return flights + stores + bytes > 0 ? `${flights} flights, ${stores} stores, ${bytes} bytes` : undefined;
}

/** A host in its own process, and a client of it. */
export class Host {
  readonly #process: ScriptProcess;
  readonly #patience: number;
  readonly #agent = new http.Agent({ keepAlive: true });
  #port = 0;

  /**
   * Rejects where the host does not start within a minute.
   * @param patience after how many milliseconds a request is given up
   */
  static async start(env: Environment, patience = 60_000): Promise<Host> {
    const host = new Host(env, patience);
    const timer = setTimeout(() => void host.kill(), START_PATIENCE);
    try {
      host.#port = Number(await host.#process.nextMessage());
    } finally {
      clearTimeout(timer);
    }
    return host;
  }

  private constructor(env: Environment, patience: number) {
    const script = new URL('main.js', import.meta.url);
    this.#process = new ScriptProcess(script, [], { env: { PATH: process.env['PATH'], ...env } });
    this.#patience = patience;
  }

  /** Requests an image, and reads it whole. @param rendering takes so many milliseconds */
  async get(kind: 'cached' | 'plain', image: ImageVersion, rendering: number): Promise<Seen> {
    const began = performance.now();
    let first: number | undefined;
    try {
      const path = `/${kind}/${image.source}/${image.version}/${image.size}/${rendering}`;
      const response = await this.#request('GET', path);
      first = performance.now() - began;
      const body = await buffer(response);
      const whole = performance.now() - began;
      if (response.statusCode !== 200) {
        return { first, whole, end: 'failed', status: `${response.statusCode} ${body}` };
      }
      const status = String(response.headers['cache-status']).replace('imgproxy-cache; ', '');
      const problem = problemOfImage(response.headers.etag, body, image.source);
      return { first, whole, end: 'whole', status, problem };
    } catch (error) {
      const whole = performance.now() - began;
      const end = first === undefined ? 'failed' : 'cut';
      return { first: first ?? whole, whole, end, status: String(error).slice(0, 200) };
    }
  }

  /** @returns whether the image is deleted: the store may fail. Rejects where the host fails in another way. */
  async delete(source: number): Promise<boolean> {
    const response = await this.#request('DELETE', `/${source}`);
    const text = (await buffer(response)).toString();
    if (response.statusCode === 500) throw new Error(text);
    return response.statusCode === 200;
  }

  /** Closes the cache. */
  async close(): Promise<Load> {
    return JSON.parse((await buffer(await this.#request('POST', '/'))).toString()) as Load;
  }

  /** Pauses the process, or resumes it. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    if (this.#process.pid !== undefined) process.kill(this.#process.pid, signal);
  }

  /** Ends the process by SIGKILL. */
  async kill(): Promise<void> {
    await this.#process.kill();
    this.#agent.destroy();
  }

  async #request(method: string, path: string): Promise<IncomingMessage> {
    const request = http.request({
      host: '127.0.0.1',
      port: this.#port,
      method,
      path,
      agent: this.#agent,
      signal: AbortSignal.timeout(this.#patience),
    });
    // The failure of a body is thrown where it is read.
    request.on('error', () => undefined);
    request.end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return response;
  }
}
