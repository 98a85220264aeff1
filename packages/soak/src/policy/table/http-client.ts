import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import { type ImageVersion, problemOfImage } from '../images.js';

/** A request as its client saw it. All times are in milliseconds. */
export interface Seen {
  /** Until the first byte of the answer; of one without an answer, until it failed. */
  readonly first: number;
  /** Until the end. */
  readonly whole: number;
  /** `cut`: the answer began, and did not end well. `failed`: there was none, or an error. */
  readonly end: 'whole' | 'cut' | 'failed';
  /** The Cache-Status, or what went wrong. */
  readonly status: string;
  /** What is wrong with the image. */
  readonly problem?: string;
}

/** A client of one host. */
export class HostClient {
  readonly #port: number;
  readonly #patience: number;
  readonly #agent = new http.Agent({ keepAlive: true });

  /** @param patience after how many milliseconds a request is given up */
  constructor(port: number, patience: number) {
    this.#port = port;
    this.#patience = patience;
  }

  /** Asks for an image and reads it whole. @param kind through the host's cache, or without */
  async get(kind: 'cached' | 'plain', { source, size }: ImageVersion): Promise<Seen> {
    const began = performance.now();
    const since = (): number => performance.now() - began;
    let first: number | undefined;
    try {
      const request = http.get({
        host: '127.0.0.1',
        port: this.#port,
        path: `/${kind}/${source}/${size}`,
        agent: this.#agent,
        signal: AbortSignal.timeout(this.#patience),
      });
      // Told a second time where the response is read.
      request.on('error', () => undefined);
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      first = since();
      const body = await bodyOf(response);
      const whole = since();
      if (response.statusCode !== 200) {
        return { first, whole, end: 'failed', status: `${response.statusCode} ${body}` };
      }
      const problem = problemOfImage(response.headers.etag, body, source);
      const status = String(response.headers['cache-status']).replace('imgproxy-cache; ', '');
      return { first, whole, end: 'whole', status, ...(problem !== undefined && { problem }) };
    } catch (error) {
      const whole = since();
      return {
        first: first ?? whole,
        whole,
        end: first === undefined ? 'failed' : 'cut',
        status: String(error),
      };
    }
  }

  close(): void {
    this.#agent.destroy();
  }
}

async function bodyOf(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
