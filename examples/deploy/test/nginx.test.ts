import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NginxConfFile } from 'nginx-conf';
import { expect, onTestFinished, test } from 'vitest';
import { pathOf, read } from './files.js';

const CONFIGURATION = 'nginx/nginx.conf';
type Block = NginxConfFile['nginx'];

const NGINX = process.env['NGINX_PATH'] ?? 'nginx';
const hasNginx = spawnSync(NGINX, ['-v']).status === 0;

test(`the configuration is well-formed (${hasNginx ? 'nginx -t' : 'read here, without nginx'})`, async () => {
  if (hasNginx) {
    const folder = mkdtempSync(join(tmpdir(), 'nginx-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const copy = join(folder, 'nginx.conf');
    // Its folders need root, and the name of the image server a resolver.
    const local = read(CONFIGURATION)
      .replaceAll(/\/var\/(?:cache\/nginx|run)/g, folder)
      .replaceAll('image-server:8080', '127.0.0.1:8080');
    writeFileSync(copy, local);
    const { status, stderr } = spawnSync(NGINX, ['-t', '-p', folder, '-c', copy], { encoding: 'utf8' });
    expect(status, stderr).toBe(0);
  }
  expect(setting(await server(), 'listen')).toBe('8081');
});

test('URLs arrive as they were written, and answers are kept as the image server allows', async () => {
  const configured = await server();
  const [images, health] = configured?.['location'] ?? [];
  expect(setting(configured, 'merge_slashes')).toBe('off');
  expect(setting(images, 'proxy_pass')).toBe('http://image_server');
  expect(setting(images, 'proxy_ignore_headers')).toBeUndefined();
  expect(setting(images, 'proxy_no_cache')).toBe('$http_authorization');
  expect([health?._value, setting(health, 'return')]).toEqual(['= /health', '404']);
});

function server(): Promise<Block | undefined> {
  return new Promise((resolve, reject) => {
    NginxConfFile.create(pathOf(CONFIGURATION), (error, file) =>
      file ? resolve(file.nginx['http']?.[0]?.['server']?.[0]) : reject(error),
    );
  });
}

function setting(block: Block | undefined, name: string): unknown {
  return block?.[name]?.[0]?._value;
}
