import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { type Layout, type PlatformImage, readLayout } from '../../../../src/release/image/layout.ts';
import { imageReport, packageReport } from '../../../../src/release/scan/scanner/image-report.ts';
import type { Trivy, TrivyBuild } from '../../../../src/release/scan/scanner/trivy.ts';
import { writeLayout } from '../../image/layout-fixture.ts';
import { failure } from '../../machine/failure.ts';

const BUILD: TrivyBuild = {
  version: '1',
  build: '1 1 1',
  databaseUpdatedAt: new Date('2026-01-01T00:00:00Z'),
};

let folder = '';
let trivy: Trivy;
let layout: Layout;
let image: PlatformImage;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'thoth-report-'));
  const program = join(folder, 'trivy');
  // Prints how often it was called, which tells a new report from a kept one.
  const config =
    '{"config":{"Env":["KEY=hunter2"]},"history":["ENV KEY=hunter2"],"architecture":"amd64","os":"linux"}';
  await writeFile(
    program,
    `#!/bin/sh
echo "$*" >> '${folder}/calls'
printf '{"call":%d,"Metadata":{"ImageConfig":%s}}' "$(wc -l < '${folder}/calls')" '${config}'
`,
  );
  await chmod(program, 0o755);
  trivy = { program, cache: join(folder, 'cache') };
  await writeLayout(join(folder, 'layout'));
  layout = await readLayout(join(folder, 'layout'));
  const [first] = layout.platforms;
  assert.ok(first);
  image = first;
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Asks for a report. @returns in which call of the scanner it was made */
async function ask(over: Partial<TrivyBuild> = {}, vulnerabilities: 'checked' | 'not-checked' = 'checked') {
  return callOf(await imageReport(trivy, { ...BUILD, ...over }, layout.dir, image, vulnerabilities));
}

/** Where the report on the image is kept. */
function keptFile(): string {
  return join(trivy.cache, 'reports', `linux-amd64-${image.digest.slice(-12)}.json`);
}

function callOf(report: string): number {
  return JSON.parse(report).call;
}

test('a report is made once while nothing changes', async () => {
  assert.equal(await ask(), 1);
  assert.equal(await ask(), 1);
  assert.equal(await ask({ version: 'another name of the same build' }), 1);
});

const changes: readonly (readonly [string, () => Promise<number>])[] = [
  [
    'another image',
    () => {
      image = { ...image, digest: `sha256:${'0'.repeat(64)}` };
      return ask();
    },
  ],
  ['another build of the scanner', () => ask({ build: '1 1 2' })],
  ['another database', () => ask({ databaseUpdatedAt: new Date('2026-01-02T00:00:00Z') })],
  ['vulnerabilities that are not looked for any more', () => ask({}, 'not-checked')],
  [
    'a report that is cut off',
    async () => {
      const path = keptFile();
      await writeFile(path, (await readFile(path, 'utf8')).slice(0, -2));
      return ask();
    },
  ],
  [
    'a report of another form',
    async () => {
      await writeFile(keptFile(), '{"report":"0"}');
      return ask();
    },
  ],
];
for (const [name, change] of changes) {
  test(`it is made anew for ${name}`, async () => {
    assert.equal(await ask(), 1);
    assert.equal(await change(), 2);
    assert.equal(await change(), name.startsWith('a report') ? 3 : 2, 'and then kept');
  });
}

test('where vulnerabilities are not looked for, the database does not matter', async () => {
  assert.equal(await ask({ databaseUpdatedAt: undefined }, 'not-checked'), 1);
  assert.equal(await ask({}, 'not-checked'), 1);
});

test('each platform has a report of its own', async () => {
  assert.equal(await ask(), 1);
  image = layout.platforms[1] ?? image;
  assert.equal(await ask(), 2);
  image = layout.platforms[0] ?? image;
  assert.equal(await ask(), 1);
});

test('a report that fails is not kept', async () => {
  const working = trivy.program;
  trivy = { ...trivy, program: 'false' };
  assert.equal((await failure(ask())).code, 'SCAN_FAILED');
  trivy = { ...trivy, program: working };
  assert.equal(await ask(), 1);
});

test('packages are read from whichever report there is of the same image and scanner', async () => {
  const packages = async (over: Partial<TrivyBuild> = {}) =>
    callOf(await packageReport(trivy, { ...BUILD, ...over }, layout.dir, image));
  assert.equal(await packages(), 1);
  assert.equal(await ask(), 2);
  assert.equal(await packages({ databaseUpdatedAt: undefined }), 2);
  assert.equal(await packages({ build: '2' }), 3);
});

test('the environment of the image, and how it was built, are neither in a report nor kept', async () => {
  const report = await imageReport(trivy, BUILD, layout.dir, image, 'checked');
  const kept = await readFile(keptFile(), 'utf8');
  assert.doesNotMatch(report + kept, /hunter2/);
});

test('the newest eight reports are kept', async () => {
  const digests = Array.from({ length: 12 }, (_, n) => `sha256:${String(n).padStart(64, '0')}`);
  for (const [n, digest] of digests.entries()) {
    image = { ...image, digest };
    assert.equal(await ask(), n + 1);
    // Their times are told apart by the day, whatever the file system's clock is good for.
    await utimes(keptFile(), n * 86_400, n * 86_400);
  }
  assert.equal((await readdir(join(trivy.cache, 'reports'))).length, 8);
  image = { ...image, digest: digests[5] ?? '' };
  assert.equal(await ask(), 6, 'kept');
  image = { ...image, digest: digests[3] ?? '' };
  assert.equal(await ask(), 13);
});
