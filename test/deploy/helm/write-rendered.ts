// Writes rendered/ anew: node --import tsx test/deploy/helm/write-rendered.ts. Read the difference before you commit it.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EXAMPLES, render } from './chart.ts';

for (const [name, values] of Object.entries(EXAMPLES)) {
  const { code, stdout, stderr } = await render(values);
  if (code !== 0) throw new Error(stderr);
  await writeFile(join(import.meta.dirname, 'rendered', `${name}.yaml`), stdout);
}
