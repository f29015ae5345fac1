import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readLayout } from '../../../../src/release/image/layout.ts';
import { createScoutScanner, scoutCves, scoutVersion } from '../../../../src/release/scan/scanner/scout.ts';
import { readScoutFindings } from '../../../../src/release/scan/scanner/scout-report.ts';
import { writeLayout } from '../../image/layout-fixture.ts';
import { failure } from '../../machine/failure.ts';
import { withPrograms } from '../../machine/fake-programs.ts';

const folder = await mkdtemp(join(tmpdir(), 'thoth-scout-'));
after(() => rm(folder, { recursive: true, force: true }));
await writeLayout(join(folder, 'layout'));
const layout = await readLayout(join(folder, 'layout'));
const [image] = layout.platforms;
assert.ok(image);
const { dir } = layout;
const amd64 = image;

/** A rule as `docker scout cves --format sarif` writes it (docs.docker.com/scout; scout-cli 1.x). */
const rule = (id: string, over: Readonly<Record<string, unknown>> = {}) => ({
  id,
  name: 'OsPackageVulnerability',
  shortDescription: { text: `${id}: Out-of-bounds Write` },
  helpUri: `https://scout.docker.com/v/${id}`,
  help: { text: 'A text.', markdown: '> A text.\n' },
  properties: {
    affected_version: '<3.0.2',
    cvssV3: 9.8,
    cvssV3_severity: 'CRITICAL',
    fixed_version: '3.0.2',
    purls: ['pkg:deb/debian/openssl@3.0.1?os_distro=trixie&os_name=debian&os_version=13'],
    'security-severity': '9.8',
    tags: ['CRITICAL'],
    ...over,
  },
});
const report = (...rules: unknown[]) =>
  JSON.stringify({
    version: '2.1.0',
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    runs: [
      {
        tool: {
          driver: {
            fullName: 'Docker Scout',
            informationUri: 'https://docker.com/products/docker-scout',
            name: 'docker scout',
            rules,
            version: '1.18.3',
          },
        },
        results: rules.map((_, ruleIndex) => ({ ruleIndex, kind: 'fail', level: 'error' })),
      },
    ],
  });

test('a report names each package, as Trivy names it', () => {
  const read = readScoutFindings(
    report(
      rule('CVE-2026-1'),
      rule('CVE-2026-2', { fixed_version: 'not fixed', cvssV3_severity: 'UNSPECIFIED' }),
      rule('CVE-2026-3', {
        cvssV3_severity: 'LOW',
        fixed_version: '2.0.0',
        purls: ['pkg:npm/%40hono/node-server@1.0.0', 'pkg:npm/hono@1.1.0', 'pkg:golang/example.com/x/y@v1'],
      }),
    ),
    'linux/amd64',
  );
  const title = 'Out-of-bounds Write';
  assert.deepEqual(read, [
    {
      kind: 'vulnerability',
      id: 'CVE-2026-1',
      severity: 'CRITICAL',
      title,
      target: 'openssl 3.0.1',
      fixedIn: '3.0.2',
    },
    { kind: 'vulnerability', id: 'CVE-2026-2', severity: 'UNKNOWN', title, target: 'openssl 3.0.1' },
    ...['@hono/node-server 1.0.0', 'hono 1.1.0', 'example.com/x/y v1'].map((target) => ({
      kind: 'vulnerability',
      id: 'CVE-2026-3',
      severity: 'LOW',
      title,
      target,
      fixedIn: '2.0.0',
    })),
  ]);
  assert.deepEqual(readScoutFindings(report(), 'linux/amd64'), []);
});

const unread: readonly (readonly [string, string])[] = [
  ['that is empty', ''],
  ['of no run', '{"version":"2.1.0","runs":[]}'],
  ['of another tool', report(rule('CVE-1')).replaceAll(/docker scout/gi, 'grype')],
  ['with a severity that would pass the gate unread', report(rule('CVE-1', { cvssV3_severity: 'critical' }))],
  ['without a package', report(rule('CVE-1', { purls: [] }))],
  ['with a package that is none', report(rule('CVE-1', { purls: ['openssl'] }))],
  ['that does not say whether there is a fix', report(rule('CVE-1', { fixed_version: undefined }))],
];
for (const [name, text] of unread) {
  test(`a report is refused: one ${name}`, async () => {
    const error = await failure(() => readScoutFindings(text, 'linux/arm64'));
    assert.equal(error.code, 'SCAN_FAILED');
    assert.match(error.message, /^Docker Scout's report on linux\/arm64 has a form/);
  });
}

test('the command lines are those of its reference', () => {
  assert.deepEqual(scoutVersion(), ['scout', 'version']);
  assert.deepEqual(
    scoutCves('linux/arm64').join(' '),
    'scout cves --format sarif --output report.sarif --platform linux/arm64 oci-dir://image',
  );
});

test('it is called once a platform, on a layout of that platform alone, and what it writes is read', async () => {
  const sarif = join(folder, 'given.sarif');
  await writeFile(sarif, report(rule('CVE-2026-1')));
  const calls = join(folder, 'calls');
  const docker = `echo "$*" >> '${calls}'
case $2 in
  version) echo '    a picture'; echo 'version: v1.18.3 (go1.24.4 - linux/amd64)' ;;
  cves) /bin/cat image/index.json > '${folder}/index.json'; /bin/cp '${sarif}' report.sarif
    echo '    ✓ SBOM of image already cached, 156 packages indexed' >&2 ;;
esac`;
  await withPrograms({ docker }, async (bin) => {
    const now = new Date('2026-01-02T03:04:05Z');
    const ready = await createScoutScanner({ docker: join(bin, 'docker') }).prepare(now);
    assert.equal(ready.name, 'docker scout 1.18.3');
    assert.deepEqual(ready.vulnerabilities, { status: 'checked', databaseUpdatedAt: now.toISOString() });
    const scanned = await ready.scanImage(dir, amd64);
    assert.equal(scanned.packages, 156);
    assert.deepEqual(
      scanned.findings.map(({ id }) => id),
      ['CVE-2026-1'],
    );
    assert.match(scanned.table, /CRITICAL vulnerability CVE-2026-1 in openssl 3\.0\.1, fixed in 3\.0\.2/);
    assert.equal(scanned.sarif, await readFile(sarif, 'utf8'));
    assert.equal(ready.scanDockerfile, undefined);
  });
  assert.equal(await readFile(calls, 'utf8'), `scout version\n${scoutCves('linux/amd64').join(' ')}\n`);
  const seen = JSON.parse(await readFile(join(folder, 'index.json'), 'utf8'));
  assert.deepEqual(
    seen.manifests.map((manifest: { digest: string }) => manifest.digest),
    [amd64.digest],
  );
});

const faults: readonly (readonly [string, string, RegExp])[] = [
  [
    'there is no plugin',
    'echo "docker: \'scout\' is not a docker command." >&2; exit 1',
    /Install the plugin/,
  ],
  [
    'nobody is logged in',
    'if [ $2 = version ]; then echo "version: v1"; else echo "Log in with your Docker ID or email address to use docker scout." >&2; exit 1; fi',
    /docker login/,
  ],
  ['it ends well and writes nothing', 'echo "version: v1"', /Read the lines/],
];
for (const [name, docker, remedy] of faults) {
  test(`it is a failed scan where ${name}`, async () => {
    await withPrograms({ docker }, async (bin) => {
      const scanner = createScoutScanner({ docker: join(bin, 'docker') });
      const error = await failure((async () => (await scanner.prepare(new Date())).scanImage(dir, amd64))());
      assert.equal(error.code, 'SCAN_FAILED');
      assert.match(error.remedy, remedy);
    });
  });
}
