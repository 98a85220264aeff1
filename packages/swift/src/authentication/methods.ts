import { field, items, text } from '../json-document.js';
import type { SwiftConfig } from '../swift-config.js';
import type { AuthVersion } from './auth-version.js';
import { type Endpoint, lifeOf, pickEndpoint } from './catalogue.js';
import { checkedToken, parseStorageUrl, type Session } from './session.js';

/** Who authenticates, and where. */
export type Account = Pick<SwiftConfig, 'username' | 'apiKey' | 'tenant' | 'domain' | 'region'> & {
  readonly url: string;
};

/** A request for a token. */
export interface TokenRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** An answer with a token. */
export interface TokenAnswer {
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed; `undefined` if it is no JSON. */
  readonly document: unknown;
}

/** One version of the authentication. */
export interface AuthMethod {
  /** The requests to try, one after the other, while they are refused. */
  requests(account: Account): readonly TokenRequest[];
  /** @param now milliseconds since the epoch. @throws NotSwiftError */
  read(answer: TokenAnswer, account: Account, now: number): Session;
}

const PUBLIC = 'public';
const STORE = 'object-store';
const DEFAULT_DOMAIN = 'default';
// The keys of Rackspace, which takes them under another name than passwords, are no shorter.
const API_KEY_LENGTH = 32;

const v1: AuthMethod = {
  requests: ({ url, username, apiKey }) => [
    { method: 'GET', url, headers: { 'x-auth-user': username, 'x-auth-key': apiKey } },
  ],
  read({ headers }) {
    const seconds = headers['x-auth-token-expires'];
    return {
      token: checkedToken(headers['x-auth-token']),
      life: seconds !== undefined && /^\d+$/.test(seconds) ? Number(seconds) * 1000 : undefined,
      storage: parseStorageUrl(headers['x-storage-url']),
      regions: [],
    };
  },
};

const v2: AuthMethod = {
  requests({ url, username, apiKey, tenant }) {
    const tenantName = tenant === '' ? {} : { tenantName: tenant };
    const password = { passwordCredentials: { username, password: apiKey }, ...tenantName };
    const key = { 'RAX-KSKEY:apiKeyCredentials': { username, apiKey }, ...tenantName };
    const kinds = apiKey.length < API_KEY_LENGTH ? [password] : [key, password];
    return kinds.map((auth) => post(below(url, 'tokens'), { auth }));
  },
  read({ document }, account, now) {
    const access = field(document, 'access');
    const token = field(access, 'token');
    const endpoints = items(field(access, 'serviceCatalog'))
      .filter((service) => field(service, 'type') === STORE)
      .flatMap((service) => items(field(service, 'endpoints')))
      .map((each): Endpoint => ({ region: text(field(each, 'region')), url: field(each, 'publicURL') }));
    return {
      token: checkedToken(field(token, 'id')),
      life: lifeOf(field(token, 'expires'), field(token, 'issued_at'), now),
      ...pickEndpoint(endpoints, account.region, revealedBy(account)),
    };
  },
};

const v3: AuthMethod = {
  requests({ url, username, apiKey, tenant, domain: name }) {
    const domain = name === '' || name === DEFAULT_DOMAIN ? { id: DEFAULT_DOMAIN } : { name };
    const user = { name: username, domain, password: apiKey };
    const scope = tenant === '' ? {} : { scope: { project: { name: tenant, domain } } };
    const auth = { identity: { methods: ['password'], password: { user } }, ...scope };
    return [post(below(url, 'auth/tokens'), { auth })];
  },
  read({ headers, document }, account, now) {
    const token = field(document, 'token');
    const endpoints = items(field(token, 'catalog'))
      .filter((service) => field(service, 'type') === STORE)
      .flatMap((service) => items(field(service, 'endpoints')))
      .filter((each) => field(each, 'interface') === PUBLIC)
      .map((each): Endpoint => {
        const region = text(field(each, 'region')) ?? text(field(each, 'region_id'));
        return { region, url: field(each, 'url') };
      });
    return {
      token: checkedToken(headers['x-subject-token']),
      life: lifeOf(field(token, 'expires_at'), field(token, 'issued_at'), now),
      ...pickEndpoint(endpoints, account.region, revealedBy(account)),
    };
  },
};

export const AUTH_METHODS: Readonly<Record<AuthVersion, AuthMethod>> = { 1: v1, 2: v2, 3: v3 };

function below(url: string, path: string): string {
  return `${url.replace(/\/+$/, '')}/${path}`;
}

function post(url: string, document: unknown): TokenRequest {
  const headers = { 'content-type': 'application/json', accept: 'application/json' };
  return { method: 'POST', url, headers, body: JSON.stringify(document) };
}

function revealedBy({ apiKey }: Account): (text: string) => boolean {
  return (shown) => shown.includes(apiKey);
}
