import { z } from 'zod';
import type { Settings } from '../settings.ts';
import { hexOf, PREDICATE, type Statement, statementOn, subjectsOf } from '../signing/statement.ts';
import type { Plan } from './plan.ts';

const GUIDE = 'https://github.com/marcopancotti/thoth/blob/main/docs/RELEASING.md';
/** How a release is made, for who reads the provenance: docs/RELEASING.md describes every parameter. */
export const BUILD_TYPE = `${GUIDE}#build-type-v1`;
/** A machine that nobody vouches for: whoever holds the key is to be trusted, and nothing besides. */
const LOCAL_BUILDER = `${GUIDE}#local-builder`;

/** SLSA v1.0, provenance: ResourceDescriptor (one of uri, digest and content must be there). */
const Resource = z.object({
  name: z.string().optional(),
  uri: z.string().optional(),
  digest: z.record(z.string(), z.string()).optional(),
});
type Resource = z.infer<typeof Resource>;

/** SLSA v1.0, provenance: the predicate, with the parameters of BUILD_TYPE. */
const Provenance = z.object({
  buildDefinition: z.object({
    buildType: z.literal(BUILD_TYPE),
    externalParameters: z.object({
      version: z.string(),
      repository: z.string(),
      platforms: z.array(z.string()),
      dockerfile: z.string(),
    }),
    internalParameters: z.object({ sourceDateEpoch: z.int(), rehearsal: z.boolean(), standIn: z.boolean() }),
    resolvedDependencies: z.array(Resource),
  }),
  runDetails: z.object({
    /** `version` has the programs that took part. */
    builder: z.object({ id: z.string(), version: z.record(z.string(), z.string()) }),
    metadata: z.object({
      invocationId: z.string().optional(),
      startedOn: z.iso.datetime().optional(),
      finishedOn: z.iso.datetime().optional(),
    }),
  }),
});
type Provenance = z.infer<typeof Provenance>;

/** Who builds here: as it is set, else the GitHub workflow that this is a part of. */
export function builderOf({ builderId, workflow }: Pick<Settings, 'builderId' | 'workflow'>): string {
  return builderId ?? workflow?.identity ?? LOCAL_BUILDER;
}

/**
 * The provenance of a release (SLSA v1.0), all of it out of the plan.
 *
 * @returns one statement on the index and on every platform
 */
export function provenanceOf(plan: Plan, made: NonNullable<Plan['made']>): Statement {
  const { build } = made;
  const repository = `${plan.registry}/${plan.repository}`;
  const predicate: Provenance = {
    buildDefinition: {
      buildType: BUILD_TYPE,
      externalParameters: {
        version: plan.version,
        repository,
        platforms: made.platforms.map(({ platform }) => platform),
        dockerfile: build.dockerfile,
      },
      internalParameters: {
        sourceDateEpoch: made.source.time,
        rehearsal: plan.rehearsal,
        standIn: made.base?.standIn ?? false,
      },
      resolvedDependencies: dependenciesOf(made),
    },
    runDetails: {
      builder: { id: build.builder, version: made.tools },
      metadata: { invocationId: build.invocation, startedOn: build.startedOn, finishedOn: build.finishedOn },
    },
  };
  const digests = [plan.index, ...made.platforms.map(({ digest }) => digest)];
  return statementOn(digests, PREDICATE.provenance, predicate, repository);
}

/** What a released image says of itself, and who must have built it. */
export interface Released {
  /** With its `v`. */
  readonly version: string;
  readonly index: string;
  readonly platforms: readonly { platform: string; digest: string }[];
  /** The commit, as the image's label has it. */
  readonly revision: string | null;
  /** `undefined` where nobody said who must be the builder. */
  readonly builder: string | undefined;
}

/**
 * Compares a provenance, whose signature holds, with the image that it is attached to.
 *
 * @returns what is wrong, or `undefined`
 */
export function judgeProvenance(statement: Statement, released: Released): string | undefined {
  const parsed = Provenance.safeParse(statement.predicate);
  if (!parsed.success) return 'it is not the provenance of a release by thoth-release';
  const { buildDefinition, runDetails } = parsed.data;
  const digests = [released.index, ...released.platforms.map(({ digest }) => digest)];
  const subjects = subjectsOf(statement);
  const missing = digests.filter((digest) => !subjects.includes(digest));
  if (missing.length > 0) return `it is not about ${missing.join(', ')}`;
  const { version } = buildDefinition.externalParameters;
  if (version !== released.version) return `it is of ${version}`;
  const commit = commitOf(buildDefinition.resolvedDependencies);
  if (commit !== released.revision)
    return `it is of commit ${commit}, and the image's label says ${released.revision}`;
  const { id } = runDetails.builder;
  if (released.builder !== undefined && id !== released.builder)
    return `its builder is ${id}, and not ${released.builder}`;
  return undefined;
}

/** What a provenance that was judged says, in one line. */
export function describeProvenance(statement: Statement): string {
  const { buildDefinition, runDetails } = Provenance.parse(statement.predicate);
  return `commit ${commitOf(buildDefinition.resolvedDependencies)}, built by ${runDetails.builder.id}`;
}

/** What the image came of: the commit, the base images, and the lock file, which has a checksum for each package. */
function dependenciesOf({ source, base, build }: NonNullable<Plan['made']>): Resource[] {
  const git = source.url === undefined ? undefined : `git+${source.url}@${source.revision}`;
  const { lockfile } = build;
  const bases = Object.entries(base?.images ?? {}).map(([name, image]) => imageResource(name, image));
  return [
    { name: 'source', uri: git, digest: commitDigest(source.revision) },
    ...bases,
    ...(lockfile === undefined ? [] : [{ name: lockfile.name, digest: { sha256: lockfile.sha256 } }]),
  ];
}

/** In-toto attestation framework, DigestSet: `gitCommit`, and `sha1` for who knows that alone. */
function commitDigest(revision: string): Record<string, string> {
  return revision.length === 40 ? { gitCommit: revision, sha1: revision } : { gitCommit: revision };
}

function commitOf(dependencies: readonly Resource[]): string | null {
  return dependencies.find(({ name }) => name === 'source')?.digest?.gitCommit ?? null;
}

/** @param reference as the build had it: `docker.io/library/node:24@sha256:…` */
function imageResource(name: string, reference: string): Resource {
  const [image = '', digest] = reference.split('@');
  const [, path = image, tag] = /^(.+?)(?::([^/:]+))?$/.exec(image) ?? [];
  const last = path.slice(path.lastIndexOf('/') + 1);
  // package-url specification, type "oci"
  const query = new URLSearchParams({ repository_url: path, ...(tag === undefined ? {} : { tag }) });
  return {
    name,
    uri: `pkg:oci/${last}${digest === undefined ? '' : `@${digest}`}?${query}`,
    ...(digest === undefined ? {} : { digest: { sha256: hexOf(digest) } }),
  };
}
