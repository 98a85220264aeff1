import type { Judgement } from './soak.js';

const SHOWN = 5;

/** What was found against one judgement: all are counted, the first few are told. */
export class Findings {
  #count = 0;
  readonly #shown: string[] = [];

  add(...findings: readonly string[]): void {
    this.#count += findings.length;
    this.#shown.push(...findings.slice(0, Math.max(0, SHOWN - this.#shown.length)));
  }

  /** @param figures what it was judged by, where nothing was found */
  judge(name: string, figures: string): Judgement {
    if (this.#count === 0) return { name, holds: true, figures };
    return { name, holds: false, figures: `${this.#count} found (${figures}): ${this.#shown.join('; ')}` };
  }
}
