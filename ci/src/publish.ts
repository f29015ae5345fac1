import { randomUUID } from 'node:crypto';
import { type Container, type Directory, dag, type File } from '@dagger.io/dagger';
import {
  compareNotes,
  judgeLayout,
  notesFile,
  planRelease,
  publishRelease,
  releaseFolder,
  scanLayout,
  verifyRelease,
  writeChangelog,
  writeSboms,
} from './command.ts';
import { buildLayout, startPlatforms } from './image.ts';
import { announce, draft } from './page.ts';
import type { Pipeline } from './pipeline.ts';
import { type Access, assertCredentials, registryAccess, rehearsalRegistry, withAccess } from './registry.ts';
import { assertSigner, lacksSigner, withSigner } from './signer.ts';
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
  let box = uncached(await toolbox(pipeline, ['regctl', 'trivy', 'cosign']))
    .withDirectory(layout, built)
    .withFile(`${folder}/starts.json`, evidence);
  box = await run('policy', box, judgeLayout(layout));
  const keep = { output: `${folder}/scan`, allowUnchecked: rehearsal };
  box = await run('scan', box, scanLayout(layout, undefined, 'table', keep));
  box = await run('sbom', box, writeSboms(layout, `${folder}/sbom`));
  // Credentials only from here on: a scanner is shown none.
  box = withSigner(withAccess(box, access), pipeline);
  const engine = `dagger ${await dag.version()}`;
  return run('plan', box, planRelease(access.target, tag, engine, rehearsal));
}

/** Plans a release against the registry as it is now. @returns plan.json */
export async function plan(pipeline: Pipeline, tag: string): Promise<File> {
  assertSigner(pipeline);
  const prepared = await prepareRelease(pipeline, await registryAccess(pipeline), tag, false);
  return prepared.file(`${releaseFolder(tag)}/plan.json`);
}

/**
 * Publishes a release, reads it back from the registry, and tells of it.
 *
 * @returns what thoth-release printed: the tags moved, the checks of the verification, what became of the pages
 * @throws Error before anything is built, where credentials are missing or nobody signs
 */
export async function publish(pipeline: Pipeline, tag: string, dryRun: boolean): Promise<string> {
  assertCredentials(pipeline, dryRun);
  if (!dryRun) assertSigner(pipeline);
  const access = await registryAccess(pipeline);
  if (dryRun) return tryOut(pipeline, access, tag);
  const prepared = await prepareRelease(pipeline, access, tag, false);
  const noted = await run('notes', prepared, notesOf(access, tag));
  await draft(pipeline, noted, access.target, tag);
  const pushed = await push(noted, access, tag, false);
  const verified = await run('verify', pushed, verifyRelease(access.target, tag));
  const told = await announce(pipeline, verified, access.target, tag);
  return [await pushed.stdout(), await verified.stdout(), ...told].join('\n');
}

/** Plans a release and says what a publish would do, whoever would sign it. */
async function tryOut(pipeline: Pipeline, access: Access, tag: string): Promise<string> {
  const unsigned = lacksSigner(pipeline);
  const prepared = await prepareRelease(
    unsigned ? { ...pipeline, sign: 'none' } : pipeline,
    access,
    tag,
    false,
  );
  const printed = await (await push(prepared, access, tag, true)).stdout();
  return unsigned ? `${printed}\nNobody signs yet: a publish is refused until somebody does.` : printed;
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
    let box = await push(prepared, access, tag, false);
    box = await run('verify', box, verifyRelease(access.target, tag));
    box = await run('changelog', box, writeChangelog(tag, `${folder}/CHANGELOG.md`));
    box = await run('notes', box, notesOf(access, tag));
    return await box.directory(folder).sync();
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

const notesOf = (access: Access, tag: string) =>
  compareNotes(access.target, tag, `${releaseFolder(tag)}/layout`, notesFile(tag));

function push(prepared: Container, access: Access, tag: string, dryRun: boolean): Promise<Container> {
  const command = publishRelease(access.target, tag, dryRun);
  return run(dryRun ? 'publish --dry-run' : 'publish', prepared, command);
}
