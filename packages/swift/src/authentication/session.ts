import { NotSwiftError } from '../requests/failures.js';

/** Where an account's containers are. */
export interface StorageUrl {
  /** `http(s)://host[:port]` */
  readonly origin: string;
  /** Without a slash at its end. */
  readonly path: string;
}

/** What an authentication gives. */
export interface Session {
  readonly token: string;
  /** How long the token is valid, in milliseconds. Absent: the server does not say. */
  readonly life?: number | undefined;
  readonly storage: StorageUrl;
  /** The regions that have a store, as far as the catalogue names them. */
  readonly regions: readonly string[];
}

const TOKEN = /^[\x21-\x7e]+$/;

/** @throws NotSwiftError for what no header can carry */
export function checkedToken(token: unknown): string {
  if (typeof token === 'string' && TOKEN.test(token)) return token;
  throw new NotSwiftError('a success without a token');
}

/** @throws NotSwiftError for what is no URL of http or https */
export function parseStorageUrl(text: unknown): StorageUrl {
  if (typeof text !== 'string' || !URL.canParse(text))
    throw new NotSwiftError('a success without a storage URL');
  const { protocol, origin, pathname } = new URL(text);
  if (!/^https?:$/.test(protocol))
    throw new NotSwiftError('a storage URL of another scheme than http or https');
  return { origin, path: pathname.replace(/\/+$/, '') };
}
