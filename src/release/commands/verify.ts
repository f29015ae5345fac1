import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { chooseBuilder } from '../build/builder/choose.ts';
import { ReleaseError } from '../errors.ts';
import { assertClean, readRepository } from '../history/git.ts';
import { sourceUrl } from '../history/source-url.ts';
import { consumerCommands } from '../publish/consumer.ts';
import { findPlan, releaseFolder } from '../publish/folder.ts';
import type { Plan } from '../publish/plan.ts';
import { buildCommit } from '../publish/prepare.ts';
import { builderOf } from '../publish/provenance.ts';
import { openEmbedded, openTarget, type Target } from '../publish/target.ts';
import {
  assertVerified,
  describeVerification,
  type Verification,
  verifyRelease,
  withRebuild,
} from '../publish/verify.ts';
import type { Registry } from '../registry/registry.ts';
import { chartOf, type Settings } from '../settings.ts';
import { chooseTrust, type Trust } from '../signing/signing.ts';
import { parseVersion, type Version } from '../versions/version.ts';
import type { CommandModule, Context } from './context.ts';
import { openVerifier } from './notary.ts';

const Flags = z.object({ tag: z.string(), rebuild: z.boolean().default(false) });

/** `verify --tag VERSION`: reads a release back from the registry and checks it. */
export const verify: CommandModule = {
  async run(context, _, flags) {
    const { settings, progress, print, signal } = context;
    const { tag, rebuild } = Flags.parse(flags);
    const version = parseVersion(tag);
    const scratch = join(settings.home, 'scratch');
    await mkdir(scratch, { recursive: true });
    const target = await openTarget(settings, version, signal);
    try {
      const plan = (await findPlan(releaseFolder(settings.home, version).plan))?.plan;
      // A plan for another registry says nothing about this one.
      const comparable =
        plan?.action === 'publish' && (plan.registry === target.host || (plan.rehearsal && target.rehearsal));
      const known = comparable ? plan : undefined;
      const { signed, commands } = await openSignatures(context, target, version, known);
      const read = await progress.stage('verify', () =>
        verifyRelease(target.registry, version, {
          platforms: settings.platforms,
          policy: settings.policy,
          scratch,
          plan: known,
          signed,
          chart: chartTarget(settings, target, known),
        }),
      );
      const verification = rebuild ? await rebuilt(context, target, version, read) : read;
      const place = target.rehearsal ? '(the embedded registry of rehearsals)\n' : '';
      const others = commands(verification);
      const how = others.length === 0 ? '' : `\nAnybody can do so with cosign:\n  ${others.join('\n  ')}\n`;
      print(`${place}${describeVerification(verification)}${how}`, {
        ...verification,
        embedded: target.rehearsal,
        commands: others,
      });
      assertVerified(verification);
    } finally {
      await target.close();
    }
  },
};

/** Where the chart of a release is; `undefined` where neither its plan nor the project says that it has one. */
export function chartTarget(
  settings: Settings,
  target: Target,
  plan: Plan | undefined,
): Registry | undefined {
  const place = plan === undefined ? chartOf(settings)?.repository : plan.chart?.repository;
  return place === undefined ? undefined : target.repositoryAt(place);
}

/**
 * Whose signatures count on a release, and how somebody else verifies it by cosign alone.
 *
 * @param plan this machine's, where it made the release: a rehearsal is signed by a key of its own
 */
export async function openSignatures(
  context: Pick<Context, 'settings' | 'secrets' | 'signal'>,
  target: Target,
  version: Version,
  plan: Plan | undefined,
) {
  const { settings } = context;
  const text = await readFile(join(settings.project, 'package.json'), 'utf8').catch(() => undefined);
  const about = {
    rehearsal: target.rehearsal || plan?.rehearsal === true,
    source: settings.source ?? sourceUrl(text, undefined),
    tag: version.tag,
  };
  const trust = chooseTrust(settings, about);
  const verifier = await openVerifier(context, trust);
  const registry = [
    ...(target.plain ? ['--allow-http-registry'] : []),
    ...(settings.registryCa === undefined ? [] : ['--registry-cacert', settings.registryCa]),
  ];
  return {
    signed: verifier === undefined ? undefined : { verifier, builder: expectedBuilder(settings, trust) },
    commands: ({ index, platforms, chart }: Pick<Verification, 'index' | 'platforms' | 'chart'>) =>
      verifier === undefined
        ? []
        : consumerCommands({
            ...{ name: target.registry.name, index, platforms, chart },
            ...{ trust: verifier.trust, registry },
          }),
  };
}

/** Who must have built a release: who signs by a workflow's identity has built it in that workflow. */
function expectedBuilder(settings: Settings, trust: Trust): string | undefined {
  if (trust.by === 'rehearsal') return builderOf(settings);
  return settings.builderId ?? (trust.by === 'identity' ? trust.identity : undefined);
}

/**
 * Builds the released commit again from nothing and compares the digests.
 *
 * @throws ReleaseError USAGE where another commit is checked out
 */
async function rebuilt(
  context: Context,
  target: Target,
  version: Version,
  read: Verification,
): Promise<Verification> {
  const { settings, progress, signal } = context;
  const repository = await readRepository(settings.project);
  assertClean(repository);
  if (repository.head !== read.revision) {
    throw new ReleaseError(
      'USAGE',
      `${version.tag} was built from ${read.revision ?? 'a commit it does not name'}, and ${repository.head} is checked out.`,
      `Check it out first: git checkout ${read.revision ?? version.tag}`,
    );
  }
  const embedded = target.rehearsal ? target : await openEmbedded(settings, signal);
  const dir = join(settings.home, 'scratch', `rebuild-${version.tag}`);
  try {
    const { regctl, host } = embedded;
    const builder = await chooseBuilder(settings, regctl, signal);
    const bench = { builder, regctl, host, progress, signal };
    const { layout } = await buildCommit(settings, version, repository, bench, { dir, noCache: true });
    return withRebuild(read, layout.index.digest, builder.name);
  } finally {
    await rm(dir, { recursive: true, force: true });
    if (embedded !== target) await embedded.close();
  }
}
