import { existsSync } from 'node:fs';

const path = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';
if (!existsSync(path)) throw new Error(`Chromium is needed at ${path}, or where CHROMIUM_PATH says`);

export const CHROMIUM = path;
export const QUIET = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'];
