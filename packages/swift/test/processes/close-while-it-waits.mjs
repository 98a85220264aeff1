// Closes a driver while it is asking. It ends once nothing is left to wait for.
import { systemClock } from '@imgproxy-cache/core/driver';
import { SwiftDriver } from '@imgproxy-cache/swift';

const isAsking = () => process.getActiveResourcesInfo().includes('TCPSocketWrap');

const config = JSON.parse(process.argv[2] ?? '');
const driver = new SwiftDriver(config, { report() {}, clock: systemClock, reservedName: 'v1/check' });
const getting = driver.get('v1/a').catch((error) => process.stdout.write(error.code));
while (!isAsking()) await new Promise(setImmediate);
await driver.close();
await getting;
