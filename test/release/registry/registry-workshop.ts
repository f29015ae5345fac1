import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { execa } from 'execa';
import { z } from 'zod';
import { type Layout, readLayout } from '../../../src/release/image/layout.ts';
import { formatPlan } from '../../../src/release/publish/plan.ts';
import type { Registry } from '../../../src/release/registry/registry.ts';
import { HOST_NODE } from '../host-node.ts';
import { type LayoutOptions, writeLayout } from '../image/layout-fixture.ts';
import { planFor, type SignedBy } from '../publish/release-fixture.ts';
import { USER } from './registry-server.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
export const HOME = join(ROOT, '.thoth');
const PATH = [join(HOME, 'tools/bin'), process.env.PATH].join(delimiter);
const REPOSITORY = 'thoth/release';

const Failed = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    remedy: z.string(),
    details: z.array(z.string()).default([]),
  }),
});
export type Failed = z.infer<typeof Failed>['error'];

/** What a run of thoth-release came to. */
export interface Outcome {
  readonly exitCode: number | undefined;
  readonly result: unknown;
  readonly error: Failed | undefined;
  /** All of it, for a test that fails and for what must not be in it. */
  readonly printed: string;
}

/** A folder with a layout of v1.0.0, and thoth-release as users run it. */
export class Workshop {
  readonly dir: string;
  readonly layout: Layout;
  readonly #program: string;

  private constructor(dir: string, layout: Layout, program: string) {
    this.dir = dir;
    this.layout = layout;
    this.#program = program;
  }

  static async open(options: LayoutOptions = {}): Promise<Workshop> {
    const dir = await mkdtemp(join(tmpdir(), 'thoth-registry-'));
    const layout = join(dir, 'layout');
    await writeLayout(layout, { layers: [{ 'app/version': '1.0.0\n'.repeat(4_000) }], ...options });
    const program = join(dir, 'thoth-release.mjs');
    // Bundled, it starts in a third of the time.
    await execa(HOST_NODE, [join(ROOT, 'src/release/bundle.mjs'), program]);
    return new Workshop(dir, await readLayout(layout), program);
  }

  close(): Promise<void> {
    return rm(this.dir, { recursive: true, force: true });
  }

  folder(name: string): Promise<string> {
    return mkdtemp(join(this.dir, `${name}-`));
  }

  /**
   * Runs thoth-release, in a home of its own where `env` names none.
   *
   * @param within a command line that runs it in turn
   */
  async release(
    args: readonly string[],
    env: Readonly<Record<string, string>>,
    within: readonly string[] = [],
  ): Promise<Outcome> {
    const [file = HOST_NODE, ...rest] = [...within, HOST_NODE, this.#program, ...args, '--json'];
    const { exitCode, stdout, stderr } = await execa(file, rest, {
      cwd: this.dir,
      reject: false,
      stdin: 'ignore',
      extendEnv: false,
      env: { PATH, HOME: this.dir, THOTH_REPOSITORY: REPOSITORY, ...env },
    });
    const last = stderr.trim().split('\n').at(-1) ?? '';
    return {
      exitCode,
      result: exitCode === 0 ? JSON.parse(stdout) : undefined,
      error: exitCode === 0 ? undefined : Failed.safeParse(jsonOrNone(last)).data?.error,
      printed: stdout + stderr,
    };
  }

  /**
   * Publishes v1.0.0 to `host`.
   *
   * @param plan path of the plan; one that says nothing was released yet where none is named
   */
  async publish(
    host: string,
    env: Readonly<Record<string, string>>,
    plan?: string,
    within?: readonly string[],
  ): Promise<Outcome> {
    const path = plan ?? (await this.plan(host));
    const args = ['publish', '--tag', 'v1.0.0', '--plan', path, '--layout', this.layout.dir];
    const own = { THOTH_HOME: await this.folder('home'), THOTH_REGISTRY: host };
    return this.release(args, { ...own, ...env }, within);
  }

  /** Writes the plan of v1.0.0, of which nothing is released yet, into a folder of its own. @returns its path */
  async plan(host: string, repository = REPOSITORY, signed?: SignedBy): Promise<string> {
    const path = join(await this.folder('plan'), 'plan.json');
    const plan = await planFor(emptyAt(`${host}/${repository}`), 'v1.0.0', this.layout, signed);
    await writeFile(path, formatPlan(plan));
    return path;
  }

  /** A folder for DOCKER_CONFIG. @param config the text of its config.json, or a password for `host` */
  async login(host: string, config: string | { password: string }): Promise<string> {
    const dir = await this.folder('docker');
    const text = typeof config === 'string' ? config : loginFor(host, config.password);
    await writeFile(join(dir, 'config.json'), text);
    return dir;
  }
}

/** Every file below a folder, as one text: to look for what must not be there. */
export async function everythingIn(dir: string): Promise<string> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const texts = await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name), 'utf8')));
  return texts.join('\n');
}

/** How a password is sent, and how Docker keeps it. */
export function encoded(password: string): string {
  return Buffer.from(`${USER}:${password}`).toString('base64');
}

function loginFor(host: string, password: string): string {
  return JSON.stringify({ auths: { [host]: { auth: encoded(password) } } });
}

function jsonOrNone(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A repository in which nothing was released yet, as a plan sees it. */
function emptyAt(name: string): Registry {
  const fail = () => Promise.reject(new Error('a plan does not do this'));
  return {
    name,
    tags: async () => [],
    digestOf: async () => undefined,
    ...{ manifest: fail, push: fail, tag: fail, download: fail, removeTag: fail },
    ...{ referrers: fail, artifact: fail, attach: fail },
  };
}
