import { z } from 'zod';
import { ReleaseError } from '../errors.ts';
import { digestOf } from '../image/digest.ts';

/** What a release on GitHub is to be. */
export interface WantedRelease {
  /** `v1.2.3`; the git tag, which GitHub must have. */
  readonly tag: string;
  /** The commit it was built from. */
  readonly commit: string;
  /** Markdown, at most {@link NOTES_LIMIT} characters. */
  readonly notes: string;
  readonly prerelease: boolean;
  /** Whether GitHub is to call it the latest. */
  readonly latest: boolean;
  readonly files: readonly ReleaseFile[];
}

export interface ReleaseFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** The record of one run: a later run's is another, and does not take the place of the one that was published. */
  readonly record?: boolean;
}

/** GitHub's own limit for a release's text: it answers 422 to one that is longer. */
export const NOTES_LIMIT = 125_000;
const SUMS = 'SHA256SUMS';

export const Asset = z.object({
  id: z.int(),
  name: z.string(),
  /** `starter` is left of an upload that was cut off. */
  state: z.string(),
  size: z.int(),
  /** `sha256:...`; an older GitHub Enterprise Server has none. */
  digest: z.string().nullish(),
});
export type Asset = z.infer<typeof Asset>;

export const Release = z.object({
  id: z.int(),
  tag_name: z.string(),
  name: z.string().nullish(),
  body: z.string().nullish(),
  draft: z.boolean(),
  prerelease: z.boolean(),
  html_url: z.string(),
  upload_url: z.string(),
});
export type Release = z.infer<typeof Release>;
/** A release as GitHub has it, with its files. */
export type FoundRelease = Release & { readonly assets: readonly Asset[] };

/** One thing to do, in the order they are done. */
export type Step =
  | { readonly kind: 'create' }
  | { readonly kind: 'edit' }
  | { readonly kind: 'remove'; readonly asset: Asset }
  | { readonly kind: 'upload'; readonly file: ReleaseFile }
  | { readonly kind: 'publish' };

/**
 * What is left to do; nothing where all is as wanted.
 *
 * A draft is made as wanted. What is published stays: its text, which people may have edited, unless `replaceNotes`;
 * its files, of which only missing ones are added. A file that is there with other bytes is no file of this release.
 *
 * @param options.publish makes it public, once it is whole
 * @throws ReleaseError GITHUB_ASSET naming each such file
 */
export function stepsTo(
  wanted: WantedRelease,
  found: FoundRelease | undefined,
  options: { publish: boolean; replaceNotes: boolean },
): Step[] {
  const open = found === undefined || found.draft;
  const there = new Map((found?.assets ?? []).map((asset) => [asset.name, asset]));
  const kept = open
    ? []
    : wanted.files.filter(({ name, record }) => record === true && isWhole(there.get(name)));
  const files = wanted.files.filter((file) => !kept.includes(file));
  const sums = sumsOf([
    ...files.map((file) => [file.name, digestOf(file.bytes)] as const),
    ...kept.map((file) => [file.name, there.get(file.name)?.digest ?? digestOf(file.bytes)] as const),
  ]);
  const changed = [...files, sums].filter((file) => !isSame(file, there.get(file.name)));
  const other = changed.filter((file) => isWhole(there.get(file.name)));
  if (!open && other.length > 0) throw otherBytes(wanted.tag, other);
  const edit = found !== undefined && (open || options.replaceNotes) && differs(wanted, found);
  return [
    ...(found === undefined ? [{ kind: 'create' } as const] : []),
    ...(edit ? [{ kind: 'edit' } as const] : []),
    ...changed.flatMap((file): Step[] => {
      const asset = there.get(file.name);
      return [...(asset === undefined ? [] : [{ kind: 'remove', asset } as const]), { kind: 'upload', file }];
    }),
    ...(open && options.publish ? [{ kind: 'publish' } as const] : []),
  ];
}

/** A step for people. */
export function describeStep(step: Step): string {
  if (step.kind === 'remove') return `removed ${step.asset.name}`;
  if (step.kind === 'upload') return `added ${step.file.name}`;
  return { create: 'made a draft', edit: 'changed its text', publish: 'published it' }[step.kind];
}

function differs(wanted: WantedRelease, found: FoundRelease): boolean {
  // GitHub's editor writes line ends of its own.
  const settled = (text: string) => text.replaceAll('\r\n', '\n').trimEnd();
  return (
    settled(found.body ?? '') !== settled(wanted.notes) ||
    found.name !== wanted.tag ||
    found.prerelease !== wanted.prerelease
  );
}

function isWhole(asset: Asset | undefined): boolean {
  return asset?.state === 'uploaded';
}

/** Whether a file is on GitHub as a whole, byte for byte as far as GitHub tells. */
export function isSame(file: ReleaseFile, asset: Asset | undefined): boolean {
  if (asset === undefined || !isWhole(asset) || asset.size !== file.bytes.length) return false;
  return asset.digest == null || asset.digest === digestOf(file.bytes);
}

/** As `sha256sum --check` reads it. */
function sumsOf(digests: readonly (readonly [string, string])[]): ReleaseFile {
  const sorted = [...digests].sort(([a], [b]) => (a < b ? -1 : 1));
  const lines = sorted.map(([name, digest]) => `${digest.slice('sha256:'.length)}  ${name}\n`);
  return { name: SUMS, bytes: Buffer.from(lines.join('')) };
}

function otherBytes(tag: string, files: readonly ReleaseFile[]): ReleaseError {
  return new ReleaseError(
    'GITHUB_ASSET',
    `The release ${tag} on GitHub is published, and holds other bytes than this one.`,
    'What is published never changes. Find out who put them there; if they are wrong, delete them and run it again.',
    files.map((file) => `${file.name}: this release has ${digestOf(file.bytes)}`),
  );
}
