import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import ts from 'typescript';
import { type Chain, RecordingEngine } from './engine.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const SDK = join(ROOT, 'node_modules/@dagger.io/dagger/dist/src');

/**
 * What the SDK that an engine 0.21.8 generates for a module exports besides the API itself
 * (sdk/typescript/runtime/tsutils/module/index.ts of its source): fewer values than the npm package.
 */
const ENGINE_EXPORTS = [
  'connection',
  'connect',
  'Context',
  'func',
  'check',
  'generate',
  'argument',
  'object',
];

function readTsconfig(): { compilerOptions: Record<string, unknown> } {
  const file = join(ROOT, 'ci/tsconfig.json');
  const { config, error } = ts.readConfigFile(file, (path) => readFileSync(path, 'utf8'));
  if (error !== undefined) throw new Error(String(error.messageText));
  return config;
}

/** What a call ended with. */
export interface Outcome {
  readonly result?: unknown;
  readonly error?: { readonly message: string; readonly exitCode?: number };
}

/** ci/ as an engine would load it, run by the SDK's own code against a recording engine. */
export class LoadedModule {
  readonly engine = new RecordingEngine();
  #folder = '';
  #child: ChildProcess | undefined;
  #lines: AsyncIterator<string> | undefined;
  #reader: Interface | undefined;

  /** Lays the module out as the engine's runtime does: its sources, the generated SDK, the tsconfig. */
  async start(): Promise<void> {
    this.#folder = await mkdtemp(join(tmpdir(), 'thoth-module-'));
    const types = join(this.#folder, 'node_modules/@dagger.io/dagger');
    const sdk = join(this.#folder, 'sdk');
    await cp(join(ROOT, 'ci/src'), join(this.#folder, 'src'), { recursive: true });
    await mkdir(types, { recursive: true });
    await mkdir(sdk);
    // Types are read from source files only, as in the engine: the declarations under that name will do.
    await cp(join(SDK, 'api/client.gen.d.ts'), join(types, 'client.gen.ts'));
    const decorators = ['func', 'check', 'generate', 'argument', 'object'];
    await writeFile(
      join(types, 'index.ts'),
      [
        ...decorators.map((name) => `export declare function ${name}(options?: unknown): any;`),
        "export * from './client.gen.ts';",
      ].join('\n'),
    );
    await writeFile(
      join(sdk, 'index.ts'),
      [
        `export { ${ENGINE_EXPORTS.join(', ')} } from '${SDK}/index.js';`,
        `export * from '${SDK}/api/client.gen.js';`,
      ].join('\n'),
    );
    // The engine's own change to its copy of the tsconfig.
    const tsconfig = readTsconfig();
    tsconfig.compilerOptions.paths = { '@dagger.io/dagger': ['./sdk/index.ts'] };
    await writeFile(join(this.#folder, 'package.json'), '{"type":"module"}');
    await writeFile(join(this.#folder, 'tsconfig.json'), JSON.stringify(tsconfig));
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', join(import.meta.dirname, 'runtime.ts'), this.#folder],
      {
        cwd: ROOT,
        stdio: ['pipe', 'pipe', 'inherit'],
        env: {
          ...process.env,
          NODE_OPTIONS: '',
          TSX_TSCONFIG_PATH: join(this.#folder, 'tsconfig.json'),
          DAGGER_SESSION_PORT: String(await this.engine.start()),
          DAGGER_SESSION_TOKEN: 'none',
        },
      },
    );
    this.#child = child;
    this.#reader = createInterface({ input: child.stdout });
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  /** Registers the module. @returns the chain of calls that describes it to the engine */
  async register(): Promise<Chain> {
    await this.#ask({ args: {} });
    const chain = this.engine.identified.at(-1);
    if (chain === undefined) throw new Error('the module registered nothing');
    return chain;
  }

  /** Constructs the module with `options` and calls one function of it, as `dagger call` does. */
  async call(name: string, args: object = {}, options: object = {}): Promise<Outcome> {
    const constructed = await this.#ask({ name: '', args: options });
    if (constructed.error !== undefined) return constructed;
    return this.#ask({ name, parent: constructed.result, args });
  }

  async stop(): Promise<void> {
    this.#child?.stdin?.end();
    await new Promise((done) => this.#child?.once('exit', done) ?? done(undefined));
    this.#reader?.close();
    await this.engine.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #ask(call: object): Promise<Outcome> {
    this.engine.evaluated = [];
    this.#child?.stdin?.write(`${JSON.stringify(call)}\n`);
    const line = await this.#lines?.next();
    if (line === undefined || line.done === true) throw new Error('the module ended without an answer');
    return JSON.parse(line.value) as Outcome;
  }
}
