import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CHROMIUM, QUIET } from './chromium.js';
import { Site } from './site.js';

let browser: Browser;
let site: Site;
let page: Page;
const requests: string[] = [];

beforeAll(async () => {
  site = await Site.start();
  browser = await chromium.launch({ executablePath: CHROMIUM, args: QUIET });
  page = await browser.newPage();
  page.on('request', (request) => requests.push(request.url()));
  await page.goto(`${site.url}/playground/`);
});

afterAll(async () => {
  await browser?.close();
  await site?.[Symbol.asyncDispose]();
});

test('a pasted URL shows source, options and their presets', async () => {
  await page.fill('#url', '/unsafe/pr:thumbnail/w:100/plain/https://example.com/cat.jpg');
  expect(await page.textContent('#source')).toBe('https://example.com/cat.jpg');
  const rows = await page.locator('table').last().locator('tbody tr').allInnerTexts();
  expect(rows.map((row) => row.split('\t'))).toContainEqual(['height', '200', 'thumbnail']);
  expect(rows.map((row) => row.split('\t'))).toContainEqual(['width', '100', 'the URL']);
});

test('a wrong option is marked', async () => {
  await page.fill('#url', '/unsafe/w:100/h:tall/plain/x');
  const marked = page.locator('tr', { has: page.locator('[role=alert]') });
  expect(await marked.textContent()).toContain('h:tall');
});

test('markup in a URL is text', async () => {
  await page.fill('#url', '/unsafe/plain/<img src=x onerror=alert(1)>');
  expect(await page.locator('#result img').count()).toBe(0);
  expect(await page.textContent('#source')).toBe('<img src=x onerror=alert(1)>');
});

test('nothing is sent, and the policy of the page refuses to', async () => {
  const files = ['', 'playground.css', 'playground.js'].map((name) => `${site.url}/playground/${name}`);
  expect(requests.filter((url) => !files.includes(url) && !url.endsWith('/favicon.ico'))).toEqual([]);
  const refusal = page.evaluate(
    'new Promise((resolve) => { document.addEventListener("securitypolicyviolation", (event) => resolve(event.effectiveDirective)); fetch("/").catch(() => {}); })',
  );
  expect(await refusal).toBe('connect-src');
});

test('the page fits on a narrow screen', async () => {
  await page.setViewportSize({ width: 500, height: 800 });
  expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
});
