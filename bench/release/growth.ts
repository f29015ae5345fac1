import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { startEmbedded } from '../../src/release/registry/embedded.ts';
import { median } from '../measure.ts';
import type { Group, Row } from '../results.ts';
import { Publishing } from './publishing.ts';
import { sizedLayout } from './sized-layout.ts';
import type { Workplace } from './workplace.ts';

const RUNS = 3;
const VERSION = 'v1.0.0';
const VERSIONS = [10, 1_000, 10_000];
const MEGABYTES = [64, 512, 2_048];
const PLATFORMS = [
  'amd64',
  'arm64',
  '386',
  'arm',
  'mips64le',
  'ppc64le',
  'riscv64',
  's390x',
  'loong64',
  'mips',
];
const SMALL = 20;
const TAGS = 100;

/** How long it takes to plan as versions add up, in git and in the registry. It needs a rehearsal of v1.0.0. */
export async function planning(place: Workplace): Promise<Group> {
  const rows: Row[] = [];
  const help = await median(RUNS, () => place.thoth(['--help']));
  for (const count of VERSIONS) {
    const versions = Array.from({ length: count }, (_, n) => `v0.${Math.floor(n / 100)}.${n % 100}`);
    await tagInGit(place.project, versions);
    await tagInRegistry(place, versions);
    const registry = await startEmbedded(place.home);
    try {
      const tags = await median(RUNS, () => place.thoth(['tags', VERSION]));
      const where = ['--registry', registry.host, '--repository', 'many'];
      const plan = await median(RUNS, () =>
        place.thoth([
          'plan',
          '--tag',
          VERSION,
          '--rehearsal',
          ...where,
          '--output',
          join(place.dir, 'plan.json'),
        ]),
      );
      rows.push({ what: `${count} versions`, values: [help.seconds, tags.seconds, plan.seconds] });
    } finally {
      await registry.stop();
    }
  }
  return {
    title: 'Planning, as versions add up',
    columns: ['--help', 'tags', 'plan'],
    unit: 's',
    ratioTo: 'column',
    rows,
    notes: [
      `Medians of ${RUNS}. \`--help\` is what it takes to start; \`tags\` reads the versions from git, and \`plan\` from git` +
        ' and the registry, with all the evidence of the release.',
    ],
  };
}

/** How long a publish takes and what memory it holds, as a layout, its platforms and its tags grow. */
export async function publishing(place: Workplace): Promise<Group[]> {
  const times: Row[] = [];
  const peaks: Row[] = [];
  const publish = async (
    what: string,
    platforms: readonly string[],
    megabytes: number,
    more: readonly string[],
  ) => {
    const bench = await Publishing.open(place.dir);
    try {
      const names = platforms.map((architecture) => `linux/${architecture}`);
      const layout = await sizedLayout(join(bench.dir, 'layout'), names, megabytes);
      const run = await bench.planned('grown', layout, more);
      const { seconds, peak } = await run();
      times.push({ what, values: [seconds] });
      peaks.push({ what, values: [peak] });
    } finally {
      await bench.close();
    }
  };
  const more = Array.from({ length: TAGS - 4 }, (_, n) => `tag-${n}`);
  await publish(`1 platform of ${SMALL} MB, 4 tags`, PLATFORMS.slice(0, 1), SMALL, []);
  await publish(`1 platform of ${SMALL} MB, ${TAGS} tags`, PLATFORMS.slice(0, 1), SMALL, more);
  await publish(`${PLATFORMS.length} platforms of ${SMALL} MB, 4 tags`, PLATFORMS, SMALL, []);
  for (const megabytes of MEGABYTES)
    await publish(`1 platform of ${megabytes} MB, 4 tags`, PLATFORMS.slice(0, 1), megabytes, []);
  const notes = ['thoth-release and all it starts, without the registry.'];
  return [
    {
      title: 'Publishing, as a release grows',
      columns: ['Time'],
      unit: 's',
      ratioTo: 'column',
      rows: times,
      notes,
    },
    { title: 'The memory of it', columns: ['Peak'], unit: 'MB', ratioTo: 'column', rows: peaks, notes },
  ];
}

/** Gives the commit that is checked out these tags and no others, packed as in a fresh clone. */
async function tagInGit(project: string, versions: readonly string[]): Promise<void> {
  const { stdout: head } = await execa('git', ['rev-parse', 'HEAD'], { cwd: project });
  const input = versions.map((tag) => `update refs/tags/${tag} ${head}\n`).join('');
  await execa('git', ['update-ref', '--stdin'], { cwd: project, input });
  await execa('git', ['pack-refs', '--all'], { cwd: project });
}

/** Makes tags in the embedded registry as it keeps them on the disk; nobody asks what they point to. */
async function tagInRegistry(place: Workplace, versions: readonly string[]): Promise<void> {
  const repository = join(place.home, 'registry/docker/registry/v2/repositories/many');
  await rm(repository, { recursive: true, force: true });
  const digest = `sha256:${'0'.repeat(64)}`;
  await mkdir(join(repository, '_manifests/revisions'), { recursive: true });
  for (const tag of versions) {
    const current = join(repository, '_manifests/tags', tag, 'current');
    await mkdir(current, { recursive: true });
    await writeFile(join(current, 'link'), digest);
  }
}
