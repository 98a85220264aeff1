import { globSync, readFileSync } from 'node:fs';
import { CACHE, CACHE_CHANNELS, CORE_TABLE, cacheModule } from '@imgproxy-cache/core';
import { CACHE_ERROR_CODES, type ConfigTable } from '@imgproxy-cache/core/driver';
import { createNoopMeter, type Meter } from '@opentelemetry/api';
import { Container } from 'inversify';
import { describe, expect, test } from 'vitest';
import { codeBlocksOf, type Document, documents, repository } from './documents.js';

const sources = globSync(['{packages,examples}/*/src/**/*.ts', 'scripts/*.mjs'], { cwd: repository })
  .map((path) => readFileSync(repository + path, 'utf8'))
  .join('\n');
const scripts = new Set(
  globSync(['package.json', '{packages,examples,scripts,docs}/**/package.json'], {
    cwd: repository,
    exclude: (path) => path.endsWith('node_modules'),
  }).flatMap((path) => {
    const manifest = JSON.parse(readFileSync(repository + path, 'utf8')) as { readonly scripts?: object };
    return Object.keys(manifest.scripts ?? {});
  }),
);

/** What is not in a document's text as such: a group (`IMGPROXY_CACHE_*`, `IMGPROXY_CACHE_S3_…`) is no name. */
const variable = /\bIMGPROXY_[A-Z0-9_]*[A-Z0-9](?![A-Z0-9_*…<])/g;
/** Misspelt on purpose. */
const unread = ['IMGPROXY_CACHE_PATH_PREFX'];

describe.each(documents)('$path', (document) => {
  test('names variables that some source reads', () => {
    const read = new Set([...unread, ...(sources.match(variable) ?? [])]);
    expect(named(document, variable).filter((name) => !read.has(name))).toEqual([]);
  });

  test('names error codes that exist', () => {
    const codes = new Set<string>([...CACHE_ERROR_CODES, ...(sources.match(/\bERR_URL_[A-Z_]+/g) ?? [])]);
    expect(
      named(document, /\bERR_(?:CACHE|URL)_[A-Z_]*[A-Z]\b(?![_*…])/g).filter((code) => !codes.has(code)),
    ).toEqual([]);
  });

  test('names metrics that exist', async () => {
    const metrics = new Set(await instruments());
    const names = named(document, /`cache_[a-z_]+/g).map((name) => name.slice(1));
    expect(names.filter((name) => !metrics.has(name))).toEqual([]);
  });

  test('names channels that exist', () => {
    const channels = new Set<string>(Object.values(CACHE_CHANNELS).map(({ name }) => String(name)));
    expect(named(document, /\bimgproxy-cache:[a-z-]+/g).filter((name) => !channels.has(name))).toEqual([]);
  });

  test('names tokens that exist', () => {
    expect(
      named(document, /\bCACHE\.[A-Z]\w+/g).filter((name) => !(name.slice('CACHE.'.length) in CACHE)),
    ).toEqual([]);
  });

  test('tells to run scripts that exist', () => {
    const commands = [document.text.match(/`[^`\n]+`/g) ?? [], codeBlocksOf(document).map(({ code }) => code)]
      .flat()
      .join('\n');
    const told = [...commands.matchAll(/\b(?:pnpm(?: run)?|npm run) ([a-z][a-z:-]*)/g)].map(
      ([, script = '']) => script,
    );
    expect(told.filter((script) => !scripts.has(script) && script !== 'install')).toEqual([]);
  });
});

test('the page of tokens has every token, in the order of the code', () => {
  const rows = [...page('docs/reference/tokens.md').text.matchAll(/^\| `CACHE\.(\w+)` \|/gm)];
  expect(rows.map(([, token]) => token)).toEqual(Object.keys(CACHE));
});

test('the page of circuit breakers has their variables with their defaults', () => {
  const rows = rowsOf(page('docs/guides/operating.md'), 'IMGPROXY_CACHE_BREAKER_');
  const table: ConfigTable = CORE_TABLE;
  const own = Object.values(table).filter((row) => row.variable.startsWith('IMGPROXY_CACHE_BREAKER_'));
  expect(rows).toEqual(own.map((row) => [row.variable, String(row.default)]));
});

describe.each(['fs', 'memory', 's3', 'swift'])('the pages of the %s driver', (driver) => {
  test.each([`docs/drivers/${driver}.md`, `packages/${driver}/README.md`])(
    '%s has all of its variables with their defaults',
    async (path) => {
      const module = (await import(`@imgproxy-cache/${driver}`)) as {
        readonly default: { readonly config: ConfigTable };
      };
      const documented = new Map(rowsOf(page(path), 'IMGPROXY_CACHE_'));
      for (const row of Object.values(module.default.config)) {
        const value = row.required ? 'required' : String(row.default) || 'blank';
        expect(`${row.variable} ${documented.get(row.variable)}`).toMatch(
          new RegExp(`^${row.variable} ${value}\\b`),
        );
      }
    },
  );
});

describe.each(['fs', 's3', 'swift'])('the page of the %s driver', (driver) => {
  const code = globSync(`packages/${driver}/src/**/*.ts`, { cwd: repository })
    .map((path) => readFileSync(repository + path, 'utf8'))
    .join('\n');
  const reported = [...code.matchAll(/\bkind: (.*)/g)].flatMap(
    ([, value = '']) => value.match(/(?<=')[a-z]+(?:-[a-z]+)+(?=')/g) ?? [],
  );
  const { text } = page(`docs/drivers/${driver}.md`);

  test('names every event that the driver reports', () => {
    expect(reported.length).toBeGreaterThan(0);
    expect(reported.filter((kind) => !text.includes(`\`${kind}\``))).toEqual([]);
  });

  test('lists no event that it does not', () => {
    const [, table = ''] = /^\| event \|.*\n\|---.*\n((?:\|.*\n)+)/m.exec(text) ?? [];
    const listed = [...table.matchAll(/^\|([^|]*)\|/gm)].flatMap(
      ([, cell = '']) => cell.match(/[a-z]+(?:-[a-z]+)+/g) ?? [],
    );
    expect(listed.filter((kind) => !code.includes(`'${kind}'`))).toEqual([]);
  });
});

describe('every package that is published', () => {
  const published = globSync('packages/*/package.json', { cwd: repository })
    .map((path) => ({
      path: path.replace('/package.json', ''),
      text: readFileSync(repository + path, 'utf8'),
    }))
    .filter(({ text }) => !text.includes('"private": true'));

  test('is in the picture of the layout', () => {
    const picture = readFileSync(`${repository}docs/public/layout.svg`, 'utf8');
    expect(published.map(({ path }) => path).filter((path) => !picture.includes(`>${path}<`))).toEqual([]);
  });

  test('is in the API with all that it exports', () => {
    const modules = globSync('docs/api/*.ts', { cwd: repository }).map(
      (path) => /@module (\S+)/.exec(readFileSync(repository + path, 'utf8'))?.[1],
    );
    const exported = published.flatMap(({ text }) => {
      const { name, exports } = JSON.parse(text) as { readonly name: string; readonly exports: object };
      return Object.keys(exports).map((path) => name + path.slice(1));
    });
    expect(modules.sort()).toEqual(exported.filter((path) => !path.endsWith('/package.json')).sort());
  });
});

function named({ text }: Document, pattern: RegExp): string[] {
  return [...new Set(text.match(pattern))];
}

function page(path: string): Document {
  const found = documents.find((document) => document.path === path);
  if (found === undefined) throw new Error(`there is no ${path}`);
  return found;
}

/** Name and default of the variables in a page's tables, without backquotes. */
function rowsOf({ text }: Document, prefix: string): [variable: string, value: string][] {
  return [...text.matchAll(/^\| `(\w+)` \| `?([^`|]*?)`? ?\|/gm)]
    .filter(([, name = '']) => name.startsWith(prefix))
    .map(([, name = '', value = '']) => [name, value]);
}

async function instruments(): Promise<string[]> {
  const names: string[] = [];
  const meter = createNoopMeter();
  const noting = new Proxy(meter, {
    get: (target, method: keyof typeof meter) => {
      const create = target[method];
      // The container asks for others, such as `then`.
      if (typeof create !== 'function') return create;
      return (name: string) => {
        names.push(name);
        return Reflect.apply(create, target, [name]);
      };
    },
  });
  const container = new Container();
  container.load(await cacheModule({ env: {} }));
  container.rebind<Meter>(CACHE.Meter).toConstantValue(noting);
  await container.get(CACHE.ImageCache).close();
  return names;
}
