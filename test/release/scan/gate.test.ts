import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LicenseCategory } from '../../../src/release/config/words.ts';
import { describeFinding, type Finding } from '../../../src/release/scan/finding.ts';
import { assertGate, describeScan, gate } from '../../../src/release/scan/gate.ts';
import type { Ignored } from '../../../src/release/scan/ignored.ts';
import { ScanReport } from '../../../src/release/scan/scan.ts';
import { failure } from '../machine/failure.ts';

const finding = (over: Partial<Finding>): Finding => ({
  kind: 'vulnerability',
  id: 'CVE-1',
  severity: 'HIGH',
  title: 'A hole',
  target: 'openssl 3.0.1',
  ...over,
});
const license = (
  category: LicenseCategory,
  of: 'program' | 'distribution',
  severity: Finding['severity'] = 'LOW',
): Partial<Finding> => ({
  kind: 'license',
  id: 'X',
  severity,
  target: 'left-pad',
  license: { category, of },
});
const CHECKED = { status: 'checked', databaseUpdatedAt: '2026-03-07T10:00:00.000Z' } as const;
const NOT_CHECKED = { status: 'not-checked', reason: 'there is no vulnerability database' } as const;

/** A report with the same findings on both platforms. */
function reportOf(findings: Finding[], vulnerabilities: ScanReport['vulnerabilities'] = CHECKED): ScanReport {
  const platforms = ['linux/amd64', 'linux/arm64'].map((platform) => ({
    platform,
    digest: '',
    packages: 7,
    findings,
  }));
  return {
    scanner: 'trivy 0',
    severity: ['HIGH', 'CRITICAL'],
    licenses: ['forbidden', 'restricted'],
    vulnerabilities,
    platforms,
    dockerfile: [],
  };
}

const gates: readonly (readonly [string, boolean, Partial<Finding>])[] = [
  ['a severe vulnerability with a fix', true, { fixedIn: '3.0.2' }],
  ['a critical one with a fix', true, { severity: 'CRITICAL', fixedIn: '3.0.2' }],
  ['a severe vulnerability without a fix', false, {}],
  ['a lesser one with a fix', false, { severity: 'MEDIUM', fixedIn: '3.0.2' }],
  ['one of unknown severity with a fix', false, { severity: 'UNKNOWN', fixedIn: '3.0.2' }],
  ['a severe misconfiguration', true, { kind: 'misconfiguration' }],
  ['a lesser misconfiguration', false, { kind: 'misconfiguration', severity: 'LOW' }],
  ['a secret', true, { kind: 'secret' }],
  ['a secret of low severity', true, { kind: 'secret', severity: 'LOW' }],
  ['a forbidden licence in the program', true, license('forbidden', 'program')],
  ['a restricted licence in the program', true, license('restricted', 'program')],
  ['a reciprocal licence in the program', false, license('reciprocal', 'program')],
  ['an unknown licence in the program', false, license('unknown', 'program')],
  ['a forbidden licence of the distribution', true, license('forbidden', 'distribution')],
  ['a restricted licence of the distribution', false, license('restricted', 'distribution')],
];
for (const [name, stopped, over] of gates) {
  test(`the gate ${stopped ? 'closes on' : 'is open for'} ${name}`, async () => {
    const report = reportOf([finding(over)]);
    const expected = stopped
      ? ['linux/amd64', 'linux/arm64'].map((platform) => ({ ...finding(over), platform }))
      : [];
    assert.deepEqual(gate(report), expected);
    if (!stopped) return assertGate(report, { allowUnchecked: false });
    const error = await failure(() => assertGate(report, { allowUnchecked: true }));
    assert.equal(error.code, 'SCAN_GATE');
    assert.deepEqual(error.details, gate(report).map(describeFinding));
    assert.match(error.message, /found 2 thing/);
  });
}

const ignored: readonly (readonly [string, boolean, Partial<Ignored>])[] = [
  ['by its id and package', true, {}],
  ['by its id, package and version', true, { in: 'openssl 3.0.1' }],
  ['by its id and folder', true, { id: 'private-key', in: '/app/' }],
  ['by its id and file', true, { id: 'private-key', in: '/app/key' }],
  ['by half a file name', false, { id: 'private-key', in: '/app/k' }],
  ['by half a package name', false, { in: 'open' }],
  ['of another package', false, { in: 'zlib' }],
  ['of another id', false, { id: 'CVE-2' }],
];
for (const [name, passes, over] of ignored) {
  test(`the gate ${passes ? 'lets pass' : 'stops'} what is ignored ${name}`, () => {
    const found = [
      finding({ fixedIn: '3' }),
      finding({ kind: 'secret', id: 'private-key', target: '/app/key:1' }),
    ];
    const entry = {
      id: 'CVE-1',
      in: 'openssl',
      reason: 'not reachable here',
      owner: 'ada',
      until: '2026-12-31',
      ...over,
    };
    const report = { ...reportOf(found), ignored: [entry] };
    assert.equal(gate(report).length, passes ? 2 : 4);
    assert.equal(describeScan(report).includes(', ignored of these: 1'), passes);
    assert.match(
      describeScan(report),
      /^vulnerabilities: 1 .*, secrets: 1, /,
      'what is ignored is counted all the same',
    );
  });
}

test('the gate closes on an exception that ended, besides every finding', async () => {
  const entry = { id: 'CVE-9', in: 'zlib', reason: 'not reachable here', owner: 'ada', until: '2026-03-01' };
  const report = { ...reportOf([finding({ fixedIn: '3' })]), expired: [entry] };
  const error = await failure(() => assertGate(report, { allowUnchecked: true }));
  assert.equal(error.code, 'SCAN_GATE');
  assert.equal(error.details.length, 3);
  assert.equal(
    error.details[2],
    'exception CVE-9 in zlib ended on 2026-03-01; its owner is ada (security/ignore.yaml)',
  );
});

test('the gate closes on the Dockerfile, which is about every platform', () => {
  const wrong = finding({ kind: 'misconfiguration', id: 'DS-0010', target: 'Dockerfile:5' });
  const report = {
    ...reportOf([]),
    dockerfile: [wrong, finding({ kind: 'misconfiguration', severity: 'LOW' })],
  };
  assert.deepEqual(gate(report).map(describeFinding), [
    'HIGH misconfiguration DS-0010 in Dockerfile:5 (every platform)',
  ]);
  const entry = {
    id: 'DS-0010',
    in: 'Dockerfile',
    reason: 'not reachable',
    owner: 'ada',
    until: '2026-12-31',
  };
  assert.deepEqual(gate({ ...report, ignored: [entry] }), []);
});

test('what else is wrong with the image is named where the gate closes, and closes nothing itself', async () => {
  const besides = ['user: it runs as "root"'];
  assertGate(reportOf([]), { allowUnchecked: false, besides });
  const error = await failure(() =>
    assertGate(reportOf([finding({ kind: 'secret' })]), { allowUnchecked: false, besides }),
  );
  assert.equal(error.details.length, 3);
  assert.equal(error.details[2], besides[0]);
});

test('the gate takes the licences that were asked for', () => {
  const report = reportOf([
    finding(license('reciprocal', 'program')),
    finding(license('forbidden', 'program')),
  ]);
  assert.deepEqual(
    gate({ ...report, licenses: ['reciprocal'] }).map((found) => found.license?.category),
    ['reciprocal', 'reciprocal'],
  );
});

test('the gate takes the severities that were asked for', () => {
  const report = { ...reportOf([finding({ severity: 'LOW', fixedIn: '1' })]), severity: ['LOW'] };
  assert.equal(gate(report).length, 2);
  assert.deepEqual(gate({ ...report, severity: ['CRITICAL'] }), []);
});

test('a rehearsal goes on unchecked, a release does not', async () => {
  const report = reportOf([], NOT_CHECKED);
  assertGate(report, { allowUnchecked: true });
  const error = await failure(() => assertGate(report, { allowUnchecked: false }));
  assert.equal(error.code, 'SCAN_DATA');
  assert.equal(error.exitCode, 7);
  assert.equal(error.message, 'Vulnerabilities were NOT CHECKED: there is no vulnerability database.');
});

test('a finding stops even a rehearsal that is unchecked', async () => {
  const error = await failure(() =>
    assertGate(reportOf([finding({ kind: 'secret' })], NOT_CHECKED), { allowUnchecked: true }),
  );
  assert.equal(error.code, 'SCAN_GATE');
});

const described: readonly (readonly [string, ScanReport, string])[] = [
  [
    'nothing found',
    reportOf([]),
    'vulnerabilities: 0 in 7 packages (database of 2026-03-07), secrets: 0, misconfigurations: 0, licenses to look at: 0',
  ],
  [
    'what is on both platforms counts once',
    reportOf([
      finding({}),
      finding({ id: 'CVE-2' }),
      finding({ target: 'zlib 1' }),
      finding({ kind: 'secret', target: 'a:1' }),
      finding({ kind: 'misconfiguration' }),
    ]),
    'vulnerabilities: 3 in 7 packages (database of 2026-03-07), secrets: 1, misconfigurations: 1, licenses to look at: 0',
  ],
  [
    'not checked',
    reportOf([], NOT_CHECKED),
    'vulnerabilities: NOT CHECKED (there is no vulnerability database), secrets: 0, misconfigurations: 0, licenses to look at: 0',
  ],
];
const { dockerfile: _, ...withoutDockerfile } = reportOf([]);
test('in one line: a Dockerfile that was not looked at is said', () => {
  assert.match(describeScan(withoutDockerfile), /, Dockerfile: NOT CHECKED$/);
});
for (const [name, report, line] of described) {
  test(`in one line: ${name}`, () => assert.equal(describeScan(report), line));
}

test('never clean, nor a number, where vulnerabilities were not looked for', () => {
  const line = describeScan(reportOf([], NOT_CHECKED));
  assert.match(line, /vulnerabilities: NOT CHECKED/);
  assert.doesNotMatch(line, /clean|vulnerabilities: \d|no vulnerabilities/i);
});

test('a finding in one line', () => {
  const platform = 'linux/arm64';
  assert.equal(
    describeFinding({ ...finding({ severity: 'CRITICAL', fixedIn: '3.0.2' }), platform }),
    'CRITICAL vulnerability CVE-1 in openssl 3.0.1, fixed in 3.0.2 (linux/arm64)',
  );
  assert.equal(
    describeFinding({ ...finding({ kind: 'secret', id: 'private-key', target: 'app/key:1' }), platform }),
    'HIGH secret private-key in app/key:1 (linux/arm64)',
  );
  assert.equal(
    describeFinding({ ...finding({ ...license('restricted', 'program', 'HIGH'), id: 'GPL-3.0' }), platform }),
    'HIGH license GPL-3.0 (restricted) in left-pad (linux/arm64)',
  );
});

test('a report survives being written and read', () => {
  const report = reportOf([finding({ fixedIn: '1' })], NOT_CHECKED);
  assert.deepEqual(ScanReport.parse(JSON.parse(JSON.stringify(report))), report);
});
