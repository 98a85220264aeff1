import { leakOf, ScriptProcess } from '@imgproxy-cache/driver-testkit';
import { expect, it } from 'vitest';

const ECHO = new URL('processes/echo.mjs', import.meta.url);

it('a script gets its arguments, and messages go both ways', async () => {
  await using script = new ScriptProcess(ECHO, ['a', 'b']);
  expect(await script.nextMessage()).toEqual({ arguments: ['a', 'b'] });
  script.send('hello');
  expect(await script.nextMessage()).toEqual({ answer: 'hello' });
});

it('who waits for a message is told that the script has ended', async () => {
  await using script = new ScriptProcess(ECHO);
  await script.nextMessage();
  script.send('leave');
  await expect(script.nextMessage()).rejects.toThrow('the script ended with code 3 and without a message');
  await expect(script.nextMessage()).rejects.toThrow('the script ended with code 3');
  await script.kill();
});

it('a killed script is gone, and leaves nothing here', async () => {
  const leak = await leakOf(
    async () => {
      for (let time = 0; time < 3; time += 1) {
        const script = new ScriptProcess(ECHO);
        await script.nextMessage();
        const waiting = expect(script.nextMessage()).rejects.toThrow('ended with SIGKILL');
        await script.kill();
        await script.kill();
        await waiting;
      }
    },
    { tolerance: 0 },
  );
  expect(leak).toBeUndefined();
});
