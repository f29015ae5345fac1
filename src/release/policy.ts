import { ReleaseError } from './errors.ts';
import type { Layout, PlatformImage } from './layout.ts';
import type { Version } from './version.ts';

/** What an image must say about itself (OCI image spec, annotations). */
const REQUIRED_LABELS = [
  'title',
  'description',
  'url',
  'source',
  'version',
  'created',
  'revision',
  'licenses',
].map((name) => `org.opencontainers.image.${name}`);
/** The plan's own limit: 500 MB, unpacked or not; ours is on what people download. */
const SIZE_LIMIT_BYTES = 500_000_000;
const SECRET_NAME = /(?:_KEY|_TOKEN|_SECRET|PASSWORD)$/i;
const SECOND_NS = 1_000_000_000;

/** One thing an image must be, and is not. `platform` is missing where it is about all of them. */
export interface Violation {
  readonly rule: string;
  readonly platform?: string;
  readonly message: string;
}

/** Judges a layout by the image policy. Pure: everything it needs was read with the layout. */
export function judge(
  layout: Layout,
  expected: { platforms: readonly string[]; version?: Version },
): Violation[] {
  return [
    ...missingPlatforms(layout, expected.platforms),
    ...layout.platforms.flatMap((image) =>
      judgePlatform(image, expected.version).map((found) => ({ ...found, platform: image.platform })),
    ),
    ...differences(layout.platforms),
  ];
}

/** @throws ReleaseError IMAGE_POLICY naming every violation */
export function assertPolicy(
  layout: Layout,
  expected: { platforms: readonly string[]; version?: Version },
): void {
  const violations = judge(layout, expected);
  if (violations.length === 0) return;
  throw new ReleaseError(
    'IMAGE_POLICY',
    `The image breaks ${violations.length} rule(s) of the image policy.`,
    'Nothing was pushed. Mend the Dockerfile and build it again.',
    violations.map(
      (found) =>
        `${found.rule}: ${found.message}${found.platform === undefined ? '' : ` (${found.platform})`}`,
    ),
  );
}

function missingPlatforms(layout: Layout, expected: readonly string[]): Violation[] {
  const present = new Set(layout.platforms.map((image) => image.platform));
  return expected
    .filter((platform) => !present.has(platform))
    .map((platform) => ({ rule: 'platforms', message: `${platform} is missing from the image index` }));
}

function judgePlatform(image: PlatformImage, version: Version | undefined): Violation[] {
  const { User, Healthcheck, Labels, Env, Entrypoint } = image.config.config;
  const violations: Violation[] = [];
  const rule = (name: string, broken: boolean, message: string) => {
    if (broken) violations.push({ rule: name, message });
  };
  const [uid = ''] = (User ?? '').split(':');
  rule(
    'user',
    !/^[1-9][0-9]*$/.test(uid),
    `it runs as "${User ?? 'root'}", and must as a numeric user other than root`,
  );
  rule(
    'healthcheck',
    Healthcheck?.Test?.[0] !== 'CMD',
    'it has no HEALTHCHECK in exec form, and a shell is not always there',
  );
  rule(
    'healthcheck',
    (Healthcheck?.Interval ?? 30 * SECOND_NS) !== 30 * SECOND_NS,
    'its HEALTHCHECK interval is not 30 s',
  );
  rule(
    'healthcheck',
    (Healthcheck?.Timeout ?? 3 * SECOND_NS) !== 3 * SECOND_NS,
    'its HEALTHCHECK timeout is not 3 s',
  );
  rule(
    'entrypoint',
    Entrypoint?.length === undefined || /(^|\/)(ba|da|a)?sh$/.test(Entrypoint[0] ?? 'sh'),
    'its ENTRYPOINT is missing or a shell, which would not pass signals on',
  );
  rule(
    'size',
    image.size > SIZE_LIMIT_BYTES,
    `it is ${megabytes(image.size)} MB, over ${megabytes(SIZE_LIMIT_BYTES)} MB; its largest layers are ${largestLayers(image)}`,
  );
  for (const label of REQUIRED_LABELS) rule('labels', !Labels?.[label], `the label ${label} is missing`);
  for (const label of REQUIRED_LABELS)
    rule(
      'annotations',
      image.annotations[label] !== Labels?.[label],
      `the annotation ${label} differs from the label`,
    );
  if (version !== undefined) {
    const said = Labels?.['org.opencontainers.image.version'] ?? '';
    rule(
      'labels',
      said !== version.version,
      `its version label says "${said}", and the release is ${version.version}`,
    );
  }
  for (const variable of Env ?? []) {
    const [name = '', value = ''] = variable.split('=', 2);
    rule(
      'secrets',
      SECRET_NAME.test(name) && value !== '',
      `the environment variable ${name} has a value in the image`,
    );
  }
  return violations;
}

/** Platforms may differ in architecture and in nothing else a user can see. */
function differences(platforms: readonly PlatformImage[]): Violation[] {
  const [first, ...others] = platforms;
  if (first === undefined) return [];
  const seen = (image: PlatformImage) => image.config.config as Record<string, unknown>;
  return others.flatMap((other) =>
    [...new Set([...Object.keys(seen(first)), ...Object.keys(seen(other))])]
      .filter((key) => JSON.stringify(seen(first)[key]) !== JSON.stringify(seen(other)[key]))
      .map((key) => ({
        rule: 'same',
        platform: other.platform,
        message: `its ${key} differs from that of ${first.platform}`,
      })),
  );
}

function largestLayers(image: PlatformImage): string {
  return [...image.layers]
    .sort((a, b) => b.size - a.size)
    .slice(0, 3)
    .map((layer) => `${layer.digest.slice(0, 19)} ${megabytes(layer.size)} MB`)
    .join(', ');
}

/** Decimal megabytes with one digit, as Docker Hub shows sizes. */
export function megabytes(bytes: number): string {
  return (bytes / 1_000_000).toFixed(1);
}
