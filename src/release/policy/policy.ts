import { ReleaseError } from '../errors.ts';
import type { Layout } from '../image/layout.ts';
import { configRules } from './config-rules.ts';
import { fileRules } from './file-rules.ts';
import { readImageFiles } from './image-files.ts';
import { sameRules } from './same-rules.ts';
import type { Expected, Violation } from './violation.ts';

/**
 * Judges a layout by the image policy: what its config says, and what is in its layers.
 *
 * @throws ReleaseError LAYOUT_INVALID where a layer can't be read
 */
export async function judge(layout: Layout, expected: Expected): Promise<Violation[]> {
  const views = await readImageFiles(layout.dir, layout.platforms);
  return [
    ...platforms(layout, expected.platforms),
    ...[...views].flatMap(([image, files]) =>
      [...configRules(image, expected), ...fileRules(image, files, expected.policy)].map((found) => ({
        ...found,
        platform: image.platform,
      })),
    ),
    ...sameRules(layout, views),
  ];
}

/** @throws ReleaseError IMAGE_POLICY naming every violation */
export function assertKept(violations: readonly Violation[]): void {
  if (violations.length === 0) return;
  throw new ReleaseError(
    'IMAGE_POLICY',
    `The image breaks the image policy in ${violations.length} place(s).`,
    'Nothing was pushed. Mend the Dockerfile and build it again.',
    violations.map(describeViolation),
  );
}

/** `user: it runs as "root", and must as a numeric user other than root (linux/amd64)`. */
export function describeViolation({ rule, message, platform }: Violation): string {
  return `${rule}: ${message}${platform === undefined ? '' : ` (${platform})`}`;
}

function* platforms(layout: Layout, expected: readonly string[]): Generator<Violation> {
  const rule = 'platforms';
  const present = layout.platforms.map((image) => image.platform);
  for (const platform of expected) {
    if (!present.includes(platform)) yield { rule, message: `${platform} is missing from the image index` };
  }
  for (const platform of present) {
    if (!expected.includes(platform)) yield { rule, message: `${platform} is in the image index, unasked` };
  }
}
