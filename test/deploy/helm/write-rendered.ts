// Writes rendered/ and deploy/kubernetes anew: node --import tsx test/deploy/helm/write-rendered.ts. Read the difference
// before you commit it.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CHART, EXAMPLES, MANIFESTS, plainManifests, render } from './chart.ts';

for (const [name, values] of Object.entries(EXAMPLES)) {
  const { code, stdout, stderr } = await render(values);
  if (code !== 0) throw new Error(stderr);
  await writeFile(join(import.meta.dirname, 'rendered', `${name}.yaml`), stdout);
}
await writeFile(MANIFESTS, await plainManifests(CHART));
