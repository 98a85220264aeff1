// Asks with retries, awaits that alone, and closes nothing.
import { HttpTransport, Retries } from '@imgproxy-cache/http-transport';

const transport = new HttpTransport({ responseTimeout: 300, silenceTimeout: 300 });
const [origin = ''] = process.argv.slice(2);
try {
  await new Retries({ random: () => 1 }).run(
    async ({ fresh }) => {
      const { body } = await transport.request({ method: 'GET', origin, path: '/', headers: {} }, { fresh });
      while ((await body.next()) !== undefined);
    },
    () => ({ reason: 'transient' }),
  );
} catch (error) {
  process.stdout.write(`${error.failure} ${error.code}`);
}
