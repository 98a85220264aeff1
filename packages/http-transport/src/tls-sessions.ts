import type { TLSSocket } from 'node:tls';
import type { TransportClock } from './clock.js';

/** How long a session may be resumed, in milliseconds: a renewed certificate is looked at within this time. */
const LIFETIME = 3_600_000;
const MAX_SESSIONS = 100;

interface Kept {
  readonly session: Buffer;
  readonly expires: number;
}

/** Sessions of TLS by host, so that another connection to a host costs one round trip less. */
export class TlsSessions {
  readonly #clock: TransportClock;
  readonly #sessions = new Map<string, Kept>();

  constructor(clock: TransportClock) {
    this.#clock = clock;
  }

  /** A session to resume, if there is one. */
  of(host: string): Buffer | undefined {
    const kept = this.#sessions.get(host);
    if (kept === undefined) return undefined;
    if (this.#clock.monotonic() < kept.expires) return kept.session;
    this.#sessions.delete(host);
    return undefined;
  }

  /** Keeps the sessions that a connection is given. */
  keepFrom(socket: TLSSocket, host: string): void {
    // A resumed session is renewed by the store again and again: only a full handshake looks at the certificate.
    const resumable = (): number =>
      (socket.isSessionReused() ? this.#sessions.get(host)?.expires : undefined) ??
      this.#clock.monotonic() + LIFETIME;
    socket.on('session', (session) => {
      const expires = resumable();
      this.#sessions.delete(host);
      const [oldest] = this.#sessions.keys();
      if (oldest !== undefined && this.#sessions.size === MAX_SESSIONS) this.#sessions.delete(oldest);
      this.#sessions.set(host, { session, expires });
    });
  }
}
