import { HttpTransport } from '@imgproxy-cache/http-transport';

const transport = new HttpTransport();
const [origin = ''] = process.argv.slice(2);
try {
  const { body } = await transport.request({ method: 'GET', origin, path: '/', headers: {} });
  for (let chunk = await body.next(); chunk !== undefined; chunk = await body.next())
    process.stdout.write(chunk);
} catch (error) {
  process.stdout.write(error.code);
}
transport.close();
