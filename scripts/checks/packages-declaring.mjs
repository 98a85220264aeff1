// node scripts/checks/packages-declaring.mjs <script>: the names of the packages whose package.json has that script.
import { readFileSync } from 'node:fs';
import { root } from '../toolchain.mjs';
import { workspacePackages } from './workspace.mjs';

const script = String(process.argv[2]);
const docs = JSON.parse(readFileSync(`${root}docs/package.json`, 'utf8'));
for (const manifest of [...workspacePackages().map(({ manifest }) => manifest), docs]) {
  if (manifest.scripts?.[script]) console.log(manifest.name);
}
