import type { CacheStatus, Render } from '@imgproxy-cache/core';

/** Measures the parts of a request for the `Server-Timing` field: look-up, rendering, storing. */
export class ServerTiming {
  readonly #started: number = performance.now();
  #renderBegan: number | undefined;
  #renderEnded: number | undefined;

  /** Measures this request's rendering. */
  around(render: Render): Render {
    return async (context) => {
      this.#renderBegan = performance.now();
      try {
        return await render(context);
      } finally {
        this.#renderEnded = performance.now();
      }
    };
  }

  /**
   * The field, in milliseconds. `lookup` includes waiting for the rendering of an earlier request; `store` is absent unless
   * the image was stored before it was served.
   */
  field(status: CacheStatus): string {
    const now = performance.now();
    if (this.#renderBegan === undefined) return metric('lookup', now - this.#started);
    const { stored, forward } = status;
    const ended = (stored ? this.#renderEnded : undefined) ?? now;
    return [
      ...(forward === 'bypass' ? [] : [metric('lookup', this.#renderBegan - this.#started)]),
      metric('render', ended - this.#renderBegan),
      ...(stored ? [metric('store', now - ended)] : []),
    ].join(', ');
  }
}

function metric(name: string, milliseconds: number): string {
  return `${name};dur=${milliseconds.toFixed(1)}`;
}
