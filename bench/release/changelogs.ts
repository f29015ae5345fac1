import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { measure, median } from '../measure.ts';
import type { Group } from '../results.ts';
import { git, type Workplace } from './workplace.ts';

const COMMITS = 10_000;
const RUNS = 3;
const KINDS = ['feat', 'fix', 'docs', 'perf', 'refactor', 'chore'] as const;
const NEXT = 'v1.0.0';

/** The changelog of a release with 10,000 commits, by everybody who writes one. */
export async function changelogs(place: Workplace): Promise<Group> {
  const project = join(place.dir, 'history');
  const origin = join(place.dir, 'origin.git');
  await makeHistory(project, origin);
  const bin = join(place.packages, '.bin');
  const env = { CI: 'true' };
  // Each writes nothing but to its output.
  const programs: readonly (readonly [string, string, readonly string[]])[] = [
    ['git-cliff', join(bin, 'git-cliff'), ['--unreleased', '--tag', NEXT]],
    [
      'conventional-changelog',
      place.node,
      [
        join(bin, 'conventional-changelog'),
        '--preset',
        'conventionalcommits',
        '--output-unreleased',
        '--stdout',
      ],
    ],
    [
      'semantic-release, dry run',
      place.node,
      [
        ...[join(bin, 'semantic-release'), '--dry-run', '--no-ci', '--branches', 'main'],
        ...['--repository-url', `file://${origin}`, '--plugins', PLUGINS],
      ],
    ],
  ];
  const mine = await median(RUNS, () => place.thoth(['changelog', NEXT], { cwd: project }));
  const rows = [{ what: 'thoth-release', values: [mine.seconds] as (number | undefined)[] }];
  const notes = [`Lines written: thoth-release ${lines(mine.stdout)}`];
  for (const [name, program, args] of programs) {
    try {
      const run = await median(RUNS, () => measure(program, args, { cwd: project, env }));
      rows.push({ what: name, values: [run.seconds] });
      notes.push(`${name} ${lines(run.stdout)}`);
    } catch (error) {
      rows.push({ what: name, values: [undefined] });
      notes.push(`${name} failed: ${String(error).split('\n').slice(0, 3).join(' ')}`);
    }
  }
  return {
    title: 'The changelog of 10,000 commits',
    columns: ['Time'],
    unit: 's',
    ratioTo: 'column',
    rows,
    notes: [`${notes.join(', ')}.`],
  };
}

const PLUGINS = '@semantic-release/commit-analyzer,@semantic-release/release-notes-generator';

function lines(text: string): number {
  return text.split('\n').filter((line) => line !== '').length;
}

/** A repository with one release, 10,000 commits since, and a bare one that it is pushed to. */
async function makeHistory(project: string, origin: string): Promise<void> {
  await mkdir(project);
  await git(project, ['init', '--quiet', '--initial-branch=main']);
  const commit = (n: number, message: string) =>
    [
      'commit refs/heads/main',
      `committer bench <bench@example.test> ${1_700_000_000 + n} +0000`,
      `data ${Buffer.byteLength(message)}`,
      message,
      ...(n === 0 ? ['M 644 inline package.json', `data ${PACKAGE.length}`, PACKAGE] : []),
      '',
    ].join('\n');
  const all = Array.from({ length: COMMITS }, (_, n) =>
    commit(n + 1, `${KINDS[n % KINDS.length]}(part-${n % 40}): what number ${n} brings (#${n})`),
  );
  await git(project, ['fast-import', '--quiet'], `${commit(0, 'feat: begin')}${all.join('')}`);
  await git(project, ['reset', '--quiet', '--hard']);
  await git(project, ['tag', 'v0.1.0', `HEAD~${COMMITS}`]);
  await git(project, ['clone', '--quiet', '--bare', project, origin]);
  await git(project, ['remote', 'add', 'origin', `file://${origin}`]);
  await writeFile(join(project, '.git/info/exclude'), '*\n');
}

const PACKAGE = JSON.stringify({
  name: 'history',
  version: '0.1.0',
  private: true,
});
