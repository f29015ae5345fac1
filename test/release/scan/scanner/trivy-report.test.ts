import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LicenseCategory } from '../../../../src/release/config/words.ts';
import type { Finding } from '../../../../src/release/scan/finding.ts';
import { readDockerfileFindings, readFindings } from '../../../../src/release/scan/scanner/trivy-report.ts';
import { failure } from '../../machine/failure.ts';

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
const licensed = (category: string, name: string, severity = 'LOW') => ({
  Name: name,
  PkgName: 'left-pad',
  Category: category,
  Severity: severity,
  Confidence: 1,
});
const license = (
  category: LicenseCategory,
  of: 'program' | 'distribution',
  severity: Finding['severity'],
): Finding => ({
  kind: 'license',
  id: `a-${category}`,
  severity,
  title: `a ${category} licence`,
  target: 'left-pad',
  license: { category, of },
});
const every = [
  licensed('forbidden', 'a-forbidden', 'CRITICAL'),
  licensed('restricted', 'a-restricted', 'HIGH'),
  licensed('reciprocal', 'a-reciprocal', 'MEDIUM'),
  licensed('unknown', 'a-unknown', 'UNKNOWN'),
  ...['notice', 'permissive', 'unencumbered'].map((category) => licensed(category, 'MIT')),
];
test('read: licences that ask for something, more of them in the program than in the distribution', () => {
  const read = (Target: string) =>
    readFindings(trivyReport([{ Target, Class: 'license', Licenses: every }]), image).findings;
  assert.deepEqual(read('Node.js'), [
    license('forbidden', 'program', 'CRITICAL'),
    license('restricted', 'program', 'HIGH'),
    license('reciprocal', 'program', 'MEDIUM'),
    license('unknown', 'program', 'UNKNOWN'),
  ]);
  assert.deepEqual(read('OS Packages'), [
    license('forbidden', 'distribution', 'CRITICAL'),
    license('restricted', 'distribution', 'HIGH'),
  ]);
});

test('read: what is wrong with a Dockerfile, with the line', () => {
  const found = { ...root, CauseMetadata: { StartLine: 7 } };
  const json = (results: unknown) => JSON.stringify({ SchemaVersion: 2, Results: results });
  const result = { Target: 'Dockerfile', Class: 'config', Type: 'dockerfile' };
  assert.deepEqual(readDockerfileFindings(json([{ ...result, Misconfigurations: [found] }])), [
    {
      kind: 'misconfiguration',
      id: 'DS-0002',
      severity: 'HIGH',
      title: 'Runs as root',
      target: 'Dockerfile:7',
    },
  ]);
  assert.deepEqual(readDockerfileFindings(json([result])), []);
});

for (const [name, results] of [
  ['that was not taken for one', []],
  ['of another kind', [{ Target: 'x', Type: 'kubernetes' }]],
] as const) {
  test(`a report on a Dockerfile is refused: one ${name}`, async () => {
    const error = await failure(() =>
      readDockerfileFindings(JSON.stringify({ SchemaVersion: 2, Results: results })),
    );
    assert.equal(error.code, 'SCAN_FAILED');
  });
}

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
    'with a licence of a category that is new',
    trivyReport([{ Target: 'x', Licenses: [licensed('viral', 'x')] }]),
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
