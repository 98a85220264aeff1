import { Findings } from './findings.js';

/** What Node.js tells of a process in disorder: promises whose failure nobody takes, and warnings. */
export class ProcessIncidents {
  readonly findings = new Findings();
  readonly #onRejection = (reason: unknown): void => {
    this.findings.add(`an unhandled rejection: ${String(reason).slice(0, 200)}`);
  };
  readonly #onWarning = (warning: Error): void => {
    this.findings.add(`a warning: ${String(warning).slice(0, 200)}`);
  };

  watch(): void {
    process.on('unhandledRejection', this.#onRejection);
    process.on('warning', this.#onWarning);
  }

  unwatch(): void {
    process.off('unhandledRejection', this.#onRejection);
    process.off('warning', this.#onWarning);
  }
}
