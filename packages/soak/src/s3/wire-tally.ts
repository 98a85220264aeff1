import diagnostics from 'node:diagnostics_channel';

// Of node:http and of undici.
const CHANNELS = ['http.client.request.start', 'undici:request:create'];

/** Counts the requests that this process begins to send. */
export class WireTally {
  sent = 0;
  readonly #onRequest = (): void => {
    this.sent += 1;
  };

  subscribe(): void {
    for (const channel of CHANNELS) diagnostics.subscribe(channel, this.#onRequest);
  }

  unsubscribe(): void {
    for (const channel of CHANNELS) diagnostics.unsubscribe(channel, this.#onRequest);
  }
}
