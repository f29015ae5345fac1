import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import type { NpmFiles, StandIn } from '../config/config.ts';
import { ReleaseError } from '../errors.ts';
import { type WrittenLayer, writeImage, writeIndexes, writeLayer } from '../image/image-writer.ts';
import { type CommandOptions, type CommandResult, runOk, tail } from '../machine/command.ts';
import { readIfThere } from '../machine/file.ts';
import { together } from '../machine/together.ts';
import { requireTool } from '../machine/tools.ts';
import type { Regctl } from '../registry/regctl.ts';
import type { Settings } from '../settings.ts';
import type { Base } from './dockerfile.ts';

/** The script is text in a bundle, which is one file and stands alone (bundle.mjs). */
declare const STANDIN_ROOTFS: string | undefined;
const ROOTFS = new URL('rootfs.sh', import.meta.url);

/** Debian packages that any image wants. */
const PACKAGES = ['base-files', 'libc6', 'ca-certificates', 'tzdata', 'netbase'];
const ENVIRONMENT = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  SSL_CERT_FILE: '/etc/ssl/certs/ca-certificates.crt',
};
const REPRODUCIBLE_TAR = [
  ...['--sort=name', '--mtime=@0', '--mode=go-w', '--owner=0', '--group=0', '--numeric-owner'],
];

const LockFile = z.object({
  packages: z.record(
    z.string(),
    z.object({ version: z.string().optional(), integrity: z.string().optional() }),
  ),
});
/** What `npm pack --json` prints. */
const Packed = z.array(z.object({ filename: z.string(), integrity: z.string() })).length(1);

export interface StandInOptions extends Pick<Settings, 'project' | 'home' | 'build'> {
  /** Architectures of the release. */
  readonly architectures: readonly string[];
  /** `host:port` of the embedded registry, which keeps the result for later runs. */
  readonly registry: string;
  readonly regctl: Regctl;
  readonly say: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** One image to be made: what it is made of, and for which architectures. */
interface Recipe extends StandIn {
  readonly repository: string;
  readonly key: string;
  readonly architectures: readonly string[];
}

/**
 * Assembles base images where the real ones can't be reached: Debian packages, and programs that npm distributes, as
 * the project's file describes them. A rehearsal only: a release that people install is never made on it.
 *
 * Nothing is run in them and no build engine takes part: they are layers, put together by regctl.
 *
 * @param bases the base images to make, each with a description in `build.standIns`
 * @returns references by digest, by ARG
 * @throws ReleaseError BASE_IMAGE; TOOL_MISSING
 */
export async function standInImages(
  bases: readonly Base[],
  options: StandInOptions,
): Promise<Record<string, string>> {
  const recipes = await readRecipes(bases, options);
  const known = async ({ repository, key }: Recipe) => {
    const { exitCode, stdout } = await options.regctl(['image', 'digest', `${repository}:${key}`]);
    return exitCode === 0 ? `${repository}@${stdout.trim()}` : undefined;
  };
  const images: Record<string, string> = {};
  const missing = new Map<string, Recipe>();
  for (const [argument, recipe] of recipes) {
    const image = await known(recipe);
    if (image === undefined) missing.set(argument, recipe);
    else images[argument] = image;
  }
  if (missing.size > 0) await assemble([...missing.values()], options);
  for (const [argument, recipe] of missing) {
    const image = await known(recipe);
    if (image === undefined) throw failed(['the registry does not hold what was just pushed']);
    images[argument] = image;
  }
  return images;
}

async function readRecipes(bases: readonly Base[], options: StandInOptions): Promise<Map<string, Recipe>> {
  const { project, build, registry } = options;
  const lock = (await readIfThere(join(project, build.standInLock))) ?? '';
  const script = await rootfsScript();
  const recipes = new Map<string, Recipe>();
  for (const { argument, native, released } of bases) {
    const described = build.standIns[argument];
    if (described === undefined) continue;
    const own = native ? [nativeArchitecture()] : [];
    const architectures = [...new Set([...own, ...(released ? options.architectures : [])])];
    for (const { package: names } of described.npm)
      for (const architecture of architectures) nameFor(names, architecture); // before the work, not after it
    // All that shapes the image: a change of any makes a new one.
    const shape = [
      described,
      PACKAGES,
      ENVIRONMENT,
      architectures,
      suite(),
      described.npm.length > 0 ? String(lock) : '',
    ];
    const key = createHash('sha256').update(JSON.stringify(shape)).update(script).digest('hex').slice(0, 16);
    recipes.set(argument, {
      ...described,
      architectures,
      key,
      repository: `${registry}/standin/${argument.toLowerCase()}`,
    });
  }
  return recipes;
}

async function assemble(recipes: readonly Recipe[], options: StandInOptions): Promise<void> {
  const work = join(options.home, 'standin');
  await rm(work, { recursive: true, force: true });
  try {
    await mkdir(work, { recursive: true });
    const bench = new Bench(work, options);
    await writeFile(bench.script, await rootfsScript());
    const made = await together(
      recipes.map((recipe) =>
        together(recipe.architectures.map((architecture) => bench.image(recipe, architecture))),
      ),
    );
    const images = Object.fromEntries(recipes.map(({ key }, n) => [key, made[n] ?? []]));
    await writeIndexes(bench.layout, images);
    for (const { key, repository } of recipes) {
      const result = await options.regctl([
        'image',
        'copy',
        `ocidir://${bench.layout}:${key}`,
        `${repository}:${key}`,
      ]);
      if (result.exitCode !== 0) throw failed(tail(result));
    }
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Makes the layers of stand-ins; one that several images share is made once. */
class Bench {
  readonly layout: string;
  readonly script: string;
  readonly #work: string;
  readonly #options: StandInOptions;
  readonly #layers = new Map<string, Promise<WrittenLayer>>();

  constructor(work: string, options: StandInOptions) {
    this.layout = join(work, 'layout');
    this.script = join(work, 'rootfs.sh');
    this.#work = work;
    this.#options = options;
  }

  async image({ debian, npm, links, env }: Recipe, architecture: string) {
    const packages = [...PACKAGES, ...debian];
    const layers = await together([
      this.#layer(`debian-${architecture}`, packages, (out) => this.#debian(out, architecture, packages)),
      ...npm.map((files) => {
        const name = nameFor(files.package, architecture);
        return this.#layer(name.replaceAll(/[@/]/g, '-'), files, (out) => this.#npm(out, name, files));
      }),
      ...(Object.keys(links).length === 0
        ? []
        : [this.#layer('links', links, (out) => this.#links(out, links))]),
    ]);
    const config = {
      Env: Object.entries({ ...ENVIRONMENT, ...env }).map(([name, value]) => `${name}=${value}`),
    };
    return writeImage(this.layout, { architecture, config, layers });
  }

  /** @param make writes `out`, a tar file; it is called once for the same name and contents */
  #layer(name: string, contents: unknown, make: (out: string) => Promise<void>): Promise<WrittenLayer> {
    const key = `${name}-${createHash('sha256').update(JSON.stringify(contents)).digest('hex').slice(0, 8)}`;
    const made = this.#layers.get(key) ?? this.#write(join(this.#work, `${key}.tar`), make);
    this.#layers.set(key, made);
    return made;
  }

  async #write(out: string, make: (out: string) => Promise<void>): Promise<WrittenLayer> {
    await make(out);
    this.#options.say(`compressing ${basename(out)}`);
    return writeLayer(this.layout, out, `stand-in: ${basename(out)}`);
  }

  async #debian(out: string, architecture: string, packages: readonly string[]): Promise<void> {
    await requireTool('mmdebstrap', this.#options.home);
    this.#options.say(`unpacking Debian packages for ${architecture}`);
    await this.#run('sh', [this.script, architecture, out, ...packages]);
  }

  /** Fetches a package by npm, from its cache where it is there, and checks it against the lock file. */
  async #npm(out: string, name: string, { into, files = [] }: NpmFiles): Promise<void> {
    const { project, home, build, say } = this.#options;
    const text = await readFile(join(project, build.standInLock), 'utf8');
    const { version, integrity } = LockFile.parse(JSON.parse(text)).packages[`node_modules/${name}`] ?? {};
    say(`fetching ${name} ${version}`);
    const pack = [
      'pack',
      `${name}@${version}`,
      '--json',
      '--pack-destination',
      this.#work,
      '--loglevel=error',
    ];
    const { stdout } = await this.#run(await requireTool('npm', home), pack);
    const [packed] = Packed.parse(JSON.parse(stdout));
    if (packed === undefined || packed.integrity !== integrity)
      throw failed([`${name} ${version} is not what ${build.standInLock} pins`]);
    // npm packs everything under `package/`.
    const members = files.map((file) => `package/${file}`);
    const archive = join(this.#work, packed.filename);
    await this.#pack(out, async (folder) => {
      const target = join(folder, into);
      await mkdir(target, { recursive: true });
      await this.#tar(['-xzf', archive, '-C', target, '--strip-components=1', ...members]);
    });
  }

  async #links(out: string, links: Readonly<Record<string, string>>): Promise<void> {
    await this.#pack(out, async (folder) => {
      for (const [path, target] of Object.entries(links)) {
        await mkdir(dirname(join(folder, path)), { recursive: true });
        await symlink(target, join(folder, path));
      }
    });
  }

  /** Writes `out` from a folder beside it that `fill` makes. */
  async #pack(out: string, fill: (folder: string) => Promise<void>): Promise<void> {
    const folder = join(dirname(out), `${basename(out, '.tar')}.d`);
    await fill(folder);
    await this.#tar([...REPRODUCIBLE_TAR, '-C', folder, '-cf', out, '.']);
  }

  async #tar(args: readonly string[]): Promise<void> {
    await this.#run(await requireTool('tar', this.#options.home), args);
  }

  #run(program: string, args: readonly string[]): Promise<CommandResult> {
    const { signal }: CommandOptions = this.#options;
    return runOk(program, args, { signal }, (result) => failed(tail(result)));
  }
}

/** The package of an architecture. @throws ReleaseError BASE_IMAGE where there is none */
function nameFor(names: NpmFiles['package'], architecture: string): string {
  const name = typeof names === 'string' ? names : names[architecture];
  if (name === undefined) throw failed([`there is no stand-in for ${architecture}`]);
  return name;
}

async function rootfsScript(): Promise<string> {
  return typeof STANDIN_ROOTFS === 'string' ? STANDIN_ROOTFS : readFile(ROOTFS, 'utf8');
}

/** Read by the script, too. */
function suite(): string {
  return process.env.THOTH_DEBIAN_SUITE ?? '';
}

/** The machine's architecture by the name Debian, Docker and OCI share. */
export function nativeArchitecture(): string {
  return process.arch === 'x64' ? 'amd64' : process.arch;
}

function failed(details: string[]): ReleaseError {
  return new ReleaseError(
    'BASE_IMAGE',
    'The base image can not be reached, and its stand-in could not be assembled.',
    'Check the network, or name a base image you can reach with --base-images.',
    details,
  );
}
