import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ImageServer } from '../image-server.js';
import { PICTURE_FOLDER, PICTURES } from '../pictures.js';
import { TemporaryFolder } from '../temporary-folder.js';

const CHROMIUM = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';
const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
// Each picture in three formats and three sizes.
const IMAGES = Math.min(PICTURES.length, 24) * 9;

let browser: Browser;

beforeAll(async () => {
  expect(existsSync(CHROMIUM), `Chromium is needed at ${CHROMIUM}, or where CHROMIUM_PATH says`).toBe(true);
  browser = await chromium.launch({ executablePath: CHROMIUM, args: QUIET });
});

afterAll(() => browser?.close());

describe.each([
  { device: 'phone', width: 375, height: 812, colorScheme: 'dark', env: {} },
  {
    device: 'desktop',
    width: 1280,
    height: 900,
    colorScheme: 'light',
    env: { IMGPROXY_KEY: 'aabb', IMGPROXY_SALT: 'ccdd' },
  },
] as const)('on a $device ($width px, $colorScheme)', ({ width, height, colorScheme, env }) => {
  test('first all images miss, and after the button was pressed all hit', async () => {
    await using folder = await TemporaryFolder.create();
    await using server = await ImageServer.start({
      IMGPROXY_LOCAL_FILESYSTEM_ROOT: PICTURE_FOLDER,
      IMGPROXY_CACHE_USE: 'fs',
      IMGPROXY_CACHE_FS_ROOT: folder.path,
      ...env,
    });
    const page = await browser.newPage({ viewport: { width, height }, colorScheme });
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('requestfailed', (request) => complaints.push(`failed: ${request.url()}`));
    const foreign: string[] = [];
    page.on('request', (request) => {
      const isOwn = /^(?:blob|data):/.test(request.url()) || request.url().startsWith(server.url);
      if (!isOwn) foreign.push(request.url());
    });

    await page.goto(server.url);
    await loaded(page);
    expect(await outcomes(page)).toEqual(Array.from({ length: IMAGES }, () => 'miss'));
    expect(await brokenPictures(page)).toEqual([]);
    expect(await page.textContent('#cache')).toContain(folder.path);
    expect(await page.textContent('#first')).toMatch(
      /^Miss: .+ was not in the cache. Looking it up took [\d.]+ ms, rendering it [\d.]+ ms. Then it was stored.$/,
    );
    expect(await page.textContent('#second')).toMatch(
      /^Hit: .+ was in the cache. Looking it up took [\d.]+ ms.$/,
    );
    expect(await total(page, '#misses')).toBe(IMAGES);
    expect(await page.textContent('[data-outcome] .time >> nth=0')).toMatch(/^[\d.]+ ms$/);

    await page.getByRole('button', { name: 'Load all again' }).click();
    await loaded(page);
    expect(await outcomes(page)).toEqual(Array.from({ length: IMAGES }, () => 'hit'));
    expect(await brokenPictures(page)).toEqual([]);
    expect([await total(page, '#hits'), await total(page, '#misses')]).toEqual([IMAGES, IMAGES]);

    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
    expect(complaints).toEqual([]);
    expect(foreign).toEqual([]);
    await page.close();
  });
});

test('an image that cannot be rendered is shown as failed, the others appear', async () => {
  await using folder = await TemporaryFolder.create();
  await writeFile(folder.join('broken.png'), 'no image');
  await writeFile(
    folder.join('good.svg'),
    '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><circle cx="20" cy="20" r="20"/></svg>',
  );
  await using server = await ImageServer.start({ IMGPROXY_LOCAL_FILESYSTEM_ROOT: folder.path });
  const page = await browser.newPage();
  await page.goto(server.url);
  await loaded(page);
  const shown = await outcomes(page);
  expect(shown.filter((outcome) => outcome === 'failed').length).toBe(9);
  expect(shown.filter((outcome) => outcome === 'bypass').length).toBe(9);
  expect(await page.textContent('#first')).toBe('broken.png failed: 422 Invalid source image');
  expect(await page.textContent('[data-outcome=failed] .time >> nth=0')).toContain('Invalid source image');
  await page.close();
});

test('until the server has answered the page says so', async () => {
  await using server = await ImageServer.start({ IMGPROXY_LOCAL_FILESYSTEM_ROOT: PICTURE_FOLDER });
  const page = await browser.newPage();
  const released = Promise.withResolvers<void>();
  await page.route('**/gallery.json', async (route) => {
    await released.promise;
    await route.continue();
  });
  await page.goto(server.url, { waitUntil: 'domcontentloaded' });
  for (const id of ['#cache', '#first', '#second', '#progress'])
    expect(await page.textContent(id)).toMatch(/loading$/i);
  released.resolve();
  await loaded(page);
  expect(await page.textContent('#first')).toMatch(/^Bypass: there is no cache/);
  await page.close();
});

async function loaded(page: Page): Promise<void> {
  await page
    .getByRole('status')
    .getByText(/images loaded/)
    .waitFor();
}

function outcomes(page: Page): Promise<(string | null)[]> {
  return page.locator('td.variant .outcome').allTextContents();
}

/** Alternative texts of images without pixels. */
async function brokenPictures(page: Page): Promise<string[]> {
  await page.waitForFunction('[...document.images].every((image) => image.complete)');
  return page.evaluate(
    '[...document.images].filter((image) => image.naturalWidth === 0).map(({ alt }) => alt)',
  );
}

async function total(page: Page, selector: string): Promise<number> {
  return Number(await page.textContent(selector));
}
