/**
 * The engine's side of a module call: the SDK's own code reads ci/src, registers it or calls a function of
 * it. Runs as a child process, as in the engine, with `TSX_TSCONFIG_PATH` set to the module's tsconfig.
 *
 * Standard input: the module's folder and the calls, as JSON. Standard output: one JSON line a call.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const SDK = new URL('../../node_modules/@dagger.io/dagger/dist/src/', import.meta.url);

interface Call {
  readonly parent: Readonly<Record<string, unknown>> | undefined;
  /** Empty for the constructor; `undefined` registers the module. */
  readonly name?: string;
  readonly args: Readonly<Record<string, unknown>>;
}

interface Sdk {
  connection(work: () => Promise<void>): Promise<void>;
  scan(files: string[], name: string, load: boolean): Promise<unknown>;
  load(files: string[]): Promise<unknown[]>;
  Register: new (module: unknown) => { run(): Promise<string> };
  Executor: new (modules: unknown[], module: unknown) => unknown;
  invoke(executor: unknown, module: unknown, call: object): Promise<unknown>;
}

async function loadSdk(): Promise<Sdk> {
  const parts = [
    'connect',
    'module/introspector/index',
    'module/entrypoint/load',
    'module/entrypoint/register',
  ];
  const more = ['module/executor', 'module/entrypoint/invoke'];
  const modules = await Promise.all(
    [...parts, ...more].map((part) => import(new URL(`${part}.js`, SDK).href)),
  );
  return Object.assign({}, ...modules) as Sdk;
}

const folder = process.argv[2] ?? '';
const sources = readdirSync(join(folder, 'src')).map((name) => join(folder, 'src', name));
const sdk = await loadSdk();

await sdk.connection(async () => {
  const types = join(folder, 'node_modules/@dagger.io/dagger/client.gen.ts');
  const module = await sdk.scan([...sources, types], 'thoth', false);
  const executor = new sdk.Executor(
    await sdk.load(sources.map((source) => pathToFileURL(source).href)),
    module,
  );
  for await (const line of createInterface({ input: process.stdin })) {
    const call = JSON.parse(line) as Call;
    const outcome = await perform(call).then(
      (result) => ({ result }),
      (error: unknown) => ({ error: { ...(error as object), message: (error as Error).message } }),
    );
    process.stdout.write(`${JSON.stringify(outcome)}\n`);
  }

  async function perform(call: Call): Promise<unknown> {
    if (call.name === undefined) return new sdk.Register(module).run();
    return sdk.invoke(executor, module, {
      parentName: 'Thoth',
      fnName: call.name,
      parentArgs: call.parent ?? {},
      fnArgs: call.args,
    });
  }
});
process.exit(0);
