import type { Answer } from './render-step.js';

/** Whether the request accepts the answer's media type. A rendering made for this request is always accepted. */
export function isAccepted({ status, image }: Answer, accepts: readonly string[] | undefined): boolean {
  return accepts === undefined || !(status.hit || status.collapsed) || accepts.includes(image.contentType);
}

/** The names of a `Vary`, with `Accept` included. */
export function withAccept(vary: readonly string[]): readonly string[] {
  return vary.some((name) => name.toLowerCase() === 'accept') ? vary : ['Accept', ...vary];
}
