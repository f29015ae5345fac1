import { access, constants, stat } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { ReleaseError } from '../errors.ts';

/** The programs a release calls, and how a person gets each. */
const HOW_TO_GET = {
  regctl: 'Run `make tools`: it is built from tools/regctl, pinned.',
  trivy: 'Run `make tools`: it is built from tools/trivy, pinned. The first build takes some minutes.',
  cosign: 'Run `make tools`: it is built from tools/cosign, pinned. The first build takes some minutes.',
  buildah: 'Run `make tools`, or `apt-get install buildah`.',
  docker: 'Install Docker (https://docs.docker.com/engine/install/).',
  'docker-registry': 'Run `make tools`, or `apt-get install docker-registry`.',
  mmdebstrap: 'Run `make tools`, or `apt-get install mmdebstrap`.',
  'qemu-aarch64-static': 'Run `make tools`, or `apt-get install qemu-user-static`.',
  'qemu-x86_64-static': 'Run `make tools`, or `apt-get install qemu-user-static`.',
  npm: 'Install Node.js with npm.',
  tar: 'Install tar.',
  setpriv: 'Install util-linux.',
} as const;

export type ToolName = keyof typeof HOW_TO_GET;

/**
 * Finds a program: the project's own pinned build in `HOME/tools/bin` first, then `PATH`.
 *
 * @param home the folder that holds everything this project makes, usually `.thoth`
 * @returns its absolute path, or `undefined`
 */
export async function findTool(name: ToolName, home: string, env = process.env): Promise<string | undefined> {
  for (const dir of [join(home, 'tools', 'bin'), ...(env.PATH ?? '').split(delimiter)]) {
    if (dir === '') continue;
    const path = resolve(dir, name);
    if (await isProgram(path)) return path;
  }
  return undefined;
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile(); // a folder may be "executed", too
  } catch {
    return false;
  }
}

/** Like {@link findTool}. @throws ReleaseError TOOL_MISSING with how to get it. */
export async function requireTool(name: ToolName, home: string, env = process.env): Promise<string> {
  const path = await findTool(name, home, env);
  if (path === undefined) {
    throw new ReleaseError('TOOL_MISSING', `The program "${name}" was not found.`, HOW_TO_GET[name]);
  }
  return path;
}
