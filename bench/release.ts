// Times what people wait for: node --import tsx bench/release.ts. Prints a table; asserts nothing.
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { execa } from 'execa';

const PROJECT = resolve(import.meta.dirname, '..');
const RUNS = 5;

/** Runs `npm run -s release -- …` once. @returns wall-clock seconds */
async function time(args: readonly string[], home: string): Promise<number> {
  const begun = performance.now();
  await execa('npm', ['run', '-s', 'release', '--', ...args], {
    cwd: PROJECT,
    env: { THOTH_HOME: home, CI: 'true' },
    stdin: 'ignore',
  });
  return (performance.now() - begun) / 1_000;
}

async function median(args: readonly string[], home: string): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < RUNS; run += 1) times.push(await time(args, home));
  return times.sort((a, b) => a - b)[Math.floor(RUNS / 2)] ?? Number.NaN;
}

const home = await mkdtemp(join(tmpdir(), 'thoth-bench-'));
try {
  // Compiling tools is not what is measured; everything else starts from nothing.
  await symlink(join(PROJECT, '.thoth', 'tools'), join(home, 'tools'));
  const rows: [string, number, string][] = [
    ['--help', await median(['--help'], home), `median of ${RUNS}, goal 0.4 s`],
    ['tags v1.0.0', await median(['tags', 'v1.0.0'], home), `median of ${RUNS}, goal 0.4 s`],
    ['rehearse, from nothing', await time(['rehearse', 'v1.0.0'], home), 'goal 180 s'],
    ['rehearse, nothing changed', await time(['rehearse', 'v1.0.0'], home), 'goal 20 s'],
  ];
  const [processor] = cpus();
  console.log(`${cpus().length} x ${processor?.model ?? 'unknown'}, Node ${process.versions.node}\n`);
  for (const [what, seconds, note] of rows) {
    console.log(`${what.padEnd(26)} ${seconds.toFixed(2).padStart(7)} s   ${note}`);
  }
} finally {
  await rm(home, { recursive: true, force: true });
}
