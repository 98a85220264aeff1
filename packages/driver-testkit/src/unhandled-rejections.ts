type Listener = (reason: unknown, promise: Promise<unknown>) => void;

/**
 * Runs `work`, and collects the unhandled rejections meanwhile. Other listeners, such as a test runner's, do not get
 * them, since the rule reports them.
 */
export async function gatherUnhandledRejections(work: () => Promise<void>): Promise<readonly unknown[]> {
  const reasons: unknown[] = [];
  const gather = (reason: unknown): void => {
    reasons.push(reason);
  };
  const others = process.listeners('unhandledRejection') as Listener[];
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', gather);
  try {
    await work();
  } finally {
    process.off('unhandledRejection', gather);
    for (const other of others) process.on('unhandledRejection', other);
  }
  return reasons;
}
