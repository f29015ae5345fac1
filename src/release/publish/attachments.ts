import { z } from 'zod';
import { ReleaseError } from '../errors.ts';
import { sha256 } from '../image/digest.ts';
import { readIfThere } from '../machine/file.ts';
import { SBOM_FORMS, type SbomForm, sbomFiles } from '../scan/sbom.ts';
import { PREDICATE, type Statement, statementOn } from '../signing/statement.ts';
import type { Plan } from './plan.ts';
import { describeProvenance, judgeProvenance, provenanceOf, type Released } from './provenance.ts';

/** One thing that must be attached to a released image. */
export interface Expected {
  readonly name: string;
  /** Digest of what it is attached to. */
  readonly subject: string;
  readonly type: string;
  /** What is wrong with what it says, once its signature holds. */
  judge(statement: Statement): string | undefined;
  /** The point of what it says, for people. */
  tell?(statement: Statement): string;
}

/** One thing that is to be signed and attached, with what it says. */
export interface Planned {
  readonly name: string;
  readonly subject: string;
  readonly type: string;
  /** As it is signed, to the byte. */
  readonly statement: string;
}

const PROVENANCE = 'provenance';
/** As it is called in checks. */
export const CHART = 'the chart';
const FORM_NAMES = { cyclonedx: 'CycloneDX', spdx: 'SPDX' } as const;

/** Where an SBOM says which image it is of. */
const SbomName = {
  cyclonedx: z
    .object({
      bomFormat: z.literal('CycloneDX'),
      metadata: z.object({ component: z.object({ name: z.string() }) }),
    })
    .transform(({ metadata }) => metadata.component.name),
  spdx: z.object({ spdxVersion: z.string(), name: z.string() }).transform(({ name }) => name),
} as const;

/** Everything that must be attached to a release, and what it must say. */
export function expectedAttachments(released: Released): Expected[] {
  const signatures = partsOf(released).map(expectedSignature);
  const provenance = {
    name: PROVENANCE,
    subject: released.index,
    type: PREDICATE.provenance,
    judge: (statement: Statement) => judgeProvenance(statement, released),
    tell: describeProvenance,
  };
  const sboms = released.platforms.flatMap(({ platform, digest }) =>
    SBOM_FORMS.map((form) => ({
      name: sbomName(platform, form),
      subject: digest,
      type: PREDICATE[form],
      judge: (statement: Statement) => judgeSbom(statement, form, digest),
    })),
  );
  return [...signatures, provenance, ...sboms];
}

/** The same for the chart of a release, which has its signature alone: it names the image by its digest. */
export function expectedOnChart(digest: string): Expected[] {
  return [expectedSignature({ name: CHART, digest })];
}

/**
 * Everything that is attached to a release, in the order it is attached: SBOMs and provenance first, so that what is
 * signed has them.
 *
 * @param sboms the folder that holds them
 * @throws ReleaseError PLAN_INVALID where an SBOM is missing, or is not the one that was planned
 */
export async function plannedAttachments(plan: Plan, sboms: string): Promise<Planned[]> {
  const made = madeOf(plan);
  const planned: Planned[] = [];
  for (const { platform, digest } of made.platforms) {
    const hashes = made.sboms.find((sbom) => sbom.platform === platform);
    const files = sbomFiles(sboms, platform);
    for (const form of SBOM_FORMS) {
      const sbom = await readSbom(files[form], hashes?.[form]);
      planned.push(plannedOn(sbomName(platform, form), digest, statementOn([digest], PREDICATE[form], sbom)));
    }
  }
  planned.push(plannedOn(PROVENANCE, plan.index, provenanceOf(plan, made)));
  return [...planned, ...partsOf({ index: plan.index, platforms: made.platforms }).map(plannedSignature)];
}

/** What is attached to the chart of a release. */
export function plannedOnChart(digest: string): Planned[] {
  return [plannedSignature({ name: CHART, digest })];
}

/** What the image of a plan says of itself. */
export function releasedBy(plan: Plan): Released {
  const { platforms, source, build } = madeOf(plan);
  const { version, index } = plan;
  return { version, index, platforms, revision: source.revision, builder: build.builder };
}

/** Only a publish attests, and its plan says how the image was made. */
function madeOf(plan: Plan): NonNullable<Plan['made']> {
  if (plan.made === undefined) throw new Error(`a ${plan.action} attests nothing`);
  return plan.made;
}

/** Something that is signed, by the name it has in checks. */
interface Part {
  readonly name: string;
  readonly digest: string;
}

function partsOf({ index, platforms }: Pick<Released, 'index' | 'platforms'>): Part[] {
  return [
    { name: 'the index', digest: index },
    ...platforms.map(({ platform, digest }) => ({ name: platform, digest })),
  ];
}

function expectedSignature({ name, digest }: Part): Expected {
  return { name: signatureName(name), subject: digest, type: PREDICATE.signature, judge: () => undefined };
}

function plannedSignature({ name, digest }: Part): Planned {
  return plannedOn(signatureName(name), digest, statementOn([digest], PREDICATE.signature, {}));
}

function signatureName(part: string): string {
  return `signature of ${part}`;
}

function sbomName(platform: string, form: SbomForm): string {
  return `SBOM of ${platform} (${FORM_NAMES[form]})`;
}

function plannedOn(name: string, subject: string, statement: Statement): Planned {
  return { name, subject, type: statement.predicateType, statement: JSON.stringify(statement) };
}

function judgeSbom(statement: Statement, form: SbomForm, digest: string): string | undefined {
  const name = SbomName[form].safeParse(statement.predicate).data;
  if (name === undefined) return 'it has not the form of an SBOM';
  return name.endsWith(`@${digest}`) ? undefined : `it is of ${name}`;
}

async function readSbom(path: string, planned: string | undefined): Promise<unknown> {
  const text = (await readIfThere(path))?.toString();
  if (text === undefined) throw otherSbom(path, 'is missing');
  if (sha256(text) !== planned) throw otherSbom(path, 'is not the one that was planned');
  return JSON.parse(text);
}

function otherSbom(path: string, why: string): ReleaseError {
  return new ReleaseError(
    'PLAN_INVALID',
    `The SBOM ${path} ${why}.`,
    'Nothing was pushed. Make the SBOMs again and plan the release with them.',
  );
}
