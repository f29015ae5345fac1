import { rm } from 'node:fs/promises';
import { ReleaseError } from '../errors.ts';
import { digestOf } from '../image/digest.ts';
import type { Layout } from '../image/layout.ts';
import { REVISION_ANNOTATION } from '../image/oci.ts';
import { each, together } from '../machine/together.ts';
import { judge } from '../policy/policy.ts';
import type { Expected } from '../policy/violation.ts';
import type { Registry } from '../registry/registry.ts';
import { tagsFor } from '../versions/tags.ts';
import { type Version, versionOrNone } from '../versions/version.ts';
import { examineRelease, type Verifier } from './attest.ts';
import { verifyChart } from './chart-release.ts';
import { type Check, check } from './check.ts';
import type { Plan } from './plan.ts';
import { download } from './publish.ts';
import { versionAt } from './rollback.ts';

/** What the registry alone says about a release. */
export interface Verification {
  readonly version: string;
  readonly registry: string;
  readonly index: string;
  /** The commit it says it was built from. */
  readonly revision: string | null;
  readonly platforms: readonly { platform: string; digest: string; size: number }[];
  /** Each tag of the version's ranges, and what it points to. */
  readonly tags: readonly { tag: string; digest: string | null }[];
  readonly checks: readonly Check[];
  /** Its Helm chart by digest: `docker.io/marcopancotti/thoth-chart@sha256:…`. */
  readonly chart?: string;
  /** Whether signatures, provenance and SBOMs are among the checks. */
  readonly signed: boolean;
}

/**
 * Reads a release back from the registry and checks it: every byte against its digest, platforms, labels, signatures,
 * attestations, and the range tags. What a plan of this machine says is compared too, where there is one.
 *
 * @param options.signed whose signatures count, and who must be the builder; without it none is looked at
 * @param options.chart the repository of its Helm chart; without it none is looked at
 * @param options.scratch folder for the download, which is removed
 * @throws ReleaseError VERIFY_FAILED where there is no such release, or what is served is not what its digest
 *   says; other faults are in `checks`
 */
export async function verifyRelease(
  registry: Registry,
  version: Version,
  options: Pick<Expected, 'platforms' | 'policy'> & {
    scratch: string;
    plan?: Plan | undefined;
    signed?: { verifier: Verifier; builder: string | undefined } | undefined;
    chart?: Registry | undefined;
  },
): Promise<Verification> {
  const index = await registry.digestOf(version.tag);
  if (index === undefined) {
    throw new ReleaseError(
      'VERIFY_FAILED',
      `${registry.name} holds no ${version.tag}.`,
      'Check the version and the registry; `thoth-release publish` releases it.',
    );
  }
  const served = digestOf(await registry.manifest(version.tag));
  const layout = await download(registry, index, options.scratch);
  const { signed } = options;
  try {
    const revision = layout.annotations[REVISION_ANNOTATION] ?? null;
    const platforms = layout.platforms.map(({ platform, digest, size }) => ({ platform, digest, size }));
    const [attached, ranges, image, chart] = await together([
      signed === undefined
        ? []
        : examineRelease(
            registry,
            { version: version.tag, index, platforms, revision, builder: signed.builder },
            signed.verifier,
          ),
      rangesOf(registry, version, index),
      imageChecks(layout, { ...options, version }),
      options.chart === undefined
        ? undefined
        : verifyChart(options.chart, version, {
            ...{ index, scratch: options.scratch, verifier: signed?.verifier },
            planned: options.plan?.chart?.move.to,
          }),
    ]);
    return {
      version: version.tag,
      registry: registry.name,
      index,
      revision,
      platforms,
      tags: [{ tag: version.tag, digest: index }, ...ranges.map(({ tag, digest }) => ({ tag, digest }))],
      checks: [
        check('index', served === index, `${version.tag} serves ${served}`),
        check('bytes', true, 'every blob hashes to its digest'),
        ...image,
        ...attached,
        ...ranges.map(({ tag, ok, detail }) => check(`tag ${tag}`, ok, detail)),
        ...(options.plan === undefined ? [] : [planCheck(options.plan, index)]),
        ...(chart?.checks ?? []),
      ],
      ...(chart?.name === undefined ? {} : { chart: chart.name }),
      signed: signed !== undefined,
    };
  } finally {
    await rm(layout.dir, { recursive: true, force: true });
  }
}

/** The verification with one check more: whether a build of the same commit gave the same digest. */
export function withRebuild(verification: Verification, rebuilt: string, builder: string): Verification {
  const same = rebuilt === verification.index;
  const detail = same
    ? `${builder} gives the same digest`
    : `${builder} gives ${rebuilt}; another engine or other base images give other digests`;
  return { ...verification, checks: [...verification.checks, check('rebuild', same, detail)] };
}

/** @throws ReleaseError VERIFY_FAILED naming each check that failed */
export function assertVerified(verification: Verification): void {
  const wrong = verification.checks.filter((one) => !one.ok);
  if (wrong.length === 0) return;
  throw new ReleaseError(
    'VERIFY_FAILED',
    `${verification.version} in ${verification.registry} is not as it was released.`,
    'Compare it with the plan of the release. Do not install it until you know why.',
    wrong.map((one) => `${one.name}: ${one.detail}`),
  );
}

/** A verification for people: a line a check. */
export function describeVerification(verification: Verification): string {
  const lines = verification.checks.map(
    (one) => `  ${one.ok ? 'ok    ' : 'WRONG '} ${one.name}: ${one.detail}`,
  );
  if (!verification.signed) lines.push('  --     signatures: NOT CHECKED, as THOTH_SIGN=none asks for');
  return [`${verification.version} in ${verification.registry} is ${verification.index}`, ...lines, ''].join(
    '\n',
  );
}

async function imageChecks(layout: Layout, expected: Expected): Promise<Check[]> {
  const violations = await judge(layout, expected);
  const missing = violations.filter((found) => found.rule === 'platforms');
  const others = violations.filter((found) => found.rule !== 'platforms');
  const there = layout.platforms.map((image) => image.platform).join(', ');
  return [
    check('platforms', missing.length === 0, there),
    check(
      'image policy',
      others.length === 0,
      others.map((found) => found.message).join('; ') ||
        'labels, user, health check, size and files are as they must be',
    ),
  ];
}

/** A range tag is right at this release, and at another one that it was rolled back to; never at nothing. */
async function rangesOf(registry: Registry, version: Version, index: string) {
  const released = (await registry.tags()).map(versionOrNone).filter((one) => one !== undefined);
  return each(tagsFor(version, released).slice(1), async (tag) => {
    const digest = (await registry.digestOf(tag)) ?? null;
    if (digest === index) return { tag, digest, ok: true, detail: 'points to it' };
    const other = await versionAt(registry, tag);
    const detail = digest === null ? 'is absent' : `points to ${other?.tag ?? digest}`;
    return { tag, digest, ok: other !== undefined, detail };
  });
}

function planCheck(plan: Plan, index: string): Check {
  return check('plan', plan.index === index, `the plan of this machine says ${plan.index}`);
}
