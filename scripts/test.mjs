import { runInForeground, runQuietly, toolchainEnvironment } from './toolchain.mjs';

const env = await toolchainEnvironment();
await runQuietly(
  'Installing dependencies',
  ['pnpm', 'install', '--frozen-lockfile', '--reporter=append-only'],
  env,
);
await runQuietly('Building', ['pnpm', 'exec', 'turbo', 'run', 'build', '--output-logs=errors-only'], env);
process.exitCode = await runInForeground(['pnpm', 'exec', 'vitest', 'run', ...process.argv.slice(2)], env);
