import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { HostProcess } from './host-process.js';

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const pages = globSync('docs/guides/hosts*.md', { cwd: repository }).map((path) => ({
  path,
  text: read(path),
}));
const blocks = pages.flatMap(({ path, text }) =>
  [...text.matchAll(/(?:<!-- file: (\S+) -->\n)?```(\w*)\n(.*?)```/gs)].map(
    ([, file = '', language = '', code = '']) => ({ page: path, file, language, code }),
  ),
);
const commands = blocks
  .filter(({ language }) => language === 'sh')
  .flatMap(({ code }) => code.trim().split('\n'));

test('every block of code in the guides is a part of a host that the tests run', () => {
  const code = blocks.filter(({ language }) => language !== 'sh');
  expect(code.length).toBeGreaterThan(10);
  const elsewhere = code.filter(
    ({ file, code }) =>
      !/^examples\/hosts\/(?:src|test)\//.test(file) || !unspaced(read(file)).includes(unspaced(code)),
  );
  expect(elsewhere).toEqual([]);
});

test('every host has its guide', () => {
  const shown = new Set(blocks.map(({ file }) => file));
  const files = globSync('examples/hosts/src/*', { cwd: repository });
  expect(files.length).toBeGreaterThan(5);
  expect(files.filter((file) => !shown.has(file))).toEqual([]);
});

test('what the guides install is what the hosts use', () => {
  const { dependencies } = JSON.parse(read('examples/hosts/package.json'));
  const installed = commands
    .filter((command) => command.startsWith('npm install '))
    .flatMap((command) => command.split(' ').slice(2));
  expect(installed.length).toBeGreaterThan(5);
  expect(installed.filter((name) => !(name in dependencies))).toEqual([]);
});

test('the commands of the overview do what it says', async () => {
  const overview = read('docs/guides/hosts.md');
  const [, variable = '', value = '', file = ''] = /^(\w+)=(\S+) node (\S+)$/m.exec(overview) ?? [];
  await using host = await HostProcess.start(file, { [variable]: value });
  const paths = [...overview.matchAll(/^curl .* http:\/\/localhost:8080(\S+)$/gm)].map(
    ([, path = '']) => path,
  );
  const promised = [...overview.matchAll(/`Cache-Status: ([^`]+)`/g)].map(([, status]) => status);
  expect(promised).toHaveLength(2);
  const seen = [];
  for (const path of paths) seen.push((await host.get(path)).cacheStatus);
  expect(seen.map((status) => status?.replace('; detail=pending', ''))).toEqual(promised);
});

function read(path: string): string {
  return readFileSync(repository + path, 'utf8');
}

function unspaced(text: string): string {
  return text.replaceAll(/\s+/g, '');
}
