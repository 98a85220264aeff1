// Puts one entry under the umask given, in octal.
import { createEntry } from '@imgproxy-cache/core/driver';
import { openDriver } from './open-driver.mjs';

const [root, name, umask, fileMode, folderMode] = process.argv.slice(2);
process.umask(Number.parseInt(umask, 8));
const driver = openDriver(root, { fileMode, folderMode });
await driver.put(name, createEntry({ name, contentType: 'image/png', created: 1 }, Buffer.from('body')));
await driver.close();
