import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Layout, PlatformImage } from '../../../src/release/image/layout.ts';
import { type NotesInput, renderNotes } from '../../../src/release/notes/notes.ts';
import type { Finding } from '../../../src/release/scan/finding.ts';
import type { ScanReport } from '../../../src/release/scan/scan.ts';
import { parseVersion } from '../../../src/release/versions/version.ts';
import { assertGolden } from '../golden.ts';

const digest = (digit: string) => `sha256:${digit.repeat(64)}`;
const blob = (digit: string, size: number) => ({ mediaType: 'x', digest: digest(digit), size });

function image(platform: string, digit: string, size: number): PlatformImage {
  const [os = '', architecture = ''] = platform.split('/');
  return {
    platform,
    digest: digest(digit),
    manifest: blob(digit, 1_000),
    configDigest: digest('c'),
    config: {
      os,
      architecture,
      config: {},
      rootfs: { diff_ids: [] },
      history: [
        { created_by: 'the base image' },
        { created_by: 'ENV A=b', empty_layer: true },
        { created_by: 'COPY --from=build /app/dist/the/whole/of/it.mjs /app/and/a/long/way/down' },
        { created_by: 'RUN a | b `c`' },
        {},
      ],
    },
    layers: [blob('1', 30_100_000), blob('2', 1_250_000), blob('3', 2_000_000), blob('4', 900)],
    annotations: {},
    size,
  };
}

const layout: Layout = {
  dir: '/nowhere',
  index: blob('a', 500),
  annotations: {},
  platforms: [image('linux/amd64', 'd', 33_400_000), image('linux/arm64', 'e', 32_900_000)],
  blobs: [],
};

const finding = (id: string, target: string, rest: Partial<Finding> = {}): Finding => ({
  kind: 'vulnerability',
  id,
  severity: 'LOW',
  title: id,
  target,
  ...rest,
});

/** @param findings of all platforms, or of each */
function scan(findings: Readonly<Record<string, readonly Finding[]>>, reason?: string): ScanReport {
  return {
    scanner: 'trivy 0.74.0',
    severity: ['HIGH', 'CRITICAL'],
    licenses: ['forbidden', 'restricted'],
    dockerfile: [],
    vulnerabilities:
      reason === undefined
        ? { status: 'checked', databaseUpdatedAt: '2026-01-01T00:00:00.000Z' }
        : { status: 'not-checked', reason },
    platforms: Object.entries(findings).map(([platform, list]) => ({
      platform,
      digest: digest('d'),
      packages: 12,
      findings: [...list],
    })),
  };
}

const section = '## [1.1.0](https://example.test/compare) (2026-01-02)\n\n### Features\n\n* a thing\n';
const plain: NotesInput = {
  title: 'Thoth',
  version: parseVersion('v1.1.0'),
  section,
  registry: 'registry.example.test',
  repository: 'ada/app',
  tags: ['v1.1.0', 'v1.1', 'v1', 'latest'],
};
const before = scan({
  'linux/amd64': [finding('CVE-1', 'openssl 3.0.1', { fixedIn: '3.0.9' }), finding('CVE-2', 'libc6 2.36')],
  'linux/arm64': [finding('CVE-2', 'libc6 2.36')],
});
const now = scan({
  'linux/amd64': [
    finding('CVE-2', 'libc6 2.37'),
    finding('CVE-3', 'zlib 1.3', { severity: 'MEDIUM' }),
    finding('DS-1', 'Dockerfile', { kind: 'misconfiguration', severity: 'CRITICAL' }),
  ],
  'linux/arm64': [finding('CVE-3', 'zlib 1.3', { severity: 'MEDIUM' }), finding('CVE-4', '<b> 1')],
});

/** What is known of v1.0.0, when both were scanned. */
const since = (before: ScanReport, now: ScanReport) => ({
  version: parseVersion('v1.0.0'),
  sizes: {},
  scans: { before, now },
});

/** Each is compared with golden/notes-NAME.md. */
const goldens: Readonly<Record<string, NotesInput>> = {
  plain,
  candidate: { ...plain, version: parseVersion('v2.0.0-rc.1'), tags: ['v2.0.0-rc.1'] },
  layout: { ...plain, layout },
  'not-checked': { ...plain, layout, scan: scan({ 'linux/amd64': [] }, 'there is no <database>') },
  full: {
    ...plain,
    chart: 'ada/app-chart',
    manifests: true,
    layout,
    scan: now,
    previous: {
      version: parseVersion('v1.0.0'),
      sizes: { 'linux/amd64': 32_000_000, 'linux/arm/v7': 30_000_000 },
      scans: { before, now },
    },
  },
};

test('notes: a chart on Docker Hub has the address that Helm asks for', () => {
  const rendered = renderNotes({ ...plain, registry: 'docker.io', chart: 'ada/app-chart' });
  assert.match(
    rendered,
    /\nhelm install app oci:\/\/registry-1\.docker\.io\/ada\/app-chart --version 1\.1\.0\n```\n/,
  );
  assert.doesNotMatch(rendered, /kubectl/);
});

for (const [name, input] of Object.entries(goldens)) {
  test(`notes: ${name}`, () => assertGolden(`notes-${name}.md`, renderNotes(input)));
}

const sizes: readonly (readonly [number, number | undefined, string])[] = [
  [33_400_000, 32_000_000, '+1.4 MB (+4.4 %)'],
  [32_000_000, 33_400_000, '-1.4 MB (-4.2 %)'],
  [32_000_000, 32_000_000, 'the same'],
  [32_000_000, undefined, 'new'],
];

for (const [size, previous, expected] of sizes) {
  test(`a size of ${size} after ${previous} is shown as ${expected}`, () => {
    const rendered = renderNotes({
      ...plain,
      layout: { ...layout, platforms: [image('linux/amd64', 'd', size)] },
      previous: {
        version: parseVersion('v1.0.0'),
        sizes: previous === undefined ? {} : { 'linux/amd64': previous },
        scans: { notCompared: 'there was no time' },
      },
    });
    assert.ok(rendered.includes(`MB | ${expected} |\n`), rendered);
  });
}

const unknown: readonly (readonly [string, NonNullable<NotesInput['previous']>, RegExp])[] = [
  [
    'of a first release',
    { notCompared: 'This is the first release.' },
    /\n\nThis is the first release\.\n\n## Scan\n/,
  ],
  [
    'of a release that could not be scanned',
    { ...since(before, now), scans: { notCompared: 'Trivy <failed>.' } },
    /\nThe findings are not compared with v1\.0\.0: Trivy \\<failed>\.\n/,
  ],
];
for (const [name, previous, expected] of unknown) {
  test(`it is said why nothing is compared: ${name}`, () => {
    const rendered = renderNotes({ ...plain, layout, scan: now, previous });
    assert.match(rendered, expected);
    assert.doesNotMatch(rendered, /\d new/);
  });
}

test('where one scan did not look for vulnerabilities, none is called new or fixed', () => {
  const unchecked = scan({ 'linux/amd64': [finding('S-1', 'a:3', { kind: 'secret' })] }, 'it is old');
  for (const [first, second] of [
    [before, unchecked],
    [unchecked, before],
  ] as const) {
    const rendered = renderNotes({ ...plain, scan: second, previous: since(first, second) });
    assert.match(
      rendered,
      /: \d new, \d fixed; vulnerabilities were not looked for, and are NOT COMPARED\.\n/,
    );
    assert.doesNotMatch(rendered, /CVE-/);
    assert.match(rendered, /S-1/);
  }
});

test('a finding that only moved is neither new nor fixed', () => {
  const at = (line: number, version: string) =>
    scan({
      'linux/amd64': [finding('S-1', `a:${line}`, { kind: 'secret' }), finding('CVE-1', `libc6 ${version}`)],
    });
  const previous = since(at(3, '1'), at(4, '2'));
  assert.match(renderNotes({ ...plain, scan: at(4, '2'), previous }), /: 0 new, 0 fixed\.\n/);
});

test('of many findings the worst twenty are listed, and the rest is counted', () => {
  const many = Array.from({ length: 30 }, (_, n) => finding(`CVE-${100 + n}`, `p${n} 1`));
  const worst = finding('CVE-999', 'worst 1', { severity: 'CRITICAL' });
  const found = scan({ 'linux/amd64': [...many, worst] });
  const previous = since(scan({ 'linux/amd64': [] }), found);
  const rendered = renderNotes({ ...plain, scan: found, previous });
  const listed = rendered.split('\n').filter((line) => line.startsWith('* ') && line.includes('CVE-'));
  assert.equal(listed.length, 20);
  assert.match(listed[0] ?? '', /CVE-999/);
  assert.match(rendered, /\* and 11 more\n/);
});

test('where the history does not fit the layers, no layer is said to be made by anything', () => {
  const [first] = layout.platforms;
  assert.ok(first);
  const short = { ...first, config: { ...first.config, history: [{ created_by: 'only one' }] } };
  const rendered = renderNotes({ ...plain, layout: { ...layout, platforms: [short] } });
  assert.doesNotMatch(rendered, /only one/);
  assert.match(rendered, /\| not known \|/);
});
