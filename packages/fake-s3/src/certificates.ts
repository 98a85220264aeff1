import { readFileSync } from 'node:fs';
import type { ServerOptions } from 'node:https';

/** The file of the authority behind {@link testTls}. */
export const testAuthorityFile: URL = new URL('../certificates/ca.crt', import.meta.url);

/** The authority behind {@link testTls}. */
export const testAuthority: Buffer = readFileSync(testAuthorityFile);

/** A certificate for localhost, 127.0.0.1, s3.example.com and some names of AWS's. */
export const testTls: ServerOptions = {
  cert: readFileSync(new URL('../certificates/server.crt', import.meta.url)),
  key: readFileSync(new URL('../certificates/server.key', import.meta.url)),
};
