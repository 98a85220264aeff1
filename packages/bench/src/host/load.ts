import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** Connections that each ask for one image after another. They cost less than any HTTP client, so that the server is measured. */
export class Load {
  readonly #sockets: readonly Socket[];
  #index = 0;

  private constructor(sockets: readonly Socket[]) {
    this.#sockets = sockets;
  }

  static async open(port: number, connections: number): Promise<Load> {
    const sockets = Array.from({ length: connections }, () => connect(port, '127.0.0.1').setNoDelay());
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    return new Load(sockets);
  }

  /** Asks for so many milliseconds. @returns the number of answers */
  async run(milliseconds: number): Promise<number> {
    const end = performance.now() + milliseconds;
    const counts = await Promise.all(this.#sockets.map((socket) => this.#ask(socket, end)));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #ask(socket: Socket, end: number): Promise<number> {
    return new Promise((resolve) => {
      let answers = 0;
      let missing = 0;
      const send = (): void => {
        socket.write(`GET /${this.#index++} HTTP/1.1\r\nHost: localhost\r\nAccept: image/webp,*/*\r\n\r\n`);
      };
      const onData = (chunk: Buffer): void => {
        if (missing === 0) missing = lengthOf(chunk);
        missing -= chunk.length;
        if (missing > 0) return;
        answers++;
        if (performance.now() < end) send();
        else {
          socket.off('data', onData);
          resolve(answers);
        }
      };
      socket.on('data', onData);
      send();
    });
  }
}

/** Length of an answer, whose header is in its first chunk. */
function lengthOf(chunk: Buffer): number {
  const header = chunk.toString('latin1', 0, chunk.indexOf('\r\n\r\n') + 4);
  const length = /^HTTP\/1\.1 200 [\s\S]*\r\ncontent-length: (\d+)\r\n/i.exec(header)?.[1];
  if (length === undefined) throw new Error(`no answer with an image: ${header.slice(0, 200)}`);
  return header.length + Number(length);
}
