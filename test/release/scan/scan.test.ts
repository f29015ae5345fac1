import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readLayout } from '../../../src/release/image/layout.ts';
import type { Finding } from '../../../src/release/scan/finding.ts';
import { ScanReport, scanLayout } from '../../../src/release/scan/scan.ts';
import type { Freshness, ReadyScanner } from '../../../src/release/scan/scanner/scanner.ts';
import { writeLayout } from '../image/layout-fixture.ts';

const folder = await mkdtemp(join(tmpdir(), 'thoth-scan-'));
after(() => rm(folder, { recursive: true, force: true }));
await writeLayout(join(folder, 'layout'));
const layout = await readLayout(join(folder, 'layout'));

const hole = (id: string, over: Partial<Finding> = {}): Finding => ({
  kind: 'vulnerability',
  id,
  severity: 'HIGH',
  title: id,
  target: 'openssl 3.0.1',
  ...over,
});
const log = (name: string) =>
  JSON.stringify({ version: '2.1.0', runs: [{ tool: { driver: { name } }, results: [] }] });

/** A scanner that finds the same everywhere. */
function finds(
  name: string,
  findings: readonly Finding[],
  vulnerabilities: Freshness | undefined,
): ReadyScanner {
  const scanned = { findings, table: `${name} table`, sarif: log(name), files: { [`${name}.x`]: name } };
  return { name, vulnerabilities, scanImage: async () => ({ ...scanned, packages: findings.length }) };
}
const checked = (databaseUpdatedAt: string): Freshness => ({ status: 'checked', databaseUpdatedAt });
const NOT_CHECKED: Freshness = { status: 'not-checked', reason: 'there is no database' };

async function scan(scanners: readonly ReadyScanner[], dockerfile?: string) {
  const output = await mkdtemp(join(folder, 'output-'));
  const options = { severity: ['HIGH'], licenses: ['forbidden'], output, dockerfile } as const;
  return { report: await scanLayout(scanners, layout, options), output };
}

test('what two scanners found is one finding, and each scanner is named', async () => {
  const one = finds('one', [hole('A'), hole('B')], checked('2026-01-02T00:00:00.000Z'));
  const two = finds(
    'two',
    [hole('B', { title: 'other words' }), hole('C')],
    checked('2026-01-01T00:00:00.000Z'),
  );
  const { report, output } = await scan([one, two]);
  assert.equal(report.scanner, 'one, two');
  for (const { findings, packages } of report.platforms) {
    assert.deepEqual(
      findings.map(({ id }) => id),
      ['A', 'B', 'C'],
    );
    assert.equal(packages, 2);
  }
  assert.deepEqual(report.vulnerabilities, checked('2026-01-01T00:00:00.000Z'), 'as old as the oldest');
  assert.deepEqual((await readdir(output)).sort(), [
    ...['amd64', 'arm64'].flatMap((name) => [`linux-${name}.one.x`, `linux-${name}.two.x`]),
    ...['report.json', 'report.sarif', 'report.txt'],
  ]);
  assert.deepEqual(ScanReport.parse(JSON.parse(await readFile(join(output, 'report.json'), 'utf8'))), report);
  const sarif = JSON.parse(await readFile(join(output, 'report.sarif'), 'utf8'));
  assert.deepEqual(
    sarif.runs.map((run: { automationDetails: { id: string } }) => run.automationDetails.id),
    ['linux/amd64/', 'linux/amd64/', 'linux/arm64/', 'linux/arm64/'],
  );
});

test('where two scanners do not judge alike both findings stay: what one of them finds counts', async () => {
  const mended = hole('A', { fixedIn: '3.0.2' });
  const { report } = await scan([
    finds('one', [mended], NOT_CHECKED),
    finds('two', [hole('A')], NOT_CHECKED),
  ]);
  assert.deepEqual(report.platforms[0]?.findings, [mended, hole('A')]);
});

const ages: readonly (readonly [string, readonly (Freshness | undefined)[], Freshness])[] = [
  ['one looked', [checked('2026-01-01T00:00:00.000Z')], checked('2026-01-01T00:00:00.000Z')],
  [
    'it is left to the other',
    [undefined, checked('2026-01-01T00:00:00.000Z')],
    checked('2026-01-01T00:00:00.000Z'),
  ],
  ['one of two did not look', [checked('2026-01-01T00:00:00.000Z'), NOT_CHECKED], NOT_CHECKED],
  ['nobody is to', [undefined], { status: 'not-checked', reason: 'no scanner looks for them' }],
];
for (const [name, data, expected] of ages) {
  test(`whether vulnerabilities were looked for: ${name}`, async () => {
    const scanners = data.map((one, n) => finds(`s${n}`, [hole('A')], one));
    assert.deepEqual((await scan(scanners)).report.vulnerabilities, expected);
  });
}

test('the Dockerfile is looked at by who can, and is missing in the report where there is none', async () => {
  const plain = finds('plain', [hole('A')], NOT_CHECKED);
  const wrong = hole('DS-1', { kind: 'misconfiguration', target: 'Dockerfile:1' });
  const able: ReadyScanner = {
    ...plain,
    scanDockerfile: async (text) => {
      assert.equal(text, 'FROM scratch');
      return { findings: [wrong], table: '', sarif: log('able'), files: {} };
    },
  };
  assert.deepEqual((await scan([plain, able], 'FROM scratch')).report.dockerfile, [wrong]);
  assert.equal((await scan([able])).report.dockerfile, undefined);
  assert.equal((await scan([plain], 'FROM scratch')).report.dockerfile, undefined, 'nobody could');
});
