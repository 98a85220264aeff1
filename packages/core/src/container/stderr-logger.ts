import { inspect } from 'node:util';
import type { Logger } from '../policy/index.js';

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

/** Logs on standard error, a line each. What is only for debugging is left out. */
export const stderrLogger: Logger = {
  debug: () => undefined,
  info: line('info'),
  warn: line('warning'),
  error: line('error'),
};
