import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { changelogSection, updateChangelog, writeChangelog } from '../../../src/release/history/changelog.ts';
import { compareVersions, parseVersion } from '../../../src/release/versions/version.ts';
import { assertGolden } from '../golden.ts';
import { createRepository, type TestRepository, temporaryFolder } from './git-fixture.ts';

interface Case {
  readonly version: string;
  build(repository: TestRepository): void;
}

const withFirst = (repository: TestRepository) => repository.commit('feat: first', 'v1.0.0');

/** Each is compared with golden/changelog-NAME.md; the hashes in there are those of the steps here. */
const cases: Readonly<Record<string, Case>> = {
  first: {
    version: 'v0.1.0',
    build(repository) {
      repository.commit('chore: begin');
      repository.commit('feat(api): answer requests (#1)');
      repository.commit('fix: start on port 8000');
      repository.commit('docs: say how');
    },
  },
  patch: {
    version: 'v1.0.1',
    build(repository) {
      withFirst(repository);
      repository.commit(
        'fix(api): wait for the answer\n\nIt came too early.\n\nCloses #7, closes other/place#8',
      );
      repository.commit('fix: close the file, fixes #9\n\nRefs: #10');
      repository.commit('perf(store): read once');
    },
  },
  minor: {
    version: 'v1.1.0',
    build(repository) {
      withFirst(repository);
      repository.commit('fix: a patch', 'v1.0.1');
      repository.commit('feat(web): show it @ada, in #fff and other/place#8');
      repository.commit('feat: no scope');
      repository.commit('feat(api): with a scope');
      repository.commit('Feat(API): with capitals');
    },
  },
  candidate: {
    version: 'v2.0.0-rc.2',
    build(repository) {
      withFirst(repository);
      repository.commit('feat: in the first candidate', 'v2.0.0-rc.1');
      repository.commit('fix: in the second candidate');
    },
  },
  'stable-after-candidates': {
    version: 'v2.0.0',
    build(repository) {
      withFirst(repository);
      repository.commit('feat: in the first candidate', 'v2.0.0-rc.1');
      repository.commit('fix: in the second candidate', 'v2.0.0-rc.2');
      repository.commit('fix: in the release');
    },
  },
  'old-line': {
    version: 'v1.0.1',
    build(repository) {
      withFirst(repository);
      repository.commit('feat!: second', 'v2.0.0');
      repository.git('switch', '-q', '-c', 'v1', 'v1.0.0');
      repository.commit('fix: back in the old line');
    },
  },
  'beside-an-old-line': {
    version: 'v1.1.0',
    build(repository) {
      withFirst(repository);
      repository.git('switch', '-q', '-c', 'v1');
      repository.commit('fix: in the old line', 'v1.0.1');
      repository.git('switch', '-q', 'main');
      repository.commit('feat: on main');
    },
  },
  'merged-old-line': {
    version: 'v2.1.0',
    build(repository) {
      withFirst(repository);
      repository.git('switch', '-q', '-c', 'v1');
      repository.commit('fix: in the old line', 'v1.0.1');
      repository.git('switch', '-q', 'main');
      repository.commit('feat!: second', 'v2.0.0');
      repository.merge('v1', 'Merge branch v1');
      repository.commit('feat: after the merge');
    },
  },
  breaking: {
    version: 'v2.0.0',
    build(repository) {
      withFirst(repository);
      repository.commit('feat(api)!: the answer is a list');
      repository.commit(
        [
          ...['fix(store): the file moved', '', 'Why it did.', '---', 'And more of it.', ''],
          ...['BREAKING CHANGE: move your file:', '', '* from `/data`', '* to `/app/data`', ''],
          ...['Signed-off-by: Ada <ada@example.test>', 'Closes #3'],
        ].join('\n'),
      );
      repository.commit(
        'chore!: Node 18 is not supported\n\nBREAKING-CHANGE: install Node 20\nReviewed-by: Bob <b@c.test>',
      );
      repository.commit('constructor!: a type that no list has');
      repository.commit('Not conventional\n\nBREAKING CHANGE: it still counts');
      repository.commit('docs: nothing\n\nbreaking change in small letters is only a sentence');
    },
  },
  reverts: {
    version: 'v1.1.0',
    build(repository) {
      const first = withFirst(repository);
      const second = repository.commit('feat: come and gone');
      repository.commit('feat: stays');
      repository.commit(`Revert "feat: come and gone"\n\nThis reverts commit ${second}.`);
      repository.commit(`revert: feat: first\n\nThis reverts commit ${first}.`);
    },
  },
  nothing: {
    version: 'v1.0.1',
    build(repository) {
      withFirst(repository);
      repository.commit('Update things');
      repository.commit('docs: words');
      repository.commit('');
    },
  },
  merges: {
    version: 'v1.1.0',
    build(repository) {
      withFirst(repository);
      repository.git('switch', '-q', '-c', 'topic');
      repository.commit('feat: on a branch');
      repository.git('switch', '-q', 'main');
      repository.commit('fix: on main');
      repository.merge('topic', 'feat: a merge is not a change of its own (#4)');
    },
  },
  unicode: {
    version: 'v1.1.0',
    build(repository) {
      withFirst(repository);
      repository.commit('feat(größe): Ünïcode 🎉 日本語 \u202erevo\u2028');
      repository.commit('fix: é comes after z, and E before e');
      repository.commit('fix: zebra');
      repository.commit('fix: Egg\r\n\r\nCloses #5\r\n');
    },
  },
  hostile: {
    version: 'v2.0.0',
    build(repository) {
      withFirst(repository);
      repository.commit('feat(<i>): <script>alert(1)</script> <img src=x onerror=alert(1)> `<kept>` <!--');
      repository.commit(
        'fix: # [9.9.9](javascript:alert(1)) ![pixel](https://example.test/p.png) {{version}}',
      );
      repository.commit('fix: `unclosed **bold __x__ &lt;b&gt; \\ end');
      repository.commit(
        'fix(---): -->\n\n------------------------ >8 ------------------------\n-hash-\n0000000\n',
      );
      repository.commit(
        'feat!: break\n\nBREAKING CHANGE: <details>\n## [9.9.9] (2020-01-01)\n---\n```sh\n<b>\n\n# Changelog\n<!--',
      );
    },
  },
};

for (const [name, { version, build }] of Object.entries(cases)) {
  test(`the section of a release: ${name}`, async (t) => {
    const repository = createRepository(t);
    build(repository);
    const section = await changelogSection(repository.dir, parseVersion(version));
    assertGolden(`changelog-${name}.md`, section);
    const updated = updateChangelog('', parseVersion(version), section);
    assert.equal(updateChangelog(updated, parseVersion(version), section), updated);
  });
}

test('once the version has its tag, later commits change nothing', async (t) => {
  const repository = createRepository(t);
  repository.commit('feat: first', 'v1.0.0');
  repository.commit('feat: second');
  const version = parseVersion('v1.1.0');
  const before = await changelogSection(repository.dir, version);
  repository.git('tag', '-a', '-m', 'second', 'v1.1.0');
  repository.commit('feat: third', 'v1.2.0');
  assert.equal(await changelogSection(repository.dir, version), before);
  assert.match(before, /second/);
  assert.doesNotMatch(before, /first|third/);
});

test('the day is that of the commit in UTC, wherever the release is made', async (t) => {
  const repository = createRepository(t);
  repository.commit('feat: first');
  repository.git('-c', 'user.name=x', 'commit', '-q', '--amend', '--no-edit', '--allow-empty');
  const zone = process.env.TZ;
  t.after(() => {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  });
  for (const name of ['Pacific/Kiritimati', 'Pacific/Pago_Pago']) {
    process.env.TZ = name;
    assert.match(
      await changelogSection(repository.dir, parseVersion('v1.0.0')),
      /^## 1\.0\.0 \(2026-01-02\)\n/,
    );
  }
});

test('200 commits are 200 entries, in one order whatever the order of the commits', async (t) => {
  const messages = Array.from(
    { length: 200 },
    (_, n) => `feat(part-${n % 7}): change ${String(n).padStart(3, '0')}`,
  );
  const entriesOf = async (list: readonly string[]) => {
    const repository = createRepository(t);
    repository.commit('feat: first', 'v1.0.0');
    repository.commits(list);
    const section = await changelogSection(repository.dir, parseVersion('v1.1.0'));
    return section.split('\n').flatMap((line) => /^\* (.*) \(\[/.exec(line)?.[1] ?? []);
  };
  const found = await entriesOf(messages);
  assert.equal(new Set(found).size, 200);
  assert.deepEqual(await entriesOf([...messages].reverse()), found);
});

test('a very long line in a message is no hindrance', { timeout: 60_000 }, async (t) => {
  const repository = createRepository(t);
  repository.commit('feat: first', 'v1.0.0');
  for (const part of ['a', ' ', '_', '`', '- ', 'a/', '#1 ', 'fix ']) {
    repository.commit(`feat: long ${part.repeat(5_000)}end\n\n${part.repeat(5_000)}end\n`);
  }
  const section = await changelogSection(repository.dir, parseVersion('v1.1.0'));
  assert.equal(section.split('\n').filter((line) => line.startsWith('* ')).length, 8);
});

test('without an address nothing is linked', async (t) => {
  const repository = createRepository(t, 'file:///srv/app.git');
  repository.commit('feat: first', 'v1.0.0');
  const hash = repository.commit('feat(api): second by @ada (#4)\n\nCloses #5\nRefs: #6');
  const section = await changelogSection(repository.dir, parseVersion('v1.1.0'));
  assert.match(
    section,
    new RegExp(`\\* \\*\\*api:\\*\\* second by @ada \\(#4\\) ${hash.slice(0, 7)}, closes #5, see #6`),
  );
  assert.doesNotMatch(section, /\]\(|undefined/);
});

test('a shallow clone gives no section: it would tell too little', async (t) => {
  const repository = createRepository(t);
  repository.commit('feat: first', 'v1.0.0');
  repository.commit('feat: second');
  const clone = join(temporaryFolder(t), 'clone');
  repository.git('clone', '-q', '--depth=1', pathToFileURL(repository.dir).href, clone);
  await assert.rejects(changelogSection(clone, parseVersion('v1.1.0')), { code: 'GIT_NO_HISTORY' });
});

const section = (version: string, text = 'text') =>
  `## [${version}](https://x.test) (2026-01-02)\n\n* ${text}\n`;
const HEAD = updateChangelog('', parseVersion('v0.0.1'), section('0.0.1')).split('## ')[0] ?? '';

const updates: readonly (readonly [string, string, string, string])[] = [
  ['a new file has a title', '', '1.0.0', `${HEAD}${section('1.0.0')}`],
  [
    'the newest comes first',
    `# C\n\n${section('1.0.0')}`,
    '1.1.0',
    `# C\n\n${section('1.1.0')}\n${section('1.0.0')}`,
  ],
  [
    'an old line comes after',
    `# C\n\n${section('2.0.0')}`,
    '1.0.1',
    `# C\n\n${section('2.0.0')}\n${section('1.0.1')}`,
  ],
  [
    'between two, with a v and without a link',
    '# C\n\n## v2.0.0\n\nb\n\n## 1.0.0 - 2020-01-01\n\na\n',
    '1.5.0',
    `# C\n\n## v2.0.0\n\nb\n\n${section('1.5.0')}\n## 1.0.0 - 2020-01-01\n\na\n`,
  ],
  [
    'a release after its candidate',
    `# C\n\n${section('1.0.0-rc.10')}`,
    '1.0.0',
    `# C\n\n${section('1.0.0')}\n${section('1.0.0-rc.10')}`,
  ],
  [
    'what is there is replaced, and only that',
    `# C\n\n${section('2.0.0')}\n\n\n${section('1.0.0', 'old\n* older')}\n\n${section('0.9.0')}`,
    '1.0.0',
    `# C\n\n${section('2.0.0')}\n\n\n${section('1.0.0')}\n\n${section('0.9.0')}`,
  ],
  [
    'no end of line at the end',
    '# C\n\n## 2.0.0\n\nb',
    '1.0.0',
    `# C\n\n## 2.0.0\n\nb\n\n${section('1.0.0')}`,
  ],
  [
    'under what is not released',
    '# C\n\n## [Unreleased]\n\nlater\n\n## 1.0.0\n',
    '1.1.0',
    `# C\n\n## [Unreleased]\n\nlater\n\n${section('1.1.0')}\n## 1.0.0\n`,
  ],
  [
    'over what comes after the releases',
    '# C\n\n## 2.0.0\n\nb\n\n## Notes\n\nn\n',
    '1.0.0',
    `# C\n\n## 2.0.0\n\nb\n\n${section('1.0.0')}\n## Notes\n\nn\n`,
  ],
  [
    'a file without a title gets one',
    '## 1.0.0\n\na\n',
    '1.1.0',
    `${HEAD}${section('1.1.0')}\n## 1.0.0\n\na\n`,
  ],
  ['a title of the other form', 'Changes\n=======\n', '1.0.0', `Changes\n=======\n\n${section('1.0.0')}`],
  [
    'a heading in a code block or a comment is none',
    '# C\n\n```\n## 1.0.0\n```\n\n~~~\n## 1.0.0\n~~~\n\n<!--\n## 1.0.0\n-->\n',
    '1.0.0',
    `# C\n\n\`\`\`\n## 1.0.0\n\`\`\`\n\n~~~\n## 1.0.0\n~~~\n\n<!--\n## 1.0.0\n-->\n\n${section('1.0.0')}`,
  ],
  [
    'line ends of Windows',
    '# C\r\n\r\n## 1.0.0\r\n\r\na\r\n',
    '1.1.0',
    `# C\r\n\r\n${section('1.1.0').replaceAll('\n', '\r\n')}\r\n## 1.0.0\r\n\r\na\r\n`,
  ],
  ['a byte order mark', '\ufeff# C\n', '1.0.0', `\ufeff# C\n\n${section('1.0.0')}`],
];

for (const [name, before, version, after] of updates) {
  test(`a changelog is updated: ${name}`, () => {
    assert.equal(updateChangelog(before, parseVersion(version), section(version)), after);
    assert.equal(updateChangelog(after, parseVersion(version), section(version)), after);
  });
}

test('what is not one section of the version is not put in', () => {
  for (const wrong of [
    '',
    'text',
    section('1.0.1'),
    `text\n${section('1.0.0')}`,
    section('1.0.0') + section('0.9.0'),
  ]) {
    assert.throws(() => updateChangelog('', parseVersion('1.0.0'), wrong), /not one section/);
  }
});

const anyVersion = fc
  .tuple(fc.nat(2), fc.nat(2), fc.nat(2), fc.constantFrom('', '-rc.1', '-rc.2', '-beta'))
  .map(([major, minor, patch, rest]) => `${major}.${minor}.${patch}${rest}`);
const anyLine = fc.oneof(
  fc.constantFrom(
    '',
    '# Changelog',
    '## Notes',
    '===',
    '```',
    '~~~',
    '<!--',
    '-->',
    '  ```',
    '\ufeff',
    '\r',
    'a',
  ),
  anyVersion.map((version) => `## [${version}] (2020-01-01)`),
  fc.string({ unit: 'binary' }),
);
const anyText = fc
  .tuple(fc.array(anyLine), fc.constantFrom('\n', '\r\n'))
  .map(([lines, eol]) => lines.join(eol));

test('property: a second update changes nothing, and all that was there is still there', () => {
  fc.assert(
    fc.property(anyText, anyVersion, (text, version) => {
      const once = updateChangelog(text, parseVersion(version), section(version));
      assert.equal(updateChangelog(once, parseVersion(version), section(version)), once);
      const own = section(version)
        .trim()
        .replaceAll('\n', text.includes('\r\n') ? '\r\n' : '\n');
      const at = once.indexOf(own);
      assert.ok(at >= 0);
      // What stands before and after came from the text, or is blank, or is the title of a new file.
      const before = once
        .slice(0, at)
        .replace(HEAD.replaceAll('\n', text.includes('\r\n') ? '\r\n' : '\n'), '');
      assert.ok(text.startsWith(before.trimEnd()));
      assert.ok(text.endsWith(once.slice(at + own.length).trimStart()));
    }),
    { numRuns: 2_000 },
  );
});

test('property: sections put in by any order stand highest first', () => {
  fc.assert(
    fc.property(fc.uniqueArray(anyVersion, { minLength: 1 }), (versions) => {
      const put = (text: string, version: string) =>
        updateChangelog(text, parseVersion(version), section(version));
      const sorted = versions.map(parseVersion).sort((a, b) => compareVersions(b, a));
      assert.equal(
        versions.reduce(put, ''),
        `${HEAD}${sorted.map((one) => section(one.version)).join('\n')}`,
      );
    }),
  );
});

test('a changelog file is made, left alone while nothing changes, and updated as a whole', async (t) => {
  const repository = createRepository(t);
  repository.commit('feat: first');
  const folder = join(temporaryFolder(t), 'new');
  const file = join(folder, 'CHANGELOG.md');
  const version = parseVersion('v1.0.0');
  const made = await writeChangelog(repository.dir, version, file);
  assert.equal(made.changed, true);
  assert.equal(readFileSync(file, 'utf8'), `${HEAD}${made.section}`);
  utimesSync(file, 1, 1);
  assert.deepEqual(await writeChangelog(repository.dir, version, file), {
    section: made.section,
    changed: false,
  });
  assert.equal(statSync(file).mtimeMs, 1_000);
  repository.commit('feat: second');
  assert.equal((await writeChangelog(repository.dir, version, file)).changed, true);
  assert.match(readFileSync(file, 'utf8'), /second/);
  assert.deepEqual(readdirSync(folder), ['CHANGELOG.md']);
});

test('a file that can not be read is left as it is', async (t) => {
  const repository = createRepository(t);
  repository.commit('feat: first');
  const dir = temporaryFolder(t);
  const [latin, folder] = [join(dir, 'latin'), join(dir, 'folder')];
  writeFileSync(latin, Buffer.from([0x23, 0x20, 0xe9]));
  mkdirSync(folder);
  for (const file of [latin, folder]) {
    await assert.rejects(writeChangelog(repository.dir, parseVersion('v1.0.0'), file), { code: 'USAGE' });
  }
  assert.deepEqual(readFileSync(latin), Buffer.from([0x23, 0x20, 0xe9]));
  assert.equal(existsSync(`${latin}.partial`), false);
});
