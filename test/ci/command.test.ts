import assert from 'node:assert/strict';
import { relative } from 'node:path';
import { test } from 'node:test';
import * as command from '../../ci/src/command.ts';
import { COMMANDS } from '../../src/release/commands/catalogue.ts';
import { releaseFolder } from '../../src/release/publish/folder.ts';
import { parseVersion } from '../../src/release/versions/version.ts';
import { catalogueFaults } from '../catalogue-faults.ts';

const target = { registry: 'registry:5000', repository: 'a/b' };
const at = '--registry registry:5000 --repository a/b';
const thoth = 'node /thoth/thoth-release.mjs';

const LINES: readonly [string, string[], string][] = [
  [
    'dependencies',
    command.installDependencies(),
    'npm ci --ignore-scripts --no-audit --no-fund --loglevel=error',
  ],
  ['bundle', command.bundleRelease(), 'node src/release/bundle.mjs'],
  ['config', command.sayConfig(undefined, false), `${thoth} config --json`],
  [
    'config of a release and its layout',
    command.sayConfig('1.2.3', true),
    `${thoth} config --tag v1.2.3 --layout /release/layout --json`,
  ],
  ['lint', command.lintProject(), 'npm run --silent check'],
  ['pack', command.packLayout(), 'tar -C /release/layout -cf /release/image.tar .'],
  ['layout', command.makeLayout(), `${thoth} layout /release/image.tar --output /release/layout`],
  [
    'start',
    command.startPlatform('linux/arm64', 'http://image:8000/health'),
    `${thoth} start --layout /release/layout --platform linux/arm64 --url http://image:8000/health --evidence /release/evidence.json`,
  ],
  [
    'release on GitHub, a draft',
    command.releaseOnGitHub(target, '1.2.3', true),
    `${thoth} github-release ${at} --tag v1.2.3 --draft`,
  ],
  [
    'release on GitHub',
    command.releaseOnGitHub(target, 'v1.2.3', false),
    `${thoth} github-release ${at} --tag v1.2.3`,
  ],
  ['page', command.updateHubPage(target, 'v1.2.3'), `${thoth} docker-hub ${at} --tag v1.2.3`],
  ['scan', command.scanLayout('L', 'HIGH', 'json'), `${thoth} scan --layout L --severity HIGH --format json`],
  [
    'scan, as the project says',
    command.scanLayout('L', undefined, 'json'),
    `${thoth} scan --layout L --format json`,
  ],
  [
    'scan with reports',
    command.scanLayout('L', 'HIGH', 'json', { output: 'O', allowUnchecked: false }),
    `${thoth} scan --layout L --severity HIGH --format json --output O`,
  ],
  [
    'scan of a rehearsal',
    command.scanLayout('L', 'HIGH', 'json', { output: 'O', allowUnchecked: true }),
    `${thoth} scan --layout L --severity HIGH --format json --output O --allow-unchecked`,
  ],
  ['sbom', command.writeSboms('L', 'O'), `${thoth} sbom --layout L --output O`],
  ['policy', command.judgeLayout('L'), `${thoth} policy --layout L`],
  ['tags', command.listTags('1.2.3', []), `${thoth} tags v1.2.3 --json`],
  [
    'tags of a pre-release',
    command.listTags('v1.2.3-rc.1', ['v1.0.0', 'v1.1.0'], 'next'),
    `${thoth} tags v1.2.3-rc.1 --existing v1.0.0,v1.1.0 --channel next --json`,
  ],
  ['notes', command.writeNotes('v1.2.3'), `${thoth} notes v1.2.3`],
  [
    'notes of a layout',
    command.compareNotes(target, 'v1.2.3', 'L', 'N'),
    `${thoth} notes v1.2.3 ${at} --layout L --output N`,
  ],
  [
    'changelog',
    command.writeChangelog('v1.2.3', 'F'),
    `${thoth} changelog v1.2.3 --from CHANGELOG.md --write F`,
  ],
  [
    'plan',
    command.planRelease(target, 'v1.2.3', 'E', false),
    `${thoth} plan ${at} --tag v1.2.3 --built-by E`,
  ],
  [
    'plan of a rehearsal',
    command.planRelease(target, 'v1.2.3', 'E', true),
    `${thoth} plan ${at} --tag v1.2.3 --built-by E --rehearsal`,
  ],
  [
    'publish',
    command.publishRelease(target, 'v1.2.3', false),
    `${thoth} publish ${at} --tag v1.2.3 --plan /thoth/home/release/v1.2.3/plan.json`,
  ],
  [
    'publish --dry-run',
    command.publishRelease(target, '1.2.3', true),
    `${thoth} publish ${at} --tag v1.2.3 --plan /thoth/home/release/v1.2.3/plan.json --dry-run`,
  ],
  ['verify', command.verifyRelease(target, 'v1.2.3'), `${thoth} verify ${at} --tag v1.2.3`],
  ['rollback', command.rollBack(target, 'v1.2.3', false), `${thoth} rollback ${at} --to v1.2.3`],
  [
    'promote',
    command.promoteRelease(target, 'v1.2.3', 'next', true),
    `${thoth} promote ${at} --to v1.2.3 --channel next --dry-run`,
  ],
  ['rescan', command.rescanReleased(target, 'F'), `${thoth} rescan ${at} --output F`],
  ['rescan, telling GitHub', command.reportRescan('F'), `${thoth} rescan --from F --issue`],
];

for (const [name, line, expected] of LINES) {
  test(`command line: ${name}`, () => assert.equal(line.join(' '), expected));
}

const RELEASE_LINES = LINES.map(([, line]) => line).filter((line) => line.join(' ').startsWith(thoth));

test('thoth-release takes every command line, with its flags and what it requires', () => {
  assert.ok(RELEASE_LINES.length > 15);
  assert.deepEqual(
    RELEASE_LINES.flatMap(([, , ...words]) => catalogueFaults(COMMANDS, words)),
    [],
  );
  assert.deepEqual(catalogueFaults(COMMANDS, ['policy', 'x', '--output', 'y']), [
    'policy has no --output',
    'policy is given too much',
    'policy needs --layout',
  ]);
});

test('what the stages leave lies where thoth-release looks for it', () => {
  const folder = releaseFolder(command.PATHS.home, parseVersion('v1.2.3'));
  assert.equal(folder.dir, command.releaseFolder('v1.2.3'));
  const inFolder = (path: string) => relative(folder.dir, path);
  assert.deepEqual([folder.layout, folder.scan, folder.sbom, folder.starts, folder.plan].map(inFolder), [
    'layout',
    'scan',
    'sbom',
    'starts.json',
    'plan.json',
  ]);
});

test('tests are those that need no registry, engine or daemon, and a run of none is refused', () => {
  const files = ['test/b.test.ts', 'test/a.test.ts', 'test/c.itg.test.ts', 'test/helper.ts'];
  assert.deepEqual(command.runTests(files).slice(4), ['test/a.test.ts', 'test/b.test.ts']);
  assert.throws(() => command.runTests(['test/c.itg.test.ts']), /No test was found/);
});

test("a release's folder is inside the home folder, whatever the tag", () => {
  assert.equal(command.releaseFolder('1.0.0'), '/thoth/home/release/v1.0.0');
  for (const tag of ['../../etc', '--home=/', '/v1.0.0']) {
    assert.throws(() => command.releaseFolder(tag), /can not be the tag/, tag);
  }
});

test('nothing of ours is put into the project: it must stay as it was committed', () => {
  const { project, program, home, trivyCache } = command.PATHS;
  for (const path of [program, home, trivyCache]) assert.ok(!path.startsWith(`${project}/`), path);
});
