import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CHROMIUM, QUIET } from './chromium.js';
import { Site } from './site.js';

const PAGES = [
  '/',
  '/concepts/request',
  '/concepts/policy',
  '/guides/first-host',
  '/guides/operating',
  '/guides/testing-a-host',
  '/guides/write-a-driver',
  '/drivers/',
  '/drivers/s3',
  '/reference/configuration',
  '/reference/cache-status',
  '/reference/errors',
  '/reference/events-and-metrics',
  '/reference/api/@imgproxy-cache/core/',
  '/benchmarks/',
  '/packages/core',
  '/examples/custom-driver',
  '/examples/deploy',
  '/contributing',
];

let browser: Browser;
let site: Site;

beforeAll(async () => {
  site = await Site.start();
  browser = await chromium.launch({ executablePath: CHROMIUM, args: QUIET });
});

afterAll(async () => {
  await browser?.close();
  await site?.[Symbol.asyncDispose]();
});

describe.each([{ width: 500 }, { width: 1280 }])('at $width px', ({ width }) => {
  test.each(PAGES)('%s fits: page, tables, code and pictures', async (path) => {
    const page = await open(path, width);
    expect(await overflows(page)).toEqual([]);
    await page.close();
  });
});

test('the home page shows the path of a request', async () => {
  const page = await open('/', 1280);
  const picture = page.locator('.vp-doc img[src*="request-path"]');
  expect(await picture.getAttribute('alt')).toContain('key');
  await page.waitForFunction(
    'document.images.length > 0 && [...document.images].every((image) => image.complete)',
  );
  expect(await page.evaluate('[...document.images].filter((image) => image.naturalWidth === 0).length')).toBe(
    0,
  );
  await page.close();
});

async function open(path: string, width: number): Promise<Page> {
  const page = await browser.newPage({ viewport: { width, height: 900 } });
  const response = await page.goto(site.url + path, { waitUntil: 'networkidle' });
  expect(response?.status()).toBe(200);
  return page;
}

/** What is wider than the room that it has, and what of a table is too narrow to be read. Evaluated in the page. */
function overflows(page: Page): Promise<string[]> {
  return page.evaluate(`(() => {
    const found = [];
    const name = (element) => element.localName + ' "' + element.textContent.trim().slice(0, 60) + '"';
    const root = document.documentElement;
    if (root.scrollWidth > root.clientWidth) found.push('the page by ' + (root.scrollWidth - root.clientWidth) + ' px');
    for (const element of document.querySelectorAll('.vp-doc table, .vp-doc pre'))
      if (element.scrollWidth > element.clientWidth)
        found.push(name(element) + ' by ' + (element.scrollWidth - element.clientWidth) + ' px');
    for (const element of document.querySelectorAll('.vp-doc :is(img, svg)'))
      if (element.getBoundingClientRect().right > root.clientWidth) found.push(name(element));
    for (const element of document.querySelectorAll('.vp-doc :is(td, th)')) {
      const { width, height } = element.getBoundingClientRect();
      if (width < 64 && height > 6 * 24) found.push(name(element) + ' is a column of ' + Math.round(width) + ' px');
    }
    return found;
  })()`);
}
