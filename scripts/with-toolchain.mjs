// node scripts/with-toolchain.mjs <command> [argument…]: runs the command with the workspace's own node and pnpm.
import { runInForeground, toolchainEnvironment } from './toolchain.mjs';

const command = process.argv.slice(2);
if (command.length === 0)
  throw new Error('Name the command to run: node scripts/with-toolchain.mjs pnpm --version');
process.exitCode = await runInForeground(command, await toolchainEnvironment());
