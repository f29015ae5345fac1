import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildLayout } from '../../src/release/build/build.ts';
import { createBuildah } from '../../src/release/build/builder/buildah.ts';
import { nativeArchitecture, standInImages } from '../../src/release/build/standin.ts';
import { ReleaseError } from '../../src/release/errors.ts';
import { readRepository } from '../../src/release/history/git.ts';
import type { Layout } from '../../src/release/image/layout.ts';
import { type Lock, takeLock } from '../../src/release/machine/lock.ts';
import { requireTool } from '../../src/release/machine/tools.ts';
import { startEmbedded } from '../../src/release/registry/embedded.ts';
import { createRegctl } from '../../src/release/registry/regctl.ts';
import { readSettings } from '../../src/release/settings.ts';
import { parseVersion } from '../../src/release/versions/version.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const HOME = join(ROOT, '.thoth');

/**
 * Builds the image of this tree for this machine into an OCI layout at `output`, from the Dockerfile and on the
 * stand-in base, as a rehearsal does. The base is kept in `.thoth`: without it, it takes half a minute more.
 */
export async function buildServiceImage(output: string): Promise<Layout> {
  const lock = await waitForLock();
  try {
    const architecture = nativeArchitecture();
    const settings = readSettings({ home: HOME, platforms: `linux/${architecture}` }, process.env, ROOT);
    const embedded = await startEmbedded(HOME);
    try {
      const registry = embedded.host;
      const regctl = createRegctl(await requireTool('regctl', HOME), { plainHttp: [registry] });
      const say = () => undefined;
      const architectures = [architecture];
      const base = await standInImages({ project: ROOT, home: HOME, architectures, registry, regctl, say });
      const builder = await createBuildah(await requireTool('buildah', HOME), HOME, regctl);
      const { head, time } = await readRepository(ROOT);
      const version = parseVersion('v1.0.0');
      const source = { revision: head, time };
      const staging = `${registry}/staging`;
      const request = { settings, version, source, base: { ...base, standIn: true }, staging, output };
      return await buildLayout(request, { builder, regctl }, { say });
    } finally {
      await embedded.stop();
    }
  } finally {
    await lock.release();
  }
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
