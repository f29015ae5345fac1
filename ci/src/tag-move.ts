import { promoteRelease, rollBack, verifyRelease } from './command.ts';
import type { Pipeline } from './pipeline.ts';
import { type Access, registryAccess, withAccess, writeAccess } from './registry.ts';
import { withTrust } from './signer.ts';
import { run, toolbox, uncached } from './toolbox.ts';

/** Reads a release back from the registry. @returns the checks, a line each */
export async function verify(pipeline: Pipeline, tag: string): Promise<string> {
  const access = await registryAccess(pipeline);
  const box = withTrust(uncached(await toolbox(pipeline, ['regctl', 'cosign'])), pipeline);
  return (await run('verify', withAccess(box, access), verifyRelease(access.target, tag))).stdout();
}

/** Moves the range tags back to a released version. Nothing is built. @returns the moves */
export async function rollback(pipeline: Pipeline, to: string, dryRun: boolean): Promise<string> {
  const access = await writeAccess(pipeline, dryRun);
  return call('rollback', pipeline, access, rollBack(access.target, to, dryRun));
}

/** Points a channel at a released version. Nothing is built. @returns the moves */
export async function promote(
  pipeline: Pipeline,
  to: string,
  channel: string,
  dryRun: boolean,
): Promise<string> {
  const access = await writeAccess(pipeline, dryRun);
  return call('promote', pipeline, access, promoteRelease(access.target, to, channel, dryRun));
}

async function call(stage: string, pipeline: Pipeline, access: Access, command: string[]): Promise<string> {
  const box = withAccess(uncached(await toolbox(pipeline, ['regctl'])), access);
  return (await run(stage, box, command)).stdout();
}
