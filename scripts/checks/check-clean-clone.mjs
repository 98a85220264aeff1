// What a newcomer does: clone what is committed, `npm start`, look at the page and at one picture twice, stop.
// Runs on the Node.js and npm that the caller has, before anything is installed.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../toolchain.mjs';

const startDeadline = 240_000;
const stopDeadline = 30_000;

const clone = mkdtempSync(join(tmpdir(), 'clean-clone-'));
try {
  execFileSync('git', ['clone', '--quiet', root, clone], { stdio: 'inherit' });
  await visit(clone);
} finally {
  rmSync(clone, { recursive: true, force: true });
}

/** @param {string} checkout */
async function visit(checkout) {
  const server = spawn('npm', ['start'], {
    cwd: checkout,
    env: { ...process.env, IMGPROXY_BIND: `127.0.0.1:${await freePort()}` },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const exited = once(server, 'exit');
  try {
    const page = await announcedAddress(server, exited);
    const type = (await answer(page)).headers.get('content-type');
    if (!type?.startsWith('text/html')) throw new Error(`${page} is of type ${type}, not a page`);
    const picture = await firstPicture(page);
    await expectStatus(await answer(picture), 'fwd=miss');
    await expectStatus(await answer(picture), 'hit');
    server.kill('SIGTERM');
    const [code, signal] = await within(stopDeadline, exited, 'npm start did not end after SIGTERM');
    if (code !== 0)
      throw new Error(`npm start ended with ${signal ?? `exit code ${code}`} after SIGTERM, not with 0`);
    console.log('npm start ended with exit code 0 after SIGTERM');
  } finally {
    if (server.exitCode === null && server.signalCode === null) server.kill('SIGTERM');
  }
}

/**
 * @param {import('node:child_process').ChildProcessByStdio<null, import('node:stream').Readable, null>} server
 * @param {Promise<unknown>} exited
 * @returns {Promise<URL>}
 */
function announcedAddress(server, exited) {
  let output = '';
  const announced = new Promise((resolve, reject) => {
    server.stdout.setEncoding('utf8').on('data', (text) => {
      process.stdout.write(text);
      output += text;
      const address = /http:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0];
      if (address) resolve(new URL('/', address));
    });
    exited.then(() => reject(new Error('npm start ended before its server announced an address')), reject);
  });
  return within(startDeadline, announced, 'npm start announced no address');
}

/** @param {URL} page */
async function firstPicture(page) {
  /** @typedef {{ pictures: { variants: { url: string }[] }[] }} Gallery */
  const { pictures } = /** @type {Gallery} */ (await (await answer(new URL('gallery.json', page))).json());
  const url = pictures[0]?.variants[0]?.url;
  if (!url) throw new Error('The gallery lists no picture');
  return new URL(url, page);
}

/** @param {URL} url */
async function answer(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  return response;
}

/**
 * @param {Response} response
 * @param {string} outcome
 */
async function expectStatus(response, outcome) {
  const type = response.headers.get('content-type');
  const status = response.headers.get('cache-status') ?? '';
  const { byteLength } = await response.arrayBuffer();
  console.log(`${response.url} ${type}, ${byteLength} bytes, Cache-Status: ${status}`);
  if (!type?.startsWith('image/')) throw new Error(`The picture is of type ${type}`);
  if (!status.split(/;\s*/).includes(outcome))
    throw new Error(`Cache-Status is "${status}", without ${outcome}`);
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * @template T
 * @param {number} milliseconds
 * @param {Promise<T>} promise
 * @param {string} otherwise
 * @returns {Promise<T>}
 */
async function within(milliseconds, promise, otherwise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${otherwise} within ${milliseconds / 1000} s`)), milliseconds);
  });
  try {
    return await Promise.race([promise, /** @type {Promise<never>} */ (late)]);
  } finally {
    clearTimeout(timer);
  }
}
