import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

/** A runtime as a browser is: no module of Node.js can be imported, and none of its globals is there. */
const BROWSER = `
  import { isBuiltin, registerHooks } from 'node:module';
  const print = process.stdout.write.bind(process.stdout);
  registerHooks({
    resolve(specifier, context, next) {
      if (isBuiltin(specifier)) throw new Error('imports ' + specifier);
      return next(specifier, context);
    },
  });
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
