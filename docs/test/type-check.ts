import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type CodeBlock, repository } from './documents.js';

const docs = `${repository}docs/`;
/** Inside the package, where Node.js and TypeScript find what the blocks import. */
const folder = `${docs}.cache/code-blocks/`;
const whole = { composite: false, declaration: false, noEmit: true };
const fragment = {
  noUnusedLocals: false,
  noUnusedParameters: false,
  noPropertyAccessFromIndexSignature: false,
};
const untyped = { allowJs: true, checkJs: true, noImplicitAny: false };

/**
 * Checks the types of blocks of TypeScript and JavaScript, each as a module of its own, with strict settings. A block
 * after the comment `context: <file>` is checked behind the text of `docs/contexts/<file>`, which declares what the
 * block leaves out.
 * @returns the errors of each block by its place; lines are those of the document
 */
export function checkTypes(blocks: readonly CodeBlock[]): ReadonlyMap<string, readonly string[]> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const modules = new Map(blocks.map((block, index) => [`${index}.${block.language}`, block]));
  const offsets = new Map([...modules].map(([name, block]) => [name, write(name, block)]));
  const errors = new Map(blocks.map(({ place }): [string, string[]] => [place, []]));
  const languages = new Set(blocks.map(({ language }) => language));
  const output = [...languages].map(compile).join('\n');
  for (const line of output.split('\n')) {
    const [, name = '', row, message] = /([^/]+)\((\d+),\d+\): error (.*)/.exec(line) ?? [];
    const block = modules.get(name);
    if (block === undefined) {
      if (line.includes('error TS')) throw new Error(line);
      continue;
    }
    errors
      .get(block.place)
      ?.push(`line ${Number(row) - (offsets.get(name) ?? 0) + block.line - 1}: ${message}`);
  }
  return errors;
}

/** @returns how many lines stand before the block's own */
function write(name: string, { comment, code }: CodeBlock): number {
  const [, context] = /^context: (\S+)$/.exec(comment) ?? [];
  const before =
    context === undefined ? '' : `${readFileSync(`${docs}contexts/${context}`, 'utf8').trimEnd()}\n`;
  // A block without imports is a module, too: top-level await, and names of its own.
  writeFileSync(folder + name, `${before}${code}\nexport {};\n`);
  return before.split('\n').length - 1;
}

function compile(language: string): string {
  const config = `${folder}tsconfig.${language}.json`;
  writeFileSync(
    config,
    JSON.stringify({
      extends: `${repository}tsconfig.base.json`,
      compilerOptions: { ...whole, ...fragment, ...(language === 'js' && untyped) },
      include: [`*.${language}`, `${docs}contexts/*.d.ts`],
    }),
  );
  try {
    // The workspace's own TypeScript; the one beside this file is typedoc's.
    const compiler = `${repository}node_modules/typescript/bin/tsc`;
    return execFileSync(process.execPath, [compiler, '-p', config, '--pretty', 'false'], {
      encoding: 'utf8',
    });
  } catch (error) {
    const { stdout } = error as { readonly stdout?: string };
    if (!stdout) throw error;
    return stdout;
  }
}
