import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { root } from '../toolchain.mjs';

export interface Outcome {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

// What the package manager, the test runner and the CI that run the tests say to their children, and what would
// configure a cache. The configuration of npm itself stays: it says which registry to use.
const notForChildren =
  /^(?:npm_(?:lifecycle|package|command|execpath|node_execpath)|npm_config_user_agent|pnpm_script|init_cwd|node_(?:env|options|path|test_context)|vitest|vite_|test$|ci$|force_color|imgproxy_|aws_)/i;

/** Runs a command as a person would in a shell of their own, and waits for its end. */
export async function run(command: readonly string[], { cwd, env = {} }: RunOptions): Promise<Outcome> {
  const [file = '', ...args] = command;
  const child = spawn(file, args, {
    cwd,
    env: { ...personalEnvironment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const [exitCode, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  return { exitCode, stdout, stderr };
}

/**
 * As {@link run}, for a command that has to succeed.
 * @returns what it wrote on standard output
 * @throws with all that it wrote where it failed
 */
export async function succeed(command: readonly string[], options: RunOptions): Promise<string> {
  const { exitCode, stdout, stderr } = await run(command, options);
  if (exitCode === 0) return stdout;
  throw new Error(`"${command.join(' ')}" ended with exit code ${exitCode}:\n${stdout}${stderr}`);
}

export function personalEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !notForChildren.test(name));
  const path = (process.env['PATH'] ?? '')
    .split(':')
    .filter((folder) => !folder.startsWith(root) || !folder.endsWith('.bin'));
  return { ...Object.fromEntries(kept), PATH: path.join(':'), NO_COLOR: '1' };
}
