import type { Answer } from './render-step.js';

/** Whether an answer is of a type that its request accepts. What was rendered for this very request always is. */
export function isAccepted({ status, image }: Answer, accepts: readonly string[] | undefined): boolean {
  return accepts === undefined || !(status.hit || status.collapsed) || accepts.includes(image.contentType);
}

/** The names of a `Vary`, with `Accept` among them. */
export function withAccept(vary: readonly string[]): readonly string[] {
  return vary.some((name) => name.toLowerCase() === 'accept') ? vary : ['Accept', ...vary];
}
