import { getEventListeners } from 'node:events';
import { OperationGuard, type RunningOperation } from '@imgproxy-cache/core/driver';
import { describe, expect, it } from 'vitest';

/** Work that ends when the test says so, and a guard that runs it. */
function running({ caller }: { readonly caller?: AbortSignal } = {}) {
  const guard = new OperationGuard('foo');
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const late: string[] = [];
  let seen: RunningOperation | undefined;
  const outcome = guard.run(
    'get',
    caller,
    (operation) => {
      seen = operation;
      return promise;
    },
    (result) => late.push(result),
  );
  outcome.catch(() => undefined);
  if (seen === undefined) throw new Error('the work has not begun');
  return { guard, outcome, resolve, reject, late, operation: seen as RunningOperation };
}

describe('a guarded operation', () => {
  it('has the result of its work, and leaves no listener behind', async () => {
    const { signal: caller } = new AbortController();
    const { outcome, resolve, operation, late } = running({ caller });
    expect(getEventListeners(caller, 'abort')).toHaveLength(1);
    resolve('found');
    expect(await outcome).toBe('found');
    expect(getEventListeners(caller, 'abort')).toEqual([]);
    expect(operation.signal.aborted).toBe(false);
    expect(late).toEqual([]);
  });

  it('fails as its work fails, unchanged', async () => {
    const { signal: caller } = new AbortController();
    const { outcome, reject } = running({ caller });
    const failure = new Error('the disk is gone');
    reject(failure);
    await expect(outcome).rejects.toBe(failure);
    expect(getEventListeners(caller, 'abort')).toEqual([]);
  });

  it('fails as work that throws at once, and leaves no listener behind', async () => {
    const { signal: caller } = new AbortController();
    const guard = new OperationGuard('foo');
    const failure = new Error('the disk is gone');
    const outcome = guard.run('get', caller, () => {
      throw failure;
    });
    await expect(outcome).rejects.toBe(failure);
    expect(getEventListeners(caller, 'abort')).toEqual([]);
    await guard.close();
  });

  it('ends at once when the caller aborts, although its work does not', async () => {
    const controller = new AbortController();
    const { outcome, operation, late, resolve, guard } = running({ caller: controller.signal });
    const { signal } = operation;
    controller.abort('enough');
    await expect(outcome).rejects.toMatchObject({
      code: 'ERR_CACHE_ABORTED',
      message: 'get was aborted by the caller',
      driver: 'foo',
      operation: 'get',
      cause: 'enough',
    });
    expect(signal.reason).toMatchObject({ code: 'ERR_CACHE_ABORTED' });
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    expect(late).toEqual([]);
    resolve('found');
    await guard.close();
    expect(late).toEqual(['found']);
  });

  it('tells work that first looks at its signal after the abort', async () => {
    const controller = new AbortController();
    const { outcome, operation } = running({ caller: controller.signal });
    controller.abort();
    expect(operation.signal.aborted).toBe(true);
    await expect(outcome).rejects.toMatchObject({ code: 'ERR_CACHE_ABORTED' });
  });

  it('does not begin if the caller has aborted', async () => {
    const guard = new OperationGuard('foo');
    let begun = false;
    const outcome = guard.run('put', AbortSignal.abort('gone'), async () => {
      begun = true;
    });
    await expect(outcome).rejects.toMatchObject({
      code: 'ERR_CACHE_ABORTED',
      operation: 'put',
      cause: 'gone',
    });
    expect(begun).toBe(false);
  });

  it('is not touched by an abort or a close after it has ended', async () => {
    const controller = new AbortController();
    const { outcome, operation, resolve, guard } = running({ caller: controller.signal });
    const { signal } = operation;
    resolve('found');
    await outcome;
    controller.abort();
    await guard.close();
    expect(signal.aborted).toBe(false);
  });
});

describe('close', () => {
  it('ends what is under way, and resolves when the work behind it has settled', async () => {
    const { signal: caller } = new AbortController();
    const { guard, outcome, operation, reject } = running({ caller });
    const { signal } = operation;
    let closed = false;
    const closing = guard.close().then(() => {
      closed = true;
    });
    await expect(outcome).rejects.toMatchObject({
      code: 'ERR_CACHE_CLOSED',
      message: 'cannot get: the foo driver is closed',
      driver: 'foo',
      operation: 'get',
    });
    expect(signal.aborted).toBe(true);
    expect(getEventListeners(caller, 'abort')).toEqual([]);
    expect(closed).toBe(false);
    reject(new Error('given up'));
    await closing;
  });

  it('has effect after drain, too', async () => {
    const { guard, outcome, resolve } = running();
    const drained = guard.drain();
    const closed = guard.close();
    await expect(outcome).rejects.toMatchObject({ code: 'ERR_CACHE_CLOSED' });
    resolve('found');
    await Promise.all([drained, closed]);
  });

  it('lets nothing begin or go on', async () => {
    const guard = new OperationGuard('foo');
    await Promise.all([guard.close(), guard.close()]);
    await expect(guard.run('get', undefined, async () => 'found')).rejects.toMatchObject({
      code: 'ERR_CACHE_CLOSED',
    });
    expect(() => guard.admit('delete', undefined, ['a'])).toThrow(
      expect.objectContaining({ code: 'ERR_CACHE_CLOSED', operation: 'delete', failedNames: ['a'] }),
    );
  });
});

describe('drain', () => {
  it('lets nothing begin, and waits for what is running', async () => {
    const { guard, outcome, resolve } = running();
    const drained = guard.drain();
    await expect(guard.run('get', undefined, async () => 'found')).rejects.toMatchObject({
      code: 'ERR_CACHE_CLOSED',
    });
    resolve('found');
    expect(await outcome).toBe('found');
    await drained;
  });
});
