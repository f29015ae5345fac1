import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import ts from 'typescript';
import { parse } from 'yaml';
import { z } from 'zod';
import { DASHBOARD, readDashboard } from './dashboard.ts';
import { ROOT } from './machine.ts';

const COMPOSE = join(ROOT, 'deploy/compose');

/** What a file of YAML holds, as far as `schema` asks. */
async function yaml<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  return schema.parse(parse(await readFile(join(COMPOSE, path), 'utf8')));
}

/** What the compiler says of a module with this text. */
function faultsOf(text: string): string[] {
  const path = join(import.meta.dirname, 'dashboard.generated.ts');
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    target: ts.ScriptTarget.ESNext,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (name) => name === path || fileExists(name);
  host.getSourceFile = (name, ...rest) =>
    name === path ? ts.createSourceFile(name, text, ts.ScriptTarget.ESNext) : getSourceFile(name, ...rest);
  return ts
    .getPreEmitDiagnostics(ts.createProgram([path], options, host))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

/** A module that holds the dashboard as a literal, of which the compiler also sees names that there are not. */
const typed = (dashboard: string) =>
  `import type { Dashboard } from '@grafana/schema';\nexport const dashboard: Dashboard = ${dashboard};\n`;

test("the dashboard is of Grafana's own types", async () => {
  const text = await readFile(DASHBOARD, 'utf8');
  assert.deepEqual(faultsOf(typed(text)), []);
  for (const [right, wrong] of [
    ['"schemaVersion"', '"schemaVersions"'],
    ['"gridPos"', '"gridPosition"'],
    ['"refresh": "30s"', '"refresh": 30'],
  ] as const)
    assert.notDeepEqual(faultsOf(typed(text.replace(right, wrong))), [], wrong);
});

test('its panels ask the data source that is provisioned, and stand side by side', async () => {
  const { datasources } = await yaml(
    'grafana/provisioning/datasources/prometheus.yml',
    z.object({ datasources: z.array(z.object({ uid: z.string(), type: z.string(), url: z.string() })) }),
  );
  const known = datasources.map(({ uid, type }) => ({ type, uid }));
  const { panels } = await readDashboard();
  for (const { title, datasource } of panels)
    assert.ok(
      known.some(({ type, uid }) => type === datasource.type && uid === datasource.uid),
      title,
    );
  assert.deepEqual(
    datasources.map(({ url }) => url),
    ['http://prometheus:9090'],
  );

  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, n) => [x + (n % w), y + Math.floor(n / w)]),
  );
  assert.ok(cells.every(([x = 0]) => x < 24));
  assert.equal(new Set(cells.map(String)).size, cells.length);
});

test('Grafana finds it where the overlay mounts it', async () => {
  const { services } = await yaml(
    'monitoring.yml',
    z.object({
      services: z.looseObject({
        grafana: z.object({ environment: z.record(z.string(), z.string()), volumes: z.array(z.string()) }),
      }),
    }),
  );
  const { providers } = await yaml(
    'grafana/provisioning/dashboards/thoth.yml',
    z.object({ providers: z.array(z.object({ options: z.object({ path: z.string() }) })) }),
  );
  const mounts = new Map(
    services.grafana.volumes.map((volume) => volume.split(':')).map(([from = '', to = '']) => [to, from]),
  );
  const [provider] = providers;
  const path = provider?.options.path ?? '';
  assert.equal(mounts.get(path), './deploy/compose/grafana/dashboard');
  assert.equal(mounts.get('/etc/grafana/provisioning'), './deploy/compose/grafana/provisioning');
  assert.equal(services.grafana.environment.GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH, `${path}/thoth.json`);
});
