import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { buildLayout } from '../../src/release/build/build.ts';
import { createBuildah } from '../../src/release/build/builder/buildah.ts';
import { readBases } from '../../src/release/build/dockerfile.ts';
import { nativeArchitecture, standInImages } from '../../src/release/build/standin.ts';
import { ReleaseError } from '../../src/release/errors.ts';
import { readRepository } from '../../src/release/history/git.ts';
import { type Layout, readLayout } from '../../src/release/image/layout.ts';
import { type Lock, takeLock } from '../../src/release/machine/lock.ts';
import { requireTool } from '../../src/release/machine/tools.ts';
import { startEmbedded } from '../../src/release/registry/embedded.ts';
import { createRegctl } from '../../src/release/registry/regctl.ts';
import { readSettings } from '../../src/release/settings.ts';
import { parseVersion } from '../../src/release/versions/version.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const HOME = join(ROOT, '.thoth');
const KEPT = join(HOME, 'kit-image');
/** What the image is made of and by: `.dockerignore` lets in no more. */
const SOURCES = [
  ...['Dockerfile', '.dockerignore', 'package.json', 'package-lock.json', 'src', 'docker-compose.yml'],
  ...['.env.example', 'scripts', 'deploy/compose', 'tools/standin', 'thoth-release.json'],
];

/**
 * The image of this tree for this machine, from the Dockerfile and on the stand-in base, as a rehearsal makes it.
 * It is built once, and kept in `.thoth` for as long as its sources are the same: only the commit that it names may be
 * an earlier one then.
 */
export async function serviceImage(): Promise<Layout> {
  const lock = await waitForLock();
  try {
    const output = join(KEPT, await sourcesKey());
    if (existsSync(output)) return await readLayout(output);
    await rm(KEPT, { recursive: true, force: true });
    return await build(output);
  } finally {
    await lock.release();
  }
}

async function build(output: string): Promise<Layout> {
  const architecture = nativeArchitecture();
  const settings = readSettings({ home: HOME, platforms: `linux/${architecture}` }, process.env, ROOT);
  const embedded = await startEmbedded(HOME);
  try {
    const registry = embedded.host;
    const regctl = createRegctl(await requireTool('regctl', HOME), { plainHttp: [registry] });
    const say = () => undefined;
    const architectures = [architecture];
    const parts = { project: ROOT, home: HOME, build: settings.build };
    const bases = await readBases(settings);
    const images = await standInImages(bases, { ...parts, architectures, registry, regctl, say });
    const builder = await createBuildah(await requireTool('buildah', HOME), HOME, regctl);
    const { head, time } = await readRepository(ROOT);
    const version = parseVersion('v1.0.0');
    const source = { revision: head, time };
    const staging = `${registry}/staging`;
    const request = { settings, version, source, base: { images, standIn: true }, staging, output };
    return await buildLayout(request, { builder, regctl }, { say });
  } finally {
    await embedded.stop();
  }
}

/** Changes with any file of the sources. */
async function sourcesKey(): Promise<string> {
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', ...SOURCES];
  const { stdout } = await execa('git', list, { cwd: ROOT });
  const paths = [...new Set(stdout.split('\0'))].filter((path) => path !== '').sort();
  const hash = createHash('sha256');
  for (const path of paths) {
    const content = await readFile(join(ROOT, path)).catch(() => Buffer.from('removed'));
    hash.update(`${path}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex').slice(0, 16);
}

/** Two test files that build at once would share buildah's storage. */
async function waitForLock(): Promise<Lock> {
  for (;;) {
    try {
      return await takeLock(HOME, 'kit-test-image');
    } catch (error) {
      if (!(error instanceof ReleaseError) || error.code !== 'LOCKED') throw error;
      await sleep(200);
    }
  }
}
