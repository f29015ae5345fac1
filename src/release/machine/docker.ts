import { ReleaseError } from '../errors.ts';
import { run } from './command.ts';
import { findTool, requireTool } from './tools.ts';

/** Longer than a healthy daemon needs; a remote one that is gone must not hold a release up. */
const ANSWER_WITHIN_MS = 10_000;

/** A Docker daemon that answers: the local one, or the one that DOCKER_HOST or docker's context names. */
export interface Docker {
  /** Path of the `docker` command. */
  readonly program: string;
  /** The daemon's. */
  readonly version: string;
}

/** Looks for a daemon. @returns `undefined` where there is no docker command or nothing answers it */
export async function findDocker(home: string, signal?: AbortSignal): Promise<Docker | undefined> {
  const program = await findTool('docker', home);
  if (program === undefined) return undefined;
  const args = ['version', '--format', '{{.Server.Version}}'];
  const { exitCode, stdout } = await run(program, args, { signal, timeout: ANSWER_WITHIN_MS });
  return exitCode === 0 ? { program, version: stdout.trim() } : undefined;
}

/** Like {@link findDocker}. @throws ReleaseError TOOL_MISSING where there is no command, or no daemon */
export async function requireDocker(home: string, signal?: AbortSignal): Promise<Docker> {
  await requireTool('docker', home);
  const docker = await findDocker(home, signal);
  if (docker === undefined) {
    throw new ReleaseError(
      'TOOL_MISSING',
      'No Docker daemon answers.',
      'Start Docker, or give yourself the right to use it; `docker version` says what is wrong.',
    );
  }
  return docker;
}
