import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { type Measured, measure } from '../measure.ts';
import type { Group } from '../results.ts';
import { Publishing } from './publishing.ts';
import { sizedLayout } from './sized-layout.ts';
import { PROJECT, type Workplace } from './workplace.ts';

const [EXACT = '', ...RANGES] = ['v1.0.0', 'v1.0', 'v1', 'latest'];
const PLATFORMS = ['linux/amd64', 'linux/arm64'];
/** Of each platform, about what the image of the service has. */
const MEGABYTES = 60;
const ROUNDS = 3;

/** The same layout pushed to the same registry with the same four tags: the first time, and once more. */
export async function publishers(place: Workplace): Promise<Group> {
  const publishing = await Publishing.open(place.dir);
  try {
    const layout = await sizedLayout(join(publishing.dir, 'layout'), PLATFORMS, MEGABYTES);
    const program = place.tool('crane');
    const programs: readonly ((repository: string) => Promise<() => Promise<Measured>>)[] = [
      (repository) => publishing.planned(repository, layout),
      async (repository) => {
        const name = `${publishing.host}/${repository}:${EXACT}`;
        return () =>
          inARow([
            [program, 'push', '--insecure', '--index', layout.dir, name],
            ...RANGES.map((tag) => [program, 'tag', '--insecure', name, tag]),
          ]);
      },
      async (repository) => () =>
        inARow(
          [EXACT, ...RANGES].map((tag) => [
            ...['skopeo', '--insecure-policy', 'copy', '--quiet', '--all', '--dest-tls-verify=false'],
            ...[`oci:${layout.dir}:release`, `docker://${publishing.host}/${repository}:${tag}`],
          ]),
        ),
    ];
    const first: number[][] = programs.map(() => []);
    const again: number[][] = programs.map(() => []);
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [n, prepare] of programs.entries()) {
        const run = await prepare(`round-${round}-of-${n}`);
        first[n]?.push((await run()).seconds);
        again[n]?.push((await run()).seconds);
      }
    }
    return {
      title: `Pushing ${PLATFORMS.length * MEGABYTES} MB with ${RANGES.length + 1} tags`,
      columns: ['thoth-release', 'crane', 'skopeo'],
      unit: 's',
      ratioTo: 'row',
      rows: [
        { what: 'The first time', values: first.map(middle) },
        { what: 'Once more', values: again.map(middle) },
      ],
      notes: [
        `Medians of ${ROUNDS} rounds, to the embedded registry on this machine; ${await versions()}. thoth-release` +
          ' hashes the layout first, reads every byte back from the registry before a tag moves, looks each tag up before and' +
          ' after, and keeps a journal; the others send.',
      ],
    };
  } finally {
    await publishing.close();
  }
}

/** Runs commands one after the other, as one measurement. */
function inARow(commands: readonly (readonly string[])[]): Promise<Measured> {
  const quoted = commands.map((command) => command.map((word) => `'${word}'`).join(' '));
  return measure('sh', ['-e', '-c', quoted.join('\n')]);
}

function middle(times: readonly number[]): number | undefined {
  return [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)];
}

async function versions(): Promise<string> {
  const { stdout } = await execa('skopeo', ['--version']);
  const pinned = await readFile(join(PROJECT, 'tools/crane/go.mod'), 'utf8');
  const crane = /go-containerregistry (v\S+)/.exec(pinned)?.[1] ?? '';
  return `crane ${crane}, ${stdout.trim()}`;
}
