import { globSync, readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import GithubSlugger from 'github-slugger';
import MarkdownIt, { type Token } from 'markdown-it';

/** The repository's folder, with a slash at its end. */
export const repository: string = new URL('../../', import.meta.url).pathname;

/** A Markdown file of the repository. */
export interface Document {
  /** From the repository's root. */
  readonly path: string;
  readonly text: string;
  readonly tokens: readonly Token[];
}

/** A fenced block of code. */
export interface CodeBlock {
  readonly language: string;
  readonly code: string;
  /** `<path of the document>:<line>` of its first line of code, for messages. */
  readonly place: string;
  /** The line of its first line of code. */
  readonly line: number;
  /** What a hidden comment right before it says, such as `context: host.ts`; blank: there is none. */
  readonly comment: string;
}

const markdown = new MarkdownIt({ html: true });

/** Everything that people read: the documentation, the packages' and examples' READMEs, and the pages at the root. */
export const documents: readonly Document[] = globSync(
  ['*.md', 'docs/**/*.md', 'packages/*/README.md', 'examples/*/README.md'],
  {
    cwd: repository,
    exclude: (path) =>
      ['node_modules', '.vitepress', 'api'].includes(basename(path)) || basename(path).startsWith('['),
  },
)
  .sort()
  .map((path) => {
    const text = readFileSync(repository + path, 'utf8');
    return { path, text, tokens: markdown.parse(text, {}) };
  });

/** The fenced blocks of a document. */
export function codeBlocksOf({ path, tokens }: Document): CodeBlock[] {
  return tokens.flatMap((token, index) => {
    if (token.type !== 'fence') return [];
    const [language = ''] = token.info.trim().split(/\s/);
    const line = (token.map?.[0] ?? 0) + 2;
    const before = tokens[index - 1];
    const [, comment = ''] =
      before?.type === 'html_block' ? (/<!-{2}\s*(.*?)\s*-{2}>\s*$/.exec(before.content) ?? []) : [];
    return [{ language, code: token.content, place: `${path}:${line}`, line, comment }];
  });
}

/** Targets of the links and pictures of a document. */
export function linksOf({ tokens }: Document): string[] {
  return tokens
    .flatMap((token) => token.children ?? [])
    .flatMap((token) => token.attrGet('href') ?? token.attrGet('src') ?? [])
    .map(String);
}

/** The anchors of a document's headings, as GitHub and the site make them. */
export function anchorsOf({ tokens }: Document): ReadonlySet<string> {
  const slugger = new GithubSlugger();
  return new Set(
    tokens.flatMap((token, index) => {
      if (token.type !== 'heading_open') return [];
      const inline = tokens[index + 1]?.children ?? [];
      const texts = inline.filter(({ type }) => type === 'text' || type === 'code_inline');
      return [slugger.slug(texts.map(({ content }) => content).join(''))];
    }),
  );
}

/** A path as seen from a document. */
export function folderOf({ path }: Document): string {
  return dirname(path);
}
