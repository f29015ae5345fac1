import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

/** A bundle of the service in a temporary directory. */
export interface Bundle {
  readonly directory: string;
  readonly file: string;
  /** What bundle.mjs printed. */
  readonly output: string;
  remove(): void;
}

/** Bundles the service, as the Dockerfile does, with `environment` for the build arguments. */
export async function makeBundle(
  environment: Readonly<Record<string, string>> = {},
  project = PROJECT,
): Promise<Bundle> {
  const directory = mkdtempSync(join(tmpdir(), 'thoth-bundle-'));
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(project, 'src/server/bundle.mjs'), directory],
    { env: { ...process.env, ...environment } },
  );
  const remove = () => rmSync(directory, { recursive: true, force: true });
  return { directory, file: join(directory, 'thoth'), output: stdout, remove };
}

/** A copy of the sources in another place, over the same packages. */
export function copyProject(): { readonly project: string; remove(): void } {
  const project = mkdtempSync(join(tmpdir(), 'thoth-copy-'));
  mkdirSync(join(project, 'src'));
  cpSync(join(PROJECT, 'src/server'), join(project, 'src/server'), { recursive: true });
  for (const file of ['package.json', 'docker-compose.yml']) cpSync(join(PROJECT, file), join(project, file));
  symlinkSync(join(PROJECT, 'node_modules'), join(project, 'node_modules'));
  return { project, remove: () => rmSync(project, { recursive: true, force: true }) };
}
