import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

/** All that a module imports, and what is imported there. */
async function importsOf(module: URL, seen = new Map<string, string>()): Promise<Map<string, string>> {
  const code = await readFile(module, 'utf8');
  for (const [, specifier = ''] of code.matchAll(/(?:from|import\(?)\s*['"]([^'"]+)['"]/g)) {
    const target = specifier.startsWith('.') ? new URL(specifier, module) : undefined;
    const known = target?.href ?? specifier;
    if (seen.has(known)) continue;
    seen.set(known, specifier);
    if (target !== undefined) await importsOf(target, seen);
  }
  return seen;
}

/** A runtime in which the globals of Node.js are not there, as in a browser. */
const BROWSER = `
  const print = process.stdout.write.bind(process.stdout);
  delete globalThis.process;
  delete globalThis.Buffer;
  const url = await import('@imgproxy-cache/url');
  const parser = new url.UrlParser({ pro: true, presets: { sharp: 'sharpen:0.7' } });
  const built = new url.UrlBuilder({ pro: true }).build({ source: 'http://e.com/é', options: { width: 5 } });
  const { options, source } = parser.parse(built + '.png');
  const errorOf = (action) => { try { return action() } catch (error) { return error.name + ': ' + error.message } };
  const key = new Uint8Array(16);
  print(JSON.stringify({
    options,
    source: source.text,
    byBytes: parser.parse(new Uint8Array([...built].map((character) => character.charCodeAt(0)))).source.text,
    faults: [
      errorOf(() => new url.UrlParser({ keys: [key], salts: [key] })),
      errorOf(() => new url.UrlParser({ sourceUrlEncryptionKey: key })),
      errorOf(() => new url.UrlParser({ secret: 'hush' })),
      errorOf(() => url.signPath('/plain/x', { keys: [key], salts: [key] })),
    ],
  }));
`;

describe('without Node.js', () => {
  it('nothing is imported but the package’s own modules', async () => {
    const imports = await importsOf(new URL(import.meta.resolve('@imgproxy-cache/url')));
    expect(imports.size).toBeGreaterThan(20);
    expect([...imports.values()].filter((specifier) => !specifier.startsWith('.'))).toEqual([]);
    // The search finds what is there: the environment's entry point reads files.
    const environment = await importsOf(new URL(import.meta.resolve('@imgproxy-cache/url/environment')));
    expect([...environment.keys()].filter((specifier) => !specifier.startsWith('file:'))).toEqual([
      'node:fs',
    ]);
  });

  it('URLs are read and built, and nothing that needs its cryptography is passed over', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', BROWSER], {
      cwd: fileURLToPath(new URL('..', import.meta.url)),
      timeout: 60_000,
    });
    const fault = (name: string) =>
      `UrlConfigError: ${name} cannot be used here: this runtime has no cryptography of Node.js, which checking needs`;
    expect(JSON.parse(stdout)).toEqual({
      options: [
        ['format', 'png'],
        ['width', '5'],
      ],
      source: 'http://e.com/é',
      byBytes: 'http://e.com/é',
      faults: [fault('keys'), fault('sourceUrlEncryptionKey'), fault('secret'), fault('keys')],
    });
  });
});
