import { randomUUID } from 'node:crypto';
import type { Answer, WireRequest } from './wire.js';

const JSON_TYPE = { 'content-type': 'application/json' };

/** TempAuth and Keystone with one user, in the versions 1, 2 and 3. */
export class FakeIdentity {
  user = 'test:tester';
  key = 'testing';
  /** In seconds. */
  tokenLife = 3_600;
  project = 'demo';
  domain: Readonly<Record<string, string>> = { id: 'default' };
  regions: readonly string[] = ['RegionOne', 'RegionTwo'];
  /** The versions that the root offers. */
  versions: readonly string[] = ['v3.14', 'v2.0'];
  /** Where the store is, if not here. */
  storage: ((region: string) => string) | undefined;
  /** The service in the catalogue. */
  service = 'object-store';
  /** The clock of the server, in milliseconds since the epoch. */
  now: () => number = Date.now;
  readonly #storageUrl: () => string;
  readonly #tokens = new Map<string, number>();

  constructor(storageUrl: () => string) {
    this.#storageUrl = storageUrl;
  }

  isValid(token: unknown): boolean {
    return (this.#tokens.get(String(token)) ?? 0) > this.now();
  }

  /** Forgets all tokens, as a memcached does that was restarted. */
  revoke(): void {
    this.#tokens.clear();
  }

  answer({ method, path, headers, body }: WireRequest): Answer {
    if (path === '/auth/v1.0') return this.#version1(headers['x-auth-user'], headers['x-auth-key']);
    if (method === 'POST' && path === '/v2.0/tokens') return this.#version2(JSON.parse(body.toString()));
    if (method === 'POST' && path === '/v3/auth/tokens') return this.#version3(JSON.parse(body.toString()));
    if (path !== '/' || this.versions.length === 0) return { status: 404 };
    const values = this.versions.map((id) => ({ id, links: [{ href: 'http://inside.example.com/' }] }));
    return { status: 300, headers: JSON_TYPE, body: JSON.stringify({ versions: { values } }) };
  }

  #version1(user: unknown, key: unknown): Answer {
    if (user !== this.user || key !== this.key) return { status: 401 };
    return {
      status: 200,
      headers: {
        'x-auth-token': this.#issue(),
        'x-auth-token-expires': String(this.tokenLife),
        'x-storage-url': this.#storageOf(''),
      },
    };
  }

  // biome-ignore lint/suspicious/noExplicitAny: a document of the wire
  #version2({ auth }: any): Answer {
    const given = auth['RAX-KSKEY:apiKeyCredentials']?.apiKey ?? auth.passwordCredentials?.password;
    const user = (auth['RAX-KSKEY:apiKeyCredentials'] ?? auth.passwordCredentials)?.username;
    if (user !== this.user || given !== this.key) return { status: 401 };
    const endpoints = this.regions.map((region) => ({ region, publicURL: this.#storageOf(region) }));
    const access = {
      token: { id: this.#issue(), expires: this.#expiry(), issued_at: new Date(this.now()).toISOString() },
      serviceCatalog: auth.tenantName === this.project ? [{ type: this.service, endpoints }] : [],
    };
    return { status: 200, headers: JSON_TYPE, body: JSON.stringify({ access }) };
  }

  // biome-ignore lint/suspicious/noExplicitAny: a document of the wire
  #version3({ auth: { identity, scope } }: any): Answer {
    const { name, password, domain } = identity.password.user;
    const isUser = name === this.user && password === this.key && isSame(domain, this.domain);
    const isProject =
      scope === undefined ||
      (scope.project.name === this.project && isSame(scope.project.domain, this.domain));
    if (!isUser || !isProject) return { status: 401 };
    const endpoints = this.regions.flatMap((region) => [
      { interface: 'internal', region, region_id: region, url: 'http://inside.example.com/v1' },
      { interface: 'public', region, region_id: region, url: this.#storageOf(region) },
    ]);
    const token = {
      expires_at: this.#expiry(),
      issued_at: new Date(this.now()).toISOString(),
      catalog:
        scope === undefined
          ? undefined
          : [
              { type: 'identity', endpoints: [] },
              { type: this.service, endpoints },
            ],
    };
    const headers = { ...JSON_TYPE, 'x-subject-token': this.#issue() };
    return { status: 201, headers, body: JSON.stringify({ token }) };
  }

  #issue(): string {
    const token = `token-${randomUUID()}`;
    this.#tokens.set(token, this.now() + this.tokenLife * 1000);
    return token;
  }

  #expiry(): string {
    return new Date(this.now() + this.tokenLife * 1000).toISOString();
  }

  #storageOf(region: string): string {
    return this.storage?.(region) ?? this.#storageUrl();
  }
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
