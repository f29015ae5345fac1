import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ReleaseError } from '../../../src/release/errors.ts';
import { renderNotes } from '../../../src/release/notes/notes.ts';
import { type PreviousOptions, readPrevious } from '../../../src/release/notes/previous.ts';
import type { Registry } from '../../../src/release/registry/registry.ts';
import { prepareScanners } from '../../../src/release/scan/scanner/choose.ts';
import { createTrivyScanner } from '../../../src/release/scan/scanner/trivy-scanner.ts';
import { parseVersion } from '../../../src/release/versions/version.ts';
import { failure } from '../machine/failure.ts';
import {
  apply,
  type Bench,
  makeLayout,
  openBench,
  planFor,
  repositoryAt,
} from '../publish/release-fixture.ts';
import { debianLayer, type Known } from '../scan/scanner/trivy-database.ts';
import { now, withDatabase } from '../scan/scanner/trivy-fixture.ts';

const KNOWN: readonly Known[] = [
  { id: 'CVE-2026-1', package: 'openssl', fixedIn: '3.0.2', severity: 'CRITICAL' },
  { id: 'CVE-2026-2', package: 'zlib', fixedIn: '', severity: 'LOW' },
  { id: 'CVE-2026-3', package: 'curl', fixedIn: '9.0', severity: 'MEDIUM' },
];
const v = parseVersion;

let bench: Bench;
let registry: Registry;
before(async () => {
  bench = await openBench();
  registry = await repositoryAt(bench.embedded.host, 'thoth/notes');
  for (const version of ['v0.9.0', 'v1.0.0', 'v1.1.0-rc.1']) {
    const layers = [debianLayer({ openssl: '3.0.1', zlib: '1.0' }), { version }];
    const layout = await makeLayout(bench, version, { layers, platforms: ['linux/amd64'] });
    await apply(await planFor(registry, version, layout), registry, layout.dir, layout);
  }
});
after(() => bench.close());

async function options(over: Partial<PreviousOptions> = {}): Promise<PreviousOptions> {
  const layers = [debianLayer({ openssl: '3.0.2', zlib: '1.0', curl: '8.0' }), { bulk: 'x'.repeat(9) }];
  return {
    registry: async () => registry,
    version: v('v1.1.0'),
    tagged: [],
    layout: await makeLayout(bench, 'v1.1.0', { layers, platforms: ['linux/amd64', 'linux/arm64'] }),
    scratch: bench.dir,
    scan: { severity: ['HIGH', 'CRITICAL'], licenses: ['forbidden'] },
    scanners: async () => {
      throw new ReleaseError('TOOL_MISSING', 'There is no scanner.', 'Get one.');
    },
    say: () => undefined,
    ...over,
  };
}

test('both images are scanned with the same data, and the notes tell what is mended', async () => {
  const previous = await withDatabase(now(), KNOWN, async (trivy) => {
    const scanner = createTrivyScanner(trivy, { vulnerabilities: true });
    const scanners = () => prepareScanners([scanner], new Date(), () => undefined);
    return readPrevious(await options({ scanners }));
  });
  assert.ok('version' in previous && 'now' in previous.scans);
  assert.equal(previous.version.tag, 'v1.0.0', 'the highest lower stable one');
  assert.deepEqual(previous.scans.before.vulnerabilities, previous.scans.now.vulnerabilities);
  const { layout } = await options();
  const notes = renderNotes({
    title: 'Thoth',
    version: v('v1.1.0'),
    section: '',
    registry: 'docker.io',
    repository: 'a/b',
    tags: ['v1.1.0'],
    layout,
    scan: previous.scans.now,
    previous,
  });
  assert.match(notes, /\| linux\/amd64 .* \| [+-]0\.0 MB \(.* %\) \|\n\| linux\/arm64 .* \| new \|\n/);
  assert.match(notes, /\nSince v1\.0\.0, both scanned with the data of today: 1 new, 1 fixed\.\n/);
  assert.match(
    notes,
    /\nNew:\n\n\* MEDIUM vulnerability CVE-2026-3 in curl 8\.0, fixed in 9\.0 \(linux\/amd64, linux\/arm64\)\n/,
  );
  assert.match(
    notes,
    /\nFixed:\n\n\* CRITICAL vulnerability CVE-2026-1 in openssl 3\.0\.1, fixed in 3\.0\.2 \(linux\/amd64\)\n/,
  );
});

const unknown: readonly (readonly [string, Partial<PreviousOptions>, RegExp])[] = [
  ['a first release', { version: v('v0.1.0') }, /^This is the first release\.$/],
  [
    'a predecessor that is not in the registry',
    { version: v('v0.1.0'), tagged: [v('v0.0.9')] },
    /^Not compared with an earlier release: .*thoth\/notes holds no earlier one\.$/,
  ],
  [
    'a registry that is not there',
    { registry: () => repositoryAt('127.0.0.1:1', 'x/y', { attempts: 1 }) },
    /^Not compared with an earlier release: .*127\.0\.0\.1:1/,
  ],
];
for (const [name, over, reason] of unknown) {
  test(`nothing is known of the release before: ${name}`, async () => {
    const previous = await readPrevious(await options(over));
    assert.ok(!('version' in previous));
    assert.match(previous.notCompared, reason);
  });
}

test('without a scanner the sizes are compared, and why the findings are not is said', async () => {
  const previous = await readPrevious(await options());
  assert.ok('version' in previous);
  assert.deepEqual(Object.keys(previous.sizes), ['linux/amd64']);
  assert.deepEqual(previous.scans, { notCompared: 'There is no scanner.' });
});

test('what is about this run is no reason: it ends it', async () => {
  const interrupted = new ReleaseError('INTERRUPTED', 'Interrupted.', 'Run it again.');
  const scanners = () => Promise.reject(interrupted);
  assert.equal(await failure(readPrevious(await options({ scanners }))), interrupted);
  const bug = new TypeError('a bug');
  await assert.rejects(readPrevious(await options({ registry: () => Promise.reject(bug) })), bug);
});
