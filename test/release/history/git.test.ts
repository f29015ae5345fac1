import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import {
  assertClean,
  assertComplete,
  assertTagAtHead,
  commitsBetween,
  readRepository,
  tagCommit,
  taggedVersions,
} from '../../../src/release/history/git.ts';
import { parseVersion } from '../../../src/release/versions/version.ts';
import { createRepository, START, setEnvironment, temporaryFolder } from './git-fixture.ts';

const tagsOf = (versions: readonly { tag: string }[]) => versions.map((version) => version.tag);

test('a repository is read: commit, time in seconds, versions, address', async (t) => {
  const repository = createRepository(t);
  repository.commit('feat: one', 'v1.0.0');
  const head = repository.commit('feat: two');
  assert.deepEqual(await readRepository(repository.dir), {
    head,
    time: START + 60,
    versions: [parseVersion('v1.0.0')],
    dirty: [],
    shallow: false,
    url: 'https://example.test/ada/app',
  });
});

test('a tag counts where it is a version with a leading v, on whatever branch', async (t) => {
  const repository = createRepository(t);
  const tags = [
    'v1.9.0',
    'v1.10.0',
    'v1.10.0-rc.2',
    '2.0.0',
    'vv3.0.0',
    'v1',
    'v1.0.0+a',
    'latest',
    'x/v4.0.0',
  ];
  repository.commit('feat: one', ...tags);
  repository.git('tag', '-a', '-m', 'annotated', 'v0.1.0');
  repository.git('switch', '-q', '-c', 'other');
  const other = repository.commit('feat: two', 'v5.0.0');
  repository.git('switch', '-q', 'main');
  const onMain = ['v1.10.0', 'v1.10.0-rc.2', 'v1.9.0', 'v0.1.0'];
  assert.deepEqual(tagsOf((await readRepository(repository.dir)).versions), ['v5.0.0', ...onMain]);
  assert.deepEqual(tagsOf(await taggedVersions(repository.dir, 'HEAD')), onMain);
  assert.deepEqual(tagsOf(await taggedVersions(repository.dir, other)), ['v5.0.0', ...onMain]);
});

test('the commit of a tag is found behind an annotated one, and a missing tag has none', async (t) => {
  const repository = createRepository(t);
  const head = repository.commit('feat: one', 'v1.0.0');
  repository.git('tag', '-a', '-m', 'a', 'v1.0.1');
  repository.git('tag', '-a', '-m', 'a tag of a tag', 'v1.0.2', 'v1.0.1');
  for (const tag of ['v1.0.0', 'v1.0.1', 'v1.0.2']) assert.equal(await tagCommit(repository.dir, tag), head);
  assert.equal(await tagCommit(repository.dir, 'v9.9.9'), undefined);
  assert.equal(await tagCommit(repository.dir, 'main'), undefined);
});

test('a version whose git tag is on another commit is refused, with both commits', async (t) => {
  const repository = createRepository(t);
  const tagged = repository.commit('feat: one', 'v1.0.0');
  const version = parseVersion('v1.0.0');
  await assertTagAtHead(repository.dir, version, { head: tagged });
  const head = repository.commit('feat: two');
  await assertTagAtHead(repository.dir, parseVersion('v1.0.1'), { head });
  await assert.rejects(assertTagAtHead(repository.dir, version, { head }), {
    code: 'VERSION_EXISTS',
    exitCode: 6,
    remedy: /git checkout v1\.0\.0.*next version/,
    details: [`v1.0.0: ${tagged}`, `checked out: ${head}`],
  });
});

test('files that differ from the commit are listed by their names, and refused', async (t) => {
  const repository = createRepository(t);
  for (const name of ['changed', 'gone', 'moved', 'same']) repository.write(name, `${name}\n`);
  repository.write('.gitignore', 'ignored\n');
  repository.commit('feat: one');
  assertClean(await readRepository(repository.dir));
  repository.write('changed', 'otherwise\n');
  repository.write('ignored', '');
  repository.write('new "ünï" file', '');
  repository.git('rm', '-q', 'gone');
  repository.git('mv', 'moved', 'away');
  const found = await readRepository(repository.dir);
  assert.deepEqual([...found.dirty].sort(), ['away', 'changed', 'gone', 'moved', 'new "ünï" file']);
  assert.throws(() => assertClean(found), { code: 'GIT_DIRTY', details: found.dirty });
});

test('of many files that differ, twenty are named', async (t) => {
  const repository = createRepository(t);
  repository.commit('feat: one');
  for (let n = 0; n < 30; n += 1) repository.write(`file-${n}`, '');
  const found = await readRepository(repository.dir);
  assert.equal(found.dirty.length, 20);
  assert.throws(() => assertClean(found), { message: /at least/ });
});

test('the config of the person who releases changes nothing, and starts no program', async (t) => {
  const repository = createRepository(t);
  repository.commit('feat: one', 'v1.0.0');
  // A signature, so that git would like to check it.
  const unsigned = repository.git('cat-file', 'commit', 'HEAD').split('\n');
  const signature = ['gpgsig -----BEGIN PGP SIGNATURE-----', ' ', ' abc', ' -----END PGP SIGNATURE-----'];
  repository.write('signed', [...unsigned.slice(0, 3), ...signature, '', 'feat: ünï\n'].join('\n'));
  repository.git('reset', '-q', '--soft', repository.git('hash-object', '-t', 'commit', '-w', 'signed'));
  const [program, ran] = [join(repository.dir, '.git', 'spy'), join(repository.dir, '.git', 'spied')];
  writeFileSync(program, `#!/bin/sh\ntouch '${ran}'\ncat\n`);
  chmodSync(program, 0o755);
  const config = join(repository.dir, '.git', 'global');
  const text = [
    ...['[core]', 'quotepath = true', `pager = ${program}`, `fsmonitor = ${program}`],
    ...['[status]', 'showUntrackedFiles = no', 'short = true', 'branch = true', 'renames = copies'],
    ...['[color]', 'ui = always', '[log]', 'showSignature = true', 'decorate = full', 'date = relative'],
    ...['[i18n]', 'logOutputEncoding = latin1', '[format]', 'pretty = short', '[pager]', 'log = true'],
    ...['[tag]', 'sort = -refname', '[gpg]', `program = ${program}`],
    ...['[url "https://evil.test/"]', 'insteadOf = https://example.test/'],
  ].join('\n');
  writeFileSync(config, text);
  const plain = await readRepository(repository.dir);
  setEnvironment(t, { GIT_CONFIG_GLOBAL: config, LC_ALL: 'de_DE.UTF-8', LANGUAGE: 'de' });
  assert.deepEqual(await readRepository(repository.dir), plain);
  assert.deepEqual(plain.dirty, ['signed']);
  assert.deepEqual(await commitsBetween(repository.dir, undefined, 'HEAD'), [
    { hash: plain.head, message: 'feat: ünï\n' },
  ]);
  assert.equal(existsSync(ran), false);
});

test('reading leaves the index as it is, though git would like to refresh it', async (t) => {
  const repository = createRepository(t);
  repository.commit('feat: one');
  utimesSync(join(repository.dir, 'package.json'), START, START);
  const before = readFileSync(join(repository.dir, '.git', 'index'));
  assert.deepEqual((await readRepository(repository.dir)).dirty, []);
  assert.deepEqual(readFileSync(join(repository.dir, '.git', 'index')), before);
});

test('commits come whole: newest first, without merges, in UTF-8', async (t) => {
  const repository = createRepository(t);
  const first = repository.commit('feat: one', 'v1.0.0');
  repository.git('switch', '-q', '-c', 'topic');
  const topic = repository.commit(
    'fix: Ünïcode 🎉\n\n------------------------ >8 ------------------------\n-hash-\nabc\n',
  );
  repository.git('switch', '-q', 'main');
  const main = repository.commit('');
  repository.merge('topic', 'Merge topic');
  repository.git('-c', 'i18n.commitEncoding=latin1', 'commit', '-q', '--allow-empty', '-m', 'fix: plain');
  const found = await commitsBetween(repository.dir, 'v1.0.0', 'HEAD');
  assert.deepEqual(found.slice(1), [
    { hash: main, message: '' },
    {
      hash: topic,
      message: 'fix: Ünïcode 🎉\n\n------------------------ >8 ------------------------\n-hash-\nabc\n',
    },
  ]);
  assert.equal(found[0]?.message.trim(), 'fix: plain');
  assert.deepEqual(
    (await commitsBetween(repository.dir, undefined, first)).map((commit) => commit.hash),
    [first],
  );
});

test('a shallow clone is told, and refused where the history counts', async (t) => {
  const repository = createRepository(t);
  repository.commit('feat: one', 'v1.0.0');
  repository.commit('feat: two');
  const clone = join(temporaryFolder(t), 'clone');
  repository.git('clone', '-q', '--depth=1', pathToFileURL(repository.dir).href, clone);
  const found = await readRepository(clone);
  assert.equal(found.shallow, true);
  assert.throws(() => assertComplete(found), {
    code: 'GIT_NO_HISTORY',
    remedy: /git fetch --unshallow --tags.*fetch-depth: 0/,
  });
  assertComplete(await readRepository(repository.dir));
});

const broken: readonly (readonly [string, (dir: string) => void, string, RegExp])[] = [
  ['a folder that is none', () => undefined, 'GIT_NO_HISTORY', /is not the root of a git repository/],
  ['one with a damaged HEAD', (dir) => damage(dir), 'GIT_FAILED', /could not read/],
];

function damage(dir: string): void {
  for (const part of ['', 'objects', 'refs']) mkdirSync(join(dir, '.git', part));
  writeFileSync(join(dir, '.git', 'HEAD'), `${'1'.repeat(40)}\n`);
}

for (const [name, prepare, code, message] of broken) {
  test(`no repository: ${name}`, async (t) => {
    const dir = join(temporaryFolder(t), 'project');
    mkdirSync(dir);
    prepare(dir);
    await assert.rejects(readRepository(dir), { code, message });
  });
}

test('a folder that is not there is no repository, and git is not blamed', async (t) => {
  await assert.rejects(readRepository(join(temporaryFolder(t), 'nowhere')), { code: 'GIT_NO_HISTORY' });
});

test('a subfolder of a repository is not its root; a link to the root is', async (t) => {
  const repository = createRepository(t);
  const head = repository.commit('feat: one');
  mkdirSync(join(repository.dir, 'sub'));
  await assert.rejects(readRepository(join(repository.dir, 'sub')), { code: 'GIT_NO_HISTORY' });
  const link = join(temporaryFolder(t), 'link');
  symlinkSync(repository.dir, link);
  assert.equal((await readRepository(link)).head, head);
});

test('a repository without a commit is told apart from none', async (t) => {
  const { dir } = createRepository(t);
  await assert.rejects(readRepository(dir), { code: 'GIT_NO_HISTORY', message: /has no commit yet/ });
});

test('where there is no git program, it says so', async (t) => {
  const repository = createRepository(t);
  repository.commit('feat: one');
  setEnvironment(t, { PATH: '' });
  await assert.rejects(readRepository(repository.dir), { code: 'GIT_MISSING', remedy: /Install it/ });
});

test('files of another user: the remedy is the safe.directory setting', async (t) => {
  const repository = createRepository(t);
  repository.commit('feat: one');
  // git's own switch for its tests of this; without it only root could make such a repository.
  setEnvironment(t, {
    GIT_TEST_ASSUME_DIFFERENT_OWNER: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_SYSTEM: '/dev/null',
    GIT_CONFIG_COUNT: '0',
  });
  await assert.rejects(readRepository(repository.dir), {
    code: 'GIT_FAILED',
    remedy: new RegExp(`git config --global --add safe\\.directory '${repository.dir}'`),
  });
});

test('a damaged index is not taken for a clean work tree', async (t) => {
  const repository = createRepository(t);
  repository.commit('feat: one');
  writeFileSync(join(repository.dir, '.git', 'index'), 'not an index');
  await assert.rejects(readRepository(repository.dir), {
    code: 'GIT_FAILED',
    details: ['fatal: .git/index: index file smaller than expected'],
  });
});
