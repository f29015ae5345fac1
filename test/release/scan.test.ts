import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeFinding, type Finding, readFindings } from '../../src/release/finding.ts';
import type { Ignored } from '../../src/release/ignored.ts';
import { assertGate, describeScan, gate, ScanReport } from '../../src/release/scan.ts';
import { freshness } from '../../src/release/vulnerability-database.ts';
import { failure } from './failure.ts';

const image = { platform: 'linux/arm64', configDigest: `sha256:${'c'.repeat(64)}` };

/** A report of Trivy as it writes them, with more fields than are read. */
function trivyReport(results: unknown, over: Record<string, unknown> = {}): string {
  return JSON.stringify({
    SchemaVersion: 2,
    ArtifactName: 'image',
    Metadata: { ImageID: image.configDigest, OS: { Family: 'debian', Name: '13.1' }, DiffIDs: [] },
    Results: results,
    ...over,
  });
}
const cve = {
  VulnerabilityID: 'CVE-2026-1',
  PkgName: 'openssl',
  InstalledVersion: '3.0.1',
  FixedVersion: '3.0.2',
  Severity: 'HIGH',
  Title: 'A hole',
};
const key = { RuleID: 'private-key', Severity: 'HIGH', Title: 'A key', StartLine: 3, Match: '****' };
const root = { ID: 'DS-0002', Severity: 'HIGH', Title: 'Runs as root', Status: 'FAIL' };

const read: readonly (readonly [string, unknown, number, readonly Finding[]])[] = [
  ['nothing at all', undefined, 0, []],
  [
    'packages without findings',
    [
      { Target: 'image', Packages: [{ Name: 'a' }, { Name: 'b' }] },
      { Target: 'app', Packages: [{ Name: 'c' }] },
    ],
    3,
    [],
  ],
  [
    'a vulnerability with a fix',
    [{ Target: 'image', Vulnerabilities: [cve] }],
    0,
    [
      {
        kind: 'vulnerability',
        id: 'CVE-2026-1',
        severity: 'HIGH',
        title: 'A hole',
        target: 'openssl 3.0.1',
        fixedIn: '3.0.2',
      },
    ],
  ],
  [
    'a vulnerability without fix, version and title',
    [
      {
        Target: 'image',
        Vulnerabilities: [
          { VulnerabilityID: 'CVE-2', PkgName: 'zlib', FixedVersion: '', Severity: 'UNKNOWN' },
        ],
      },
    ],
    0,
    [{ kind: 'vulnerability', id: 'CVE-2', severity: 'UNKNOWN', title: 'CVE-2', target: 'zlib' }],
  ],
  [
    'a secret in a file',
    [{ Target: 'app/key.pem', Secrets: [key] }],
    0,
    [{ kind: 'secret', id: 'private-key', severity: 'HIGH', title: 'A key', target: 'app/key.pem:3' }],
  ],
  [
    'a misconfiguration, of which some pass',
    [
      {
        Target: 'image',
        Misconfigurations: [{ ...root, Status: 'PASS' }, root, { ...root, Status: 'EXCEPTION' }],
      },
    ],
    0,
    [{ kind: 'misconfiguration', id: 'DS-0002', severity: 'HIGH', title: 'Runs as root', target: 'image' }],
  ],
];
for (const [name, results, packages, findings] of read) {
  test(`read: ${name}`, () =>
    assert.deepEqual(readFindings(trivyReport(results), image), { packages, findings }));
}

test('read: a distribution at the end of its life is a finding', () => {
  const Metadata = { ImageID: image.configDigest, OS: { Family: 'debian', Name: '9', EOSL: true } };
  assert.deepEqual(readFindings(trivyReport([], { Metadata }), image).findings, [
    {
      kind: 'misconfiguration',
      id: 'end-of-life',
      severity: 'HIGH',
      title: 'the distribution gets no more security updates',
      target: 'debian 9',
    },
  ]);
});

const whole = trivyReport([{ Target: 'image', Vulnerabilities: [cve] }]);
const unread: readonly (readonly [string, string, RegExp])[] = [
  ['that is empty', '', /form this version does not know/],
  ['that is cut off', whole.slice(0, -9), /form this version does not know/],
  ['that is no report', '[]', /form this version does not know/],
  ['of another schema', trivyReport([], { SchemaVersion: 3 }), /form this version does not know/],
  ['without an image', trivyReport([], { Metadata: {} }), /form this version does not know/],
  [
    'with a severity that would pass the gate unread',
    whole.replace('"HIGH"', '"high"'),
    /form this version does not know/,
  ],
  [
    'with a vulnerability without severity',
    whole.replace('"Severity":"HIGH",', ''),
    /form this version does not know/,
  ],
  [
    'with a status that is new',
    trivyReport([{ Target: 'x', Misconfigurations: [{ ...root, Status: 'FAILED' }] }]),
    /form this version does not know/,
  ],
  [
    'of another image',
    whole.replace(/c{64}/, 'd'.repeat(64)),
    /^Trivy scanned sha256:d{64}, and linux\/arm64 is sha256:c{64}/,
  ],
];
for (const [name, json, message] of unread) {
  test(`a report is refused: one ${name}`, async () => {
    const error = await failure(() => readFindings(json, image));
    assert.equal(error.code, 'SCAN_FAILED');
    assert.match(error.message, message);
  });
}

const NOW = new Date('2026-03-08T12:00:00Z');
const fresh: readonly (readonly [
  string,
  string | undefined,
  string | undefined,
  ScanReport['vulnerabilities'],
])[] = [
  [
    'of now',
    '2026-03-08T12:00:00Z',
    undefined,
    { status: 'checked', databaseUpdatedAt: '2026-03-08T12:00:00.000Z' },
  ],
  [
    'of seven days to the second',
    '2026-03-01T12:00:00Z',
    undefined,
    { status: 'checked', databaseUpdatedAt: '2026-03-01T12:00:00.000Z' },
  ],
  [
    'a second older',
    '2026-03-01T11:59:59Z',
    undefined,
    { status: 'not-checked', reason: 'the vulnerability database is 7 days old' },
  ],
  [
    'of a month, not to be had',
    '2026-02-06T12:00:00Z',
    'no such host',
    {
      status: 'not-checked',
      reason: 'the vulnerability database is 30 days old and it could not be fetched: no such host',
    },
  ],
  [
    'fresh enough, though not to be had',
    '2026-03-07T00:00:00Z',
    'no such host',
    { status: 'checked', databaseUpdatedAt: '2026-03-07T00:00:00.000Z' },
  ],
  [
    'of the future, as far as clocks differ',
    '2026-03-09T12:00:00Z',
    undefined,
    { status: 'checked', databaseUpdatedAt: '2026-03-09T12:00:00.000Z' },
  ],
  [
    'of the future',
    '2026-03-09T12:00:01Z',
    undefined,
    {
      status: 'not-checked',
      reason:
        'the vulnerability database is of 2026-03-09T12:00:01.000Z, and the clock here says 2026-03-08T12:00:00.000Z',
    },
  ],
  ['none', undefined, undefined, { status: 'not-checked', reason: 'there is no vulnerability database' }],
  [
    'none to be had',
    undefined,
    'denied',
    {
      status: 'not-checked',
      reason: 'there is no vulnerability database and it could not be fetched: denied',
    },
  ],
];
for (const [name, updated, problem, expected] of fresh) {
  test(`a database: ${name}`, () => {
    assert.deepEqual(
      freshness(updated === undefined ? undefined : new Date(updated), NOW, problem),
      expected,
    );
  });
}

const finding = (over: Partial<Finding>): Finding => ({
  kind: 'vulnerability',
  id: 'CVE-1',
  severity: 'HIGH',
  title: 'A hole',
  target: 'openssl 3.0.1',
  ...over,
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
  return { scanner: 'trivy 0', severity: ['HIGH', 'CRITICAL'], vulnerabilities, platforms };
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
    assert.equal(describeScan(report).endsWith(', ignored of these: 1'), passes);
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
    'vulnerabilities: 0 in 7 packages (database of 2026-03-07), secrets: 0, misconfigurations: 0',
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
    'vulnerabilities: 3 in 7 packages (database of 2026-03-07), secrets: 1, misconfigurations: 1',
  ],
  [
    'not checked',
    reportOf([], NOT_CHECKED),
    'vulnerabilities: NOT CHECKED (there is no vulnerability database), secrets: 0, misconfigurations: 0',
  ],
];
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
});

test('a report survives being written and read', () => {
  const report = reportOf([finding({ fixedIn: '1' })], NOT_CHECKED);
  assert.deepEqual(ScanReport.parse(JSON.parse(JSON.stringify(report))), report);
});
