import { chmod, copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import type { Machine } from './machine.ts';

/** An image made of this machine's programs, in place of one that can not be pulled here. */
export interface StandIn {
  /** Programs of this machine, by their paths in the image. What they link to comes with them. */
  readonly programs: Readonly<Record<string, string>>;
  /** Programs of the image that have the right to ports below 1024 as a file capability. */
  readonly privileged?: readonly string[];
  /** Folders of the image, and whose they are: `uid:gid`. */
  readonly folders?: Readonly<Record<string, string>>;
  /** Lines as in a Dockerfile: ENTRYPOINT, USER, ENV. */
  readonly config: readonly string[];
}

/** Makes the image on a machine's daemon. @returns its name, for the setting that users with a mirror have */
export async function importStandIn(machine: Machine, name: string, standIn: StandIn): Promise<string> {
  const root = await mkdtemp(join(machine.dir, 'image-'));
  const archive = `${root}.tar`;
  try {
    await chmod(root, 0o755);
    for (const [path, program] of Object.entries(standIn.programs)) {
      await put(program, join(root, path));
      for (const library of await librariesOf(program)) await put(library, join(root, library));
    }
    for (const path of standIn.privileged ?? [])
      await execa('setcap', ['cap_net_bind_service=+ep', join(root, path)]);
    for (const [path, owner] of Object.entries(standIn.folders ?? {})) {
      await mkdir(join(root, path), { recursive: true });
      await execa('chown', [owner, join(root, path)]);
    }
    const attributes = ['--xattrs', '--xattrs-include=security.capability'];
    await execa('tar', [...attributes, '--numeric-owner', '-C', root, '-cf', archive, '.']);
    const changes = standIn.config.flatMap((line) => ['--change', line]);
    await machine.docker('import', ...changes, archive, name);
    return name;
  } finally {
    await rm(root, { recursive: true, force: true });
    await rm(archive, { force: true });
  }
}

async function put(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await copyFile(from, to);
}

/** The files that the loader adds to a program: none where it is linked statically. */
async function librariesOf(program: string): Promise<string[]> {
  const { stdout } = await execa('ldd', [program], { reject: false });
  return [...stdout.matchAll(/(?:=>\s*|^\s*)(\/\S+) \(0x/gm)].map(([, path = '']) => path);
}

/** Where this machine has a program. @throws where it has none */
export async function programOf(name: string): Promise<string> {
  return (await execa('which', [name])).stdout;
}
