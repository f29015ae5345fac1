import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../../..');
const HOME = process.env.THOTH_HOME ?? join(ROOT, '.thoth');
export const CHART = join(ROOT, 'deploy/helm/thoth');

/** What a chart is rendered with: values as for `--set-json`, by path. */
export type Values = Readonly<Record<string, unknown>>;

/** How an installation may look, each with a rendering of its own in `rendered/`. */
export const EXAMPLES: Readonly<Record<string, Values>> = {
  standard: {},
  'existing-secret': {
    'secrets.existingSecret': 'provider-keys',
    'secrets.keys': ['OPENAI_API_KEY', 'ANTHROPIC_API_KEY'],
    'image.digest': `sha256:${'a'.repeat(64)}`,
    'persistence.storageClass': 'fast',
  },
  public: {
    'secrets.values': { OPENAI_API_KEY: 'sk-test' },
    'ingress.enabled': true,
    'ingress.className': 'nginx',
    'ingress.host': 'ai.example.org',
    'ingress.tlsSecret': 'ai-tls',
    'networkPolicy.ingressNamespace': 'ingress-nginx',
    'serviceMonitor.enabled': true,
  },
  scaled: {
    'persistence.enabled': false,
    'secrets.existingSecret': 'keys',
    'secrets.keys': ['OPENAI_API_KEY', 'THOTH_ADMIN_KEY'],
    'autoscaling.enabled': true,
    'podDisruptionBudget.enabled': true,
  },
};

/** How a program of `tools/` ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one of the project's own tools, and gives it `input`. */
export function tool(name: 'helm' | 'kubeconform', args: readonly string[], input = ''): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(join(HOME, 'tools/bin', name), [...args], (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
    child.stdin?.end(input);
  });
}

/** The manifests of a chart, as `helm install thoth` would apply them. */
export function render(values: Values): Promise<Ended> {
  const set = Object.entries(values).flatMap(([path, value]) => [
    '--set-json',
    `${path}=${JSON.stringify(value)}`,
  ]);
  return tool('helm', ['template', 'thoth', CHART, '--namespace', 'ai', ...set]);
}

/**
 * Makes a folder of the schemas of one version of Kubernetes as kubeconform reads them: in the package
 * they refer to each other by addresses of the web. Strict: a field that is unknown is a fault.
 *
 * @param version such as `v1.37.0`
 * @returns a location for `kubeconform -schema-location`
 */
export async function schemaLocation(version: string, folder: string): Promise<string> {
  const place = `kubernetes_validate/kubernetes-json-schema/${version}-local-strict`;
  const source = join(HOME, 'tools/python/kubernetes-schemas/site-packages', place);
  const target = join(folder, version);
  await mkdir(target, { recursive: true });
  for (const name of await readdir(source)) {
    const text = (await readFile(join(source, name), 'utf8')).replaceAll('"/api/_def', '"_def');
    const { $id: _, ...schema } = JSON.parse(text) as Record<string, unknown>;
    await writeFile(join(target, name), JSON.stringify(schema));
  }
  return `${target}/{{.ResourceKind}}{{.KindSuffix}}.json`;
}

/** Where the plain manifests are, for those who have no Helm. */
export const MANIFESTS = join(ROOT, 'deploy/kubernetes/thoth.yaml');

/**
 * The chart as plain manifests: what is Helm's own is left out, so that `kubectl apply` says nothing untrue.
 *
 * @param chart a folder, or an address such as `oci://…` with what Helm needs to know of it
 */
export async function plainManifests(...chart: readonly string[]): Promise<string> {
  const set = ['--set', 'secrets.existingSecret=provider-keys', '--set', 'persistence.keep=false'];
  const { code, stdout, stderr } = await tool('helm', ['template', 'thoth', ...chart, ...set]);
  if (code !== 0) throw new Error(stderr);
  return stdout.replace(/^# Source: .*\n| +(helm\.sh\/chart|app\.kubernetes\.io\/managed-by): .*\n/gm, '');
}
