import { describe, expect, test } from 'vitest';
import { bytesOf, Host, type Received } from './host.js';
import { ANSWERS } from './requirements/answers.js';
import { CONDITIONAL_REQUESTS } from './requirements/conditional-requests.js';
import { BODY, type Headers, type Requirement } from './requirements/requirement.js';

describe.each(['node', 'fetch'] as const)('adapter %s', (adapter) => {
  test.each([...CONDITIONAL_REQUESTS, ...ANSWERS])('$section: $says', async (requirement) => {
    const { path = BODY, method = 'GET', cached = true, env = {}, status, fields = {}, body } = requirement;
    await using host = await Host.start({ adapter, env });
    if (cached) await host.ask(path);
    const received = await host.ask(path, await withTag(requirement, adapter), method);

    expect(received.status, String(received.body)).toBe(status);
    for (const [name, value] of Object.entries(fields)) expect(received.headers[name], name).toEqual(value);
    if (body !== undefined) expect(Buffer.compare(received.body, body(bytesOf(path)))).toBe(0);
    if (status === 304 || method === 'HEAD') expect(received.body.length).toBe(0);
  });
});

/** The request's fields with the image's tag, which another host tells: the same on every host. */
async function withTag(
  { path = BODY, headers = {} }: Requirement,
  adapter: 'node' | 'fetch',
): Promise<Headers> {
  if (!JSON.stringify(headers).includes('ETAG')) return headers;
  await using other = await Host.start({ adapter });
  const { headers: fields }: Received = await other.ask(path);
  const tag = fields['etag'] ?? '';
  expect(tag).toMatch(/^".+"$/);
  const filled = Object.entries(headers).map(([name, value]): [string, string | string[]] => [
    name,
    Array.isArray(value) ? value.map((line) => line.replaceAll('ETAG', tag)) : value.replaceAll('ETAG', tag),
  ]);
  return Object.fromEntries(filled);
}
