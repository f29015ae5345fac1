import assert from 'node:assert/strict';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { blobPath } from '../../../src/release/image/layout.ts';
import { assertGate, describeScan, gate } from '../../../src/release/scan/gate.ts';
import { writeSboms } from '../../../src/release/scan/sbom.ts';
import type { ScanReport } from '../../../src/release/scan/scan.ts';
import { scanOptions, trivyImage } from '../../../src/release/scan/scanner/trivy.ts';
import { readFindings } from '../../../src/release/scan/scanner/trivy-report.ts';
import { AWS_KEY, PRIVATE_KEY } from '../leaks.ts';
import { failure } from '../machine/failure.ts';
import { debianLayer } from './scanner/trivy-database.ts';
import {
  freshTrivy,
  KNOWN,
  layoutOf,
  newFolder,
  now,
  scanWith,
  withDatabase,
} from './scanner/trivy-fixture.ts';

const PLATFORMS = ['linux/amd64', 'linux/arm64'];
const DAY_MS = 86_400_000;

/** What stops a release on one platform, without line numbers. */
function stopped(report: ScanReport, platform = 'linux/amd64'): string[] {
  return gate(report)
    .filter((found) => found.platform === platform)
    .map((found) => `${found.kind} ${found.id} ${found.target.replace(/:\d+$/, '')}`)
    .sort();
}

test('a key in a layer, a key in the environment and a root user are found on each platform', async () => {
  const layout = await layoutOf({
    platforms: PLATFORMS,
    layers: [debianLayer({ openssl: '3.0.1' }), { 'app/deploy.pem': PRIVATE_KEY }],
    config: { User: 'root', Env: [`DEPLOY=${AWS_KEY}`] },
  });
  // Neither a file that lies around nor a variable hides anything.
  const ignore = join(await newFolder(), 'ignore');
  await writeFile(ignore, 'private-key\naws-access-key-id\nDS-0002\n');
  const hiding = {
    TRIVY_IGNOREFILE: ignore,
    TRIVY_SEVERITY: 'LOW',
    TRIVY_SKIP_DIRS: '/app',
    TRIVY_FORMAT: 'table',
  };
  Object.assign(process.env, hiding);
  try {
    const { report, output } = await scanWith(await freshTrivy(), layout);
    for (const platform of PLATFORMS) {
      assert.deepEqual(stopped(report, platform), [
        'misconfiguration DS-0002 image',
        'secret aws-access-key-id image',
        'secret private-key /app/deploy.pem',
      ]);
    }
    assert.deepEqual(
      report.platforms.map(({ platform, digest, packages }) => ({ platform, digest, packages })),
      layout.platforms.map(({ platform, digest }) => ({ platform, digest, packages: 1 })),
    );
    const error = await failure(() => assertGate(report, { allowUnchecked: true }));
    assert.equal(error.code, 'SCAN_GATE');
    assert.equal(error.details.length, 6);
    assert.ok(
      error.details.includes('HIGH secret private-key in /app/deploy.pem:2 (linux/arm64)'),
      `${error.details}`,
    );

    const files = ['linux-amd64.json', 'linux-arm64.json', 'report.txt', 'report.sarif'];
    assert.deepEqual((await readdir(output)).sort(), [...files, 'report.json'].sort());
    for (const file of files) {
      const text = await readFile(join(output, file), 'utf8');
      assert.match(text, /private-key|AsymmetricPrivateKey/);
      assert.ok(!text.includes(AWS_KEY) && !text.includes('A'.repeat(64)), `${file} repeats a secret`);
      assert.ok(!text.includes('thoth-'), `${file} names a temporary folder`);
    }
    assert.deepEqual(JSON.parse(await readFile(join(output, 'report.json'), 'utf8')), report);
  } finally {
    for (const name of Object.keys(hiding)) delete process.env[name];
  }
});

test('where no database can be had, the report says so and a release is refused', async () => {
  const { report } = await scanWith(await freshTrivy(), await layoutOf());
  assert.deepEqual(stopped(report), []);
  assert.match(
    describeScan(report),
    /NOT CHECKED \(there is no vulnerability database and it could not be fetched: .*connection refused\)/,
  );
  assertGate(report, { allowUnchecked: true });
  assert.equal((await failure(() => assertGate(report, { allowUnchecked: false }))).code, 'SCAN_DATA');
});

test('with a fresh database vulnerabilities are found, and those with a fix stop a release', async () => {
  const updated = now();
  const { report, output } = await withDatabase(updated, KNOWN, async (trivy) =>
    scanWith(trivy, await layoutOf()),
  );
  assert.deepEqual(report.vulnerabilities, { status: 'checked', databaseUpdatedAt: updated.toISOString() });
  assert.deepEqual(stopped(report), ['vulnerability CVE-2026-1 openssl 3.0.1']);
  assert.match(describeScan(report), /^vulnerabilities: 2 in 2 packages \(database of /);
  assert.match(await readFile(join(output, 'report.txt'), 'utf8'), /CVE-2026-1/);
});

test('with a database that is too old nothing is claimed', async () => {
  const updated = new Date(Date.now() - 8 * DAY_MS);
  const { report } = await withDatabase(updated, KNOWN, async (trivy) => scanWith(trivy, await layoutOf()));
  const reason = 'the vulnerability database is 8 days old';
  assert.deepEqual(report.vulnerabilities, { status: 'not-checked', reason });
  assert.deepEqual(stopped(report), []);
});

test('with a database and no package to look up, nothing is claimed', async () => {
  const layout = await layoutOf({ layers: [{ 'app/file': '' }] });
  const { report } = await withDatabase(now(), KNOWN, (trivy) => scanWith(trivy, layout));
  const reason = 'no packages were found in linux/amd64';
  assert.deepEqual(report.vulnerabilities, { status: 'not-checked', reason });
});

test('a report of another platform is refused by the digest of its config', async () => {
  const { dir, platforms } = await layoutOf({ platforms: PLATFORMS });
  const [amd64, arm64] = platforms;
  assert.ok(amd64 && arm64);
  const report = await trivyImage(await freshTrivy(), dir, arm64, scanOptions('not-checked'));
  assert.equal(readFindings(report, arm64).packages, 2);
  const error = await failure(() => readFindings(report, amd64));
  assert.equal(error.code, 'SCAN_FAILED');
  assert.match(error.message, new RegExp(`${arm64.configDigest}, and linux/amd64 is ${amd64.configDigest}`));
});

test('a scan that fails leaves no report of an earlier one', async () => {
  const layout = await layoutOf();
  const output = await newFolder();
  await writeFile(join(output, 'report.json'), '{}');
  await rm(blobPath(layout.dir, layout.platforms[0]?.layers[0]?.digest ?? ''));
  const error = await failure(scanWith(await freshTrivy(), layout, { output }));
  assert.equal(error.code, 'SCAN_FAILED');
  assert.match(error.details.join('\n'), /no such file/);
  assert.deepEqual(await readdir(output), []);
});

test('what has not changed is not scanned again, and says the same', async () => {
  const trivy = await freshTrivy();
  const layout = await layoutOf();
  const first = await scanWith(trivy, layout);
  // No layer can be read any more: all there is to go by is what was kept.
  await rm(join(layout.dir, 'blobs'), { recursive: true });
  const second = await scanWith(trivy, layout);
  assert.deepEqual(second.report, first.report);
  for (const file of await readdir(first.output)) {
    assert.deepEqual(
      await readFile(join(second.output, file)),
      await readFile(join(first.output, file)),
      file,
    );
  }
  assert.equal((await writeSboms(trivy, layout, await newFolder())).length, 2);
});
