import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { UrlError, UrlParser } from '@imgproxy-cache/url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const pathOf = (url: string) => `/s/${Buffer.from(url).toString('base64url')}`;

/** The same pattern for an engine that backtracks: what it captures is what Go's regular expressions capture. */
const backtracking = (stars: string) =>
  new RegExp(`^${stars.replaceAll('.', '\\.').replaceAll('*', '([^/]*)')}`);

const text = (maxLength: number) =>
  fc.array(fc.constantFrom('a', 'b', 'ab', '.', '/', 'é'), { maxLength }).map((pieces) => pieces.join(''));
const pattern = fc
  .array(fc.constantFrom('*', '*', 'a', 'b', 'ab', '.', '/', 'é'), { maxLength: 9 })
  .map((pieces) => pieces.join(''));
/** A pattern and a URL, which often matches it. */
const patternAndUrl = fc
  .tuple(pattern, fc.array(text(4), { minLength: 9, maxLength: 9 }), text(4), text(10), fc.boolean())
  .map(([stars, fillings, rest, other, isFilled]) => {
    const filled = stars.replaceAll('*', () => fillings.pop() ?? '') + rest;
    return [stars, (isFilled ? filled : other) || 'a'] as const;
  });

describe('patterns with stars', () => {
  it('capture what a backtracking regular expression captures', () => {
    fc.assert(
      fc.property(patternAndUrl, ([stars, url]) => {
        const count = stars.split('*').length - 1;
        const references = Array.from({ length: count + 1 }, (_, group) => `\${${group}}`);
        const parser = new UrlParser({
          urlReplacements: [{ pattern: stars, replacement: `<${references.join('|')}>` }],
        });
        const expected = url.replace(
          backtracking(stars),
          (...match) => `<${match.slice(0, count + 1).join('|')}>`,
        );
        expect(parser.parse(pathOf(url)).source.text).toBe(expected);
      }),
      { numRuns: 5000 },
    );
  });

  it('allow the sources that a backtracking regular expression matches', () => {
    fc.assert(
      fc.property(patternAndUrl, ([stars, url]) => {
        const parser = new UrlParser({ allowedSources: [stars] });
        if (backtracking(stars).test(url)) expect(parser.parse(pathOf(url)).source.text).toBe(url);
        else expect(() => parser.parse(pathOf(url))).toThrow(UrlError);
      }),
      { numRuns: 5000 },
    );
  });
});

// In a process of its own: what grows by a power of the length would never give the event loop back.
const MEASURE = `
  import { UrlParser } from '@imgproxy-cache/url';
  const stars = 'https://' + '*.'.repeat(10);
  const rule = { pattern: stars, replacement: '$1/$2/$10/' };
  const dotted = (length) => '/s/plain/https://' + 'a.'.repeat(length / 2);
  const repeated = (text, end) => (length) => '/s/' + text.repeat(length / text.length) + end;
  const pro = new UrlParser({ pro: true });
  const cases = {
    refused: [new UrlParser({ allowedSources: [stars + 'example.com/'] }), dotted],
    replaced: [new UrlParser({ urlReplacements: [{ ...rule, pattern: stars + 'example.com/' }, rule] }), dotted],
    options: [pro, repeated('w:10/', 'plain/x')],
    lists: [pro, repeated('skp:png/', 'plain/x')],
    pipelines: [pro, repeated('-/h:5/', 'plain/x')],
    chunks: [pro, repeated('YWFh/', '')],
    escapes: [pro, (length) => '/s/plain/' + '%41'.repeat(length / 3)],
    signatures: [pro, (length) => '/' + 's'.repeat(length) + '/plain/x'],
  };
  const timeOf = ([parser, uriOf], length, repetitions) => {
    const uri = uriOf(length);
    const started = process.hrtime.bigint();
    for (let run = 0; run < repetitions; run++) try { parser.parse(uri) } catch {}
    return Number(process.hrtime.bigint() - started);
  };
  const result = {};
  for (const [name, measured] of Object.entries(cases)) {
    const short = [], long = [];
    for (let round = 0; round < 15; round++) {
      short.push(timeOf(measured, 1_000, 100));
      long.push(timeOf(measured, 100_000, 1));
    }
    result[name] = Math.min(...long) / Math.min(...short);
  }
  process.stdout.write(JSON.stringify(result));
`;

describe('the time to read a URL', () => {
  it('grows with its length and no faster, also for patterns with ten stars', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', MEASURE], {
      cwd: fileURLToPath(new URL('..', import.meta.url)),
      timeout: 100_000,
      killSignal: 'SIGKILL',
    });
    // As long for 100 KB as for 1 KB a hundred times: 1 if it is linear, and 100 if it is quadratic.
    const ratios = Object.entries(JSON.parse(stdout) as Record<string, number>);
    expect(ratios).toHaveLength(8);
    expect(ratios.filter(([, ratio]) => ratio >= 10)).toEqual([]);
  });
});
