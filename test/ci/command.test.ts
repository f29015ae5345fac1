import assert from 'node:assert/strict';
import { relative } from 'node:path';
import { test } from 'node:test';
import * as command from '../../ci/src/command.ts';
import { buildArguments, NO_COMMIT, parseCommit } from '../../ci/src/commit.ts';
import { COMMANDS } from '../../src/release/commands/catalogue.ts';
import { releaseFolder } from '../../src/release/publish/folder.ts';
import { parseVersion } from '../../src/release/versions/version.ts';
import { catalogueFaults } from '../catalogue-faults.ts';

const target = { registry: 'registry:5000', repository: 'a/b' };
const at = '--registry registry:5000 --repository a/b';
const thoth = 'node dist/thoth-release.mjs';

const LINES: readonly [string, string[], string][] = [
  ['commit', command.showCommit(), 'git log -1 --format=%H %ct'],
  [
    'dependencies',
    command.installDependencies(),
    'npm ci --ignore-scripts --no-audit --no-fund --loglevel=error',
  ],
  ['bundle', command.bundleRelease(), 'node src/release/bundle.mjs'],
  ['lint', command.lintProject(), 'npm run --silent check'],
  ['pack', command.packLayout(), 'tar -C /release/layout -cf /release/image.tar .'],
  ['layout', command.makeLayout(), `${thoth} layout /release/image.tar --output /release/layout`],
  [
    'start',
    command.startPlatform('linux/arm64', 'http://thoth:8000/health'),
    `${thoth} start --layout /release/layout --platform linux/arm64 --url http://thoth:8000/health --evidence /release/evidence.json`,
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
    `${thoth} publish ${at} --tag v1.2.3 --plan /src/.thoth/release/v1.2.3/plan.json`,
  ],
  [
    'publish --dry-run',
    command.publishRelease(target, '1.2.3', true),
    `${thoth} publish ${at} --tag v1.2.3 --plan /src/.thoth/release/v1.2.3/plan.json --dry-run`,
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
  const folder = releaseFolder('.thoth', parseVersion('v1.2.3'));
  assert.equal(`${command.PATHS.project}/${folder.dir}`, command.releaseFolder('v1.2.3'));
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
  assert.equal(command.releaseFolder('1.0.0'), '/src/.thoth/release/v1.0.0');
  for (const tag of ['../../etc', '--home=/', '/v1.0.0']) {
    assert.throws(() => command.releaseFolder(tag), /can not be the tag/, tag);
  }
});

test('a commit is read from what git prints, and nothing else is taken for one', () => {
  const revision = 'a'.repeat(40);
  assert.deepEqual(parseCommit(`${revision} 1700000000\n`), { revision, time: 1_700_000_000 });
  for (const line of ['', 'fatal: not a git repository', `${revision} `, `${revision.slice(1)} 1`]) {
    assert.throws(() => parseCommit(line), /in place of a commit/, line);
  }
});

test('build arguments are those of the local builder, and base images only where they are replaced', () => {
  const commit = { revision: 'f00', time: 1_700_000_000 };
  assert.deepEqual(
    buildArguments(commit, 'v1.2.3', { node: undefined, runtime: 'R', npm: 'https://npm.example' }).map(
      ({ name, value }) => `${name}=${value}`,
    ),
    [
      'RUNTIME_IMAGE=R',
      'NPM_CONFIG_REGISTRY=https://npm.example',
      'THOTH_VERSION=1.2.3',
      'THOTH_REVISION=f00',
      'THOTH_CREATED=2023-11-14T22:13:20Z',
      'SOURCE_DATE_EPOCH=1700000000',
    ],
  );
  const names = buildArguments(NO_COMMIT, undefined, {}).map((argument) => argument.name);
  assert.deepEqual(names, ['THOTH_REVISION', 'THOTH_CREATED', 'SOURCE_DATE_EPOCH']);
});
