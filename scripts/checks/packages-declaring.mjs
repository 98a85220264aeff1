// node scripts/checks/packages-declaring.mjs <script>: the names of the packages whose package.json has that script.
import { workspacePackages } from './workspace.mjs';

const script = String(process.argv[2]);
for (const { manifest } of workspacePackages()) {
  if (manifest.scripts?.[script]) console.log(manifest.name);
}
