import { existsSync } from 'node:fs';
import { cruise } from 'dependency-cruiser';
import { root } from '../toolchain.mjs';
import { importRules } from './import-rules.mjs';

/**
 * @typedef {{ rule: string, from: string, to: string }} ForbiddenImport
 * @param {string} folder a workspace with `packages`, `examples` or both, built: packages find each other in `dist`
 * @returns {Promise<{ files: number, forbidden: ForbiddenImport[] }>}
 */
export async function checkImports(folder) {
  const { output } = await cruise(
    ['packages', 'examples'].filter((name) => existsSync(`${folder}/${name}`)),
    {
      baseDir: folder,
      parser: 'tsc',
      tsPreCompilationDeps: true,
      validate: true,
      ruleSet: { forbidden: importRules },
      exclude: { path: '[.]config[.]ts$' },
      doNotFollow: { path: '(^|/)(node_modules|dist)/' },
    },
    { conditionNames: ['types', 'import', 'node', 'default'], exportsFields: ['exports'] },
  );
  if (typeof output === 'string')
    throw new TypeError('dependency-cruiser answered with a report, not a result');
  return {
    files: output.modules.length,
    forbidden: output.summary.violations.map(({ rule, from, to }) => ({ rule: rule.name, from, to })),
  };
}

if (import.meta.filename === process.argv[1]) {
  const { files, forbidden } = await checkImports(root);
  const reasons = new Map(importRules.map(({ name, comment }) => [name, comment]));
  for (const { rule, from, to } of forbidden)
    console.error(`${rule}: ${from} -> ${to}\n  ${reasons.get(rule)}`);
  console.log(`${files} modules, ${importRules.length} rules, ${forbidden.length} forbidden imports`);
  if (files === 0 || forbidden.length > 0) process.exitCode = 1;
}
