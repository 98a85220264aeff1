import { createEntry, systemClock } from '@imgproxy-cache/core/driver';
import sqlite from 'imgproxy-cache-driver-sqlite';

/** A driver for a script that runs as a process of its own. */
export function openDriver(file) {
  return sqlite.create(
    { file, busyTimeout: 60, keepReplaced: 300 },
    { clock: systemClock, reservedName: 'check', report: () => {} },
  );
}

/** An image of one byte over and over. */
export function imageOf(name, byte, size) {
  return createEntry({ name, contentType: 'image/webp', created: 1 }, Buffer.alloc(size, byte));
}
