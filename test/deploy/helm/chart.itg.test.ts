import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { Settings } from '../../../src/server/settings/schema.ts';
import {
  CHART,
  EXAMPLES,
  MANIFESTS,
  plainManifests,
  render,
  schemaLocation,
  tool,
  type Values,
} from './chart.ts';

/** The oldest that the chart says it runs on, and the newest there are schemas of. */
const KUBERNETES = ['v1.28.0', 'v1.37.0'];

interface Manifest {
  readonly kind: string;
  readonly spec: Record<string, unknown>;
}

const manifestsOf = (yaml: string) =>
  parseAllDocuments(yaml)
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null);

test('the chart passes helm lint', async () => {
  const { code, stdout } = await tool('helm', ['lint', '--strict', CHART]);
  assert.equal(code, 0, stdout);
});

describe('an example', () => {
  let folder: string;
  const locations = new Map<string, string>();
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'thoth-schemas-'));
    for (const version of KUBERNETES) locations.set(version, await schemaLocation(version, folder));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** What kubeconform says. The Prometheus Operator's kind is no part of Kubernetes. */
  const conform = (yaml: string, version: string) =>
    tool(
      'kubeconform',
      [
        ...['-strict', '-summary', '-schema-location', locations.get(version) ?? ''],
        ...['-skip', 'ServiceMonitor', '-'],
      ],
      yaml,
    );

  for (const [name, values] of Object.entries(EXAMPLES)) {
    test(`${name} is rendered as in rendered/${name}.yaml`, async () => {
      const { stdout, stderr } = await render(values);
      const golden = await readFile(join(import.meta.dirname, 'rendered', `${name}.yaml`), 'utf8');
      assert.equal(stdout, golden, stderr);
    });

    for (const version of KUBERNETES) {
      test(`${name} is valid in Kubernetes ${version}`, async () => {
        const { stdout: yaml } = await render(values);
        const { code, stdout } = await conform(yaml, version);
        assert.equal(code, 0, stdout);
        const valid = manifestsOf(yaml).filter(({ kind }) => kind !== 'ServiceMonitor').length;
        assert.match(stdout, new RegExp(`Valid: ${valid}, Invalid: 0, Errors: 0`));
      });
    }
  }

  test('the plain manifests in deploy/kubernetes are the chart, as it is now', async () => {
    const manifests = await readFile(MANIFESTS, 'utf8');
    assert.equal(await plainManifests(CHART), manifests);
    assert.doesNotMatch(manifests, /helm/i);
    for (const version of KUBERNETES) {
      const { code, stdout } = await conform(manifests, version);
      assert.equal(code, 0, stdout);
    }
  });

  test('kubeconform would say if a field were wrong', async () => {
    const { stdout: yaml } = await render({});
    const wrong = yaml.replace('automountServiceAccountToken: false', 'automountServiceAccountTokn: false');
    const { code, stdout } = await conform(wrong, 'v1.37.0');
    assert.equal(code, 1);
    assert.match(stdout, /automountServiceAccountTokn/);
  });
});

describe('values that are refused', () => {
  const CASES: readonly [string, Values, RegExp][] = [
    ['a value that does not exist', { 'persistance.enabled': false }, /persistance/],
    ['a digest that is none', { 'image.digest': 'sha256:abc' }, /image\/digest/],
    ['a provider key among the settings', { 'settings.OPENAI_API_KEY': 'sk-x' }, /'OPENAI_API_KEY'/],
    ['a port that the image has fixed', { 'settings.PORT': '9000' }, /'PORT'/],
    ['an empty secret', { 'secrets.values': { OPENAI_API_KEY: '' } }, /OPENAI_API_KEY/],
    ['two pods with one database', { replicas: 2 }, /can not share one SQLite database/],
    [
      'two pods without a common client key',
      { replicas: 2, 'persistence.enabled': false },
      /give the secret THOTH_ADMIN_KEY/,
    ],
  ];
  for (const [name, values, message] of CASES) {
    test(name, async () => {
      const { code, stderr } = await render(values);
      assert.notEqual(code, 0);
      assert.match(stderr, message);
    });
  }
});

test('the pod keeps to the Pod Security Standard "restricted"', async () => {
  const { stdout } = await render({});
  const deployment = manifestsOf(stdout).find(({ kind }) => kind === 'Deployment');
  assert.ok(deployment);
  const { spec } = deployment.spec.template as { spec: Record<string, unknown> };
  const [container] = spec.containers as Record<string, unknown>[];
  const pod = spec.securityContext as Record<string, unknown>;
  assert.equal(pod.runAsNonRoot, true);
  assert.deepEqual(pod.seccompProfile, { type: 'RuntimeDefault' });
  assert.deepEqual(container?.securityContext, {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  });
  assert.equal(spec.automountServiceAccountToken, false);
});

test('every setting and secret in the values exists in the service', async () => {
  const values = parse(await readFile(join(CHART, 'values.yaml'), 'utf8')) as {
    settings: object;
    secrets: { keys: string[] };
  };
  for (const name of [...Object.keys(values.settings), ...values.secrets.keys]) {
    assert.ok(name in Settings.shape, `${name} is no setting of src/server/settings/schema.ts`);
  }
});
