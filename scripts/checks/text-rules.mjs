/**
 * What no file of the repository may contain or be called.
 * @typedef {{ path: string, text: string }} TextFile
 * @typedef {{ path: string, line?: number, problem: string }} Finding
 */

const lineLimit = 400;
const source = /\.(?:ts|mts|cts|tsx|js|mjs|cjs)$/;

// Character classes of one letter keep these patterns from matching themselves.
const lineRules = [
  { pattern: /(?<![\w.~/-])\/(?:work|root|tmp|home|opt)\/[\w.-]/, problem: 'names a path of one machine' },
  { pattern: /\bregistr[y]\.[\w.-]+\.\w/, problem: "names a registry's host" },
  { pattern: /\b(?:TOD[O]|FIXM[E]|XX[X]|HAC[K])\b/, problem: 'holds an unfinished word' },
];
const emptyName = /^(?:utils?|helpers?|common|misc|shared|lib)$/i;

/**
 * @param {TextFile} file
 * @returns {Finding[]}
 */
export function findingsIn({ path, text }) {
  const lines = text.split('\n');
  const found = lines.flatMap((content, index) =>
    lineRules
      .filter(({ pattern }) => pattern.test(content))
      .map(({ problem }) => ({ path, line: index + 1, problem })),
  );
  const length = text.endsWith('\n') ? lines.length - 1 : lines.length;
  return [
    ...found,
    ...(source.test(path) && length > lineLimit
      ? [{ path, problem: `has ${length} lines, more than ${lineLimit}` }]
      : []),
    ...path
      .split('/')
      .map((part) => part.replace(/\..*$/, ''))
      .filter((part) => emptyName.test(part))
      .map((part) => ({ path, problem: `"${part}" says nothing of what is inside` })),
  ];
}
