import { randomUUID } from 'node:crypto';
import type { Container, Directory, File } from '@dagger.io/dagger';
import {
  judgeLayout,
  planRelease,
  publishRelease,
  releaseFolder,
  scanLayout,
  verifyRelease,
  writeChangelog,
  writeNotes,
  writeSboms,
} from './command.ts';
import { SEVERITY } from './gate.ts';
import { buildLayout, startPlatforms } from './image.ts';
import type { Pipeline } from './pipeline.ts';
import { type Access, registryAccess, rehearsalRegistry, withAccess, writeAccess } from './registry.ts';
import { run, toolbox, uncached } from './toolbox.ts';

/**
 * Builds, starts, judges and scans every platform, and plans the release.
 *
 * @param rehearsal whether it may go on where vulnerability data is missing; a real release may not
 * @returns a container with everything in the release's folder, where thoth-release looks for it; plan.json last
 */
export async function prepareRelease(
  pipeline: Pipeline,
  access: Access,
  tag: string,
  rehearsal: boolean,
): Promise<Container> {
  const folder = releaseFolder(tag);
  const layout = `${folder}/layout`;
  const built = await buildLayout(pipeline, tag);
  const evidence = await startPlatforms(pipeline, built);
  let box = uncached(toolbox(pipeline, ['regctl', 'trivy']))
    .withDirectory(layout, built)
    .withFile(`${folder}/starts.json`, evidence);
  box = await run('policy', box, judgeLayout(layout));
  const keep = { output: `${folder}/scan`, allowUnchecked: rehearsal };
  box = await run('scan', box, scanLayout(layout, SEVERITY, 'table', keep));
  box = await run('sbom', box, writeSboms(layout, `${folder}/sbom`));
  // Credentials only from here on: a scanner is shown none.
  box = withAccess(box, access);
  return run('plan', box, planRelease(access.target, tag, rehearsal));
}

/** Plans a release against the registry as it is now. @returns plan.json */
export async function plan(pipeline: Pipeline, tag: string): Promise<File> {
  const prepared = await prepareRelease(pipeline, await registryAccess(pipeline), tag, false);
  return prepared.file(`${releaseFolder(tag)}/plan.json`);
}

/**
 * Publishes a release and reads it back from the registry.
 *
 * @returns what thoth-release printed: the tags moved, then the checks of the verification
 * @throws Error before anything is built, where credentials are missing
 */
export async function publish(pipeline: Pipeline, tag: string, dryRun: boolean): Promise<string> {
  const access = await writeAccess(pipeline, dryRun);
  const prepared = await prepareRelease(pipeline, access, tag, false);
  const { box, printed } = await push(prepared, access, tag, dryRun);
  if (dryRun) return printed;
  const verified = await run('verify', box, verifyRelease(access.target, tag));
  return `${printed}\n${await verified.stdout()}`;
}

/**
 * Does all that a publish does, into a registry that lives as long as the rehearsal.
 *
 * @returns the release's folder, with notes.md and CHANGELOG.md
 */
export async function rehearse(pipeline: Pipeline, tag: string): Promise<Directory> {
  const own = pipeline.registryService === undefined;
  const service = pipeline.registryService ?? rehearsalRegistry(pipeline, randomUUID());
  const folder = releaseFolder(tag);
  // Held up for the whole rehearsal: the engine stops a service that nobody uses, and its data is gone.
  if (own) await service.start();
  try {
    const access = await registryAccess({
      ...pipeline,
      ...credentialsFor(pipeline, own),
      registryService: service,
    });
    const prepared = await prepareRelease(pipeline, access, tag, true);
    let { box } = await push(prepared, access, tag, false);
    box = await run('verify', box, verifyRelease(access.target, tag));
    box = await run('changelog', box, writeChangelog(tag, `${folder}/CHANGELOG.md`));
    box = await run('notes', box, writeNotes(tag, `${folder}/layout`));
    return await box
      .withNewFile(`${folder}/notes.md`, await box.stdout())
      .directory(folder)
      .sync();
  } finally {
    // A registry that can not be stopped goes with the session; it must not hide why the rehearsal failed.
    if (own) await service.stop().catch(() => undefined);
  }
}

/** The rehearsal's own registry asks for no login, and must not be shown the real one's. */
function credentialsFor(pipeline: Pipeline, own: boolean): Pick<Pipeline, 'registryUser' | 'registryToken'> {
  if (own) return { registryUser: undefined, registryToken: undefined };
  return { registryUser: pipeline.registryUser, registryToken: pipeline.registryToken };
}

async function push(
  prepared: Container,
  access: Access,
  tag: string,
  dryRun: boolean,
): Promise<{ box: Container; printed: string }> {
  const command = publishRelease(access.target, tag, dryRun);
  const box = await run(dryRun ? 'publish --dry-run' : 'publish', prepared, command);
  return { box, printed: await box.stdout() };
}
