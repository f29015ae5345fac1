import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { ReleaseError } from '../errors.ts';
import { readIfThere, writeWhole } from '../machine/file.ts';
import { together } from '../machine/together.ts';
import type { Registry } from '../registry/registry.ts';
import { BUNDLE_TYPE, type Claim, isBundleType, readBundle } from '../signing/statement.ts';
import { type Expected, expectedAttachments, expectedOnChart, type Planned } from './attachments.ts';
import { type Check, check } from './check.ts';
import type { Journal } from './journal.ts';
import type { Released } from './provenance.ts';

/** Says whose signature holds. */
export interface Verifier {
  /** Verifies a bundle on a digest. @returns what is wrong, or `undefined` */
  verify(bundle: string, about: { digest: string; type: string }): Promise<string | undefined>;
}

/** Signs, too. */
export interface Notary extends Verifier {
  /** Signs a statement's text. @returns the Sigstore bundle */
  sign(statement: string): Promise<string>;
}

/** A bundle as it is attached. */
interface Attached extends Claim {
  readonly text: string;
}

/**
 * Signs and attaches what a release lacks, and verifies all of it as the registry serves it. What is there and holds
 * is left alone, so that a run that was cut off goes on, and one that ended is not repeated.
 *
 * @param expected what must be there in the end
 * @param planned as it is signed where it is not there
 * @param options.kept folder for what was signed: signed once, it is not signed again
 * @returns the names of what was attached; none where all was there
 * @throws ReleaseError SIGN_KEY, SIGN_FAILED; VERIFY_FAILED where the registry does not serve what was attached
 */
export async function attestRelease(
  expected: readonly Expected[],
  planned: readonly Planned[],
  options: {
    registry: Registry;
    notary: Notary;
    journal: Journal;
    kept: string;
    say(line: string): void;
    signal?: AbortSignal | undefined;
  },
): Promise<string[]> {
  const { registry, notary, journal, kept, say } = options;
  const lacking = wrongOf(await examine(registry, expected, notary));
  if (lacking.length === 0) return [];
  const missing = planned.filter(({ name }) => lacking.some((one) => one.name === name));
  say('signing');
  await journal.step('sign', () => together(missing.map((one) => signOnce(one, notary, kept))));
  const attached = new Map<string, string[]>();
  for (const { name, subject, type } of missing) {
    options.signal?.throwIfAborted();
    say(`attaching ${name}`);
    const file = bundleFile(kept, name);
    const digest = await journal.step(`attach ${name}`, () =>
      registry.attach({ subject, file, type: BUNDLE_TYPE, annotations: annotationsOf(type) }),
    );
    attached.set(subject, [...(attached.get(subject) ?? []), digest]);
  }
  say('verifying signatures');
  const wrong = await journal.step('verify signatures', async () =>
    wrongOf(await examine(registry, expected, notary, attached)),
  );
  if (wrong.length > 0) throw notServed(registry, wrong);
  return missing.map(({ name }) => name);
}

/**
 * Looks at everything that must be attached to a release: that it is there, that a trusted signature on it holds, and
 * that it says the truth about the image. Others may attach what they like: one that holds is enough.
 */
export function examineRelease(registry: Registry, released: Released, verifier: Verifier): Promise<Check[]> {
  return examine(registry, expectedAttachments(released), verifier);
}

/** The same for the chart of a release. @param digest of the chart */
export function examineChart(registry: Registry, digest: string, verifier: Verifier): Promise<Check[]> {
  return examine(registry, expectedOnChart(digest), verifier);
}

/** @param attached what was just attached to each digest */
async function examine(
  registry: Registry,
  expected: readonly Expected[],
  verifier: Verifier,
  attached: ReadonlyMap<string, readonly string[]> = new Map(),
): Promise<Check[]> {
  const subjects = [...new Set(expected.map(({ subject }) => subject))];
  const bundles = new Map<string, readonly Attached[]>();
  await together(
    subjects.map(async (subject) => {
      bundles.set(subject, await bundlesOn(registry, subject, attached.get(subject)));
    }),
  );
  return together(expected.map((one) => examineOne(one, bundles.get(one.subject) ?? [], verifier)));
}

async function bundlesOn(
  registry: Registry,
  subject: string,
  expected: readonly string[] | undefined,
): Promise<Attached[]> {
  const bundles: Attached[] = [];
  for (const { digest, artifactType } of await registry.referrers(subject, expected)) {
    const text = isBundleType(artifactType) ? await registry.artifact(digest) : undefined;
    const claim = text === undefined ? undefined : readBundle(text);
    if (text !== undefined && claim !== undefined) bundles.push({ ...claim, text });
  }
  return bundles;
}

async function examineOne(
  { name, subject: digest, type, judge, tell }: Expected,
  bundles: readonly Attached[],
  verifier: Verifier,
): Promise<Check> {
  const reasons: string[] = [];
  for (const { text, statement } of bundles.filter((one) => one.statement.predicateType === type)) {
    const fault = (await verifier.verify(text, { digest, type })) ?? judge(statement);
    if (fault === undefined) return check(name, true, tell?.(statement) ?? 'holds');
    reasons.push(fault);
  }
  return check(name, false, reasons.length === 0 ? 'there is none' : [...new Set(reasons)].join('; '));
}

async function signOnce(planned: Planned, notary: Notary, kept: string): Promise<void> {
  const path = bundleFile(kept, planned.name);
  const earlier = (await readIfThere(path))?.toString() ?? '';
  const same = isDeepStrictEqual(readBundle(earlier)?.statement, JSON.parse(planned.statement));
  const about = { digest: planned.subject, type: planned.type };
  if (same && (await notary.verify(earlier, about)) === undefined) return;
  await writeWhole(path, await notary.sign(planned.statement));
}

/** `signature-of-linux-amd64.sigstore.json` */
function bundleFile(kept: string, name: string): string {
  const words = name.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return join(kept, `${words.join('-')}.sigstore.json`);
}

/** As cosign has them; without a time, so that what is attached again is the same to the byte. */
function annotationsOf(predicateType: string): Record<string, string> {
  return {
    'dev.sigstore.bundle.content': 'dsse-envelope',
    'dev.sigstore.bundle.predicateType': predicateType,
  };
}

function wrongOf(checks: readonly Check[]): Check[] {
  return checks.filter(({ ok }) => !ok);
}

function notServed(registry: Registry, wrong: readonly Check[]): ReleaseError {
  return new ReleaseError(
    'VERIFY_FAILED',
    `${registry.name} does not serve the signatures as they were attached, or somebody else made them.`,
    'No tag was moved to this release. Read the lines below, and run it again.',
    wrong.map(({ name, detail }) => `${name}: ${detail}`),
  );
}
