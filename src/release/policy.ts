import { isDeepStrictEqual } from 'node:util';
import { ReleaseError } from './errors.ts';
import type { Layout, PlatformImage } from './layout.ts';
import type { Version } from './version.ts';

const PREFIX = 'org.opencontainers.image.';
/** What an image must say about itself (OCI image spec, annotations). */
const REQUIRED_LABELS = 'title description url source version created revision licenses'
  .split(' ')
  .map((name) => `${PREFIX}${name}`);
/** The plan's limit, taken as what people download. */
const SIZE_LIMIT_BYTES = 500_000_000;
const SECRET_NAME = /(?:^|_)(?:API_?KEY|KEY|TOKEN|SECRET|CREDENTIALS?|PASS(?:WORD|WD|PHRASE)?)$/i;
const SHELL = /(?:^|\/)(?:ba|da|a|z)?sh$/;

/** What an image is checked against besides the policy's own rules. */
export interface Expected {
  readonly platforms: readonly string[];
  readonly version?: Version | undefined;
}

/** One thing an image must be, and is not. `platform` is missing where it is about all of them. */
export interface Violation {
  readonly rule: string;
  readonly platform?: string;
  readonly message: string;
}

/** Judges a layout by the image policy. Pure: everything it needs was read with the layout. */
export function judge(layout: Layout, expected: Expected): Violation[] {
  return [
    ...platforms(layout, expected.platforms),
    ...layout.platforms.flatMap((image) =>
      [...rulesBroken(image, expected.version)].map((found) => ({ ...found, platform: image.platform })),
    ),
    ...differences(layout),
  ];
}

/** @throws ReleaseError IMAGE_POLICY naming every violation */
export function assertPolicy(layout: Layout, expected: Expected): void {
  const violations = judge(layout, expected);
  if (violations.length === 0) return;
  throw new ReleaseError(
    'IMAGE_POLICY',
    `The image breaks the image policy in ${violations.length} place(s).`,
    'Nothing was pushed. Mend the Dockerfile and build it again.',
    violations.map(({ rule, message, platform }) => `${rule}: ${message}${platform ? ` (${platform})` : ''}`),
  );
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

function* rulesBroken(image: PlatformImage, version: Version | undefined): Generator<Violation> {
  const { User = '', Env, Entrypoint, Labels } = image.config.config;
  if (!/^[1-9][0-9]*(?::|$)/.test(User)) {
    yield {
      rule: 'user',
      message: `it runs as "${User || 'root'}", and must as a numeric user other than root`,
    };
  }
  yield* healthcheck(image);
  if (SHELL.test(Entrypoint?.[0] ?? 'sh')) {
    yield {
      rule: 'entrypoint',
      message: 'its ENTRYPOINT is missing or a shell, which would not pass signals on',
    };
  }
  if (image.size > SIZE_LIMIT_BYTES) {
    const limit = `over ${megabytes(SIZE_LIMIT_BYTES)} MB; its largest layers are ${largestLayers(image)}`;
    yield { rule: 'size', message: `it is ${megabytes(image.size)} MB, ${limit}` };
  }
  for (const label of REQUIRED_LABELS) {
    const value = Labels?.[label];
    if (!value) yield { rule: 'labels', message: `the label ${label} is missing` };
    if (value !== image.annotations[label]) {
      yield { rule: 'annotations', message: `the annotation ${label} differs from the label` };
    }
  }
  const said = Labels?.[`${PREFIX}version`] ?? '';
  if (version !== undefined && said !== version.version) {
    yield { rule: 'version', message: `its label says "${said}", and the release is ${version.version}` };
  }
  for (const variable of Env ?? []) {
    const [name = '', ...value] = variable.split('=');
    if (SECRET_NAME.test(name) && value.join('=') !== '') {
      yield { rule: 'secrets', message: `the environment variable ${name} has a value in the image` };
    }
  }
}

/** The plan's own numbers. What is 0 or left out is Docker's default, 30 s each (Dockerfile reference, HEALTHCHECK). */
function* healthcheck(image: PlatformImage): Generator<Violation> {
  const rule = 'healthcheck';
  const { Test, Interval, Timeout } = image.config.config.Healthcheck ?? {};
  if (Test?.[0] !== 'CMD') {
    yield { rule, message: 'it has no HEALTHCHECK in exec form, and a shell is not always there' };
    return;
  }
  const [interval, timeout] = [(Interval || 30e9) / 1e9, (Timeout || 30e9) / 1e9];
  if (interval !== 30) yield { rule, message: `its HEALTHCHECK interval is ${interval} s, and must be 30` };
  if (timeout !== 3) yield { rule, message: `its HEALTHCHECK timeout is ${timeout} s, and must be 3` };
}

/** Platforms may differ in architecture and in nothing else a user can see; the index says what they say. */
function* differences(layout: Layout): Generator<Violation> {
  const [first, ...others] = layout.platforms;
  if (first === undefined) return;
  const seen: Record<string, unknown> = first.config.config;
  for (const { platform, config } of others) {
    for (const key of new Set([...Object.keys(seen), ...Object.keys(config.config)])) {
      if (isDeepStrictEqual(seen[key], config.config[key])) continue;
      yield { rule: 'same', platform, message: `its ${key} differs from that of ${first.platform}` };
    }
  }
  for (const label of REQUIRED_LABELS) {
    if (layout.annotations[label] === first.config.config.Labels?.[label]) continue;
    yield { rule: 'annotations', message: `the annotation ${label} of the index differs from the label` };
  }
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
