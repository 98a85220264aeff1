import { inspect } from 'node:util';
import type { Logger } from '../resilience/logger.js';

const line =
  (level: string) =>
  (fields: object, message: string): void => {
    const details = Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(
        ([name, value]) =>
          ` ${name}=${typeof value === 'string' ? value : inspect(value, { breakLength: Infinity })}`,
      )
      .join('');
    const text = `imgproxy-cache ${level}: ${message}${details}`;
    process.stderr.write(`${text.replaceAll(/\s*[\r\n]\s*/g, ' ')}\n`);
  };

/** Logs to standard error, one line per message, without those of level debug. */
export const stderrLogger: Logger = {
  debug: () => undefined,
  info: line('info'),
  warn: line('warning'),
  error: line('error'),
};
