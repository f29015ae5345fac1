import { isDeepStrictEqual } from 'node:util';
import type { Layout, PlatformImage } from '../image/layout.ts';
import { REQUIRED_LABELS } from './config-rules.ts';
import type { ImageFile, ImageFiles } from './image-files.ts';
import { nameSome, type Violation } from './violation.ts';

/**
 * Paths that belong to an architecture: those that name one, as Debian's multiarch folders do, and the folder of
 * 64-bit loaders that only some have.
 */
const ARCHITECTURE =
  /x86[-_]64|amd64|i[36]86|aarch64|arm64|arm-linux|armhf|ppc64|powerpc|riscv64|s390x|lib(?:32|64|x32)(?:\/|$)/;

/**
 * Platforms may differ in architecture and in nothing else a user can see; the index says what they say. What
 * differs is named. Of variables and labels only the names are told, for a value can be a secret.
 */
export function* sameRules(
  layout: Layout,
  views: ReadonlyMap<PlatformImage, ImageFiles>,
): Generator<Violation> {
  const [first, ...others] = layout.platforms;
  if (first === undefined) return;
  const rule = 'same';
  for (const image of others) {
    const { platform } = image;
    for (const what of configDifferences(first, image)) {
      yield { rule, platform, message: `its ${what} differs from that of ${first.platform}` };
    }
    const files = fileDifferences(views.get(first) ?? new Map(), views.get(image) ?? new Map());
    if (files.length > 0) {
      yield {
        rule,
        platform,
        message: `its files differ from those of ${first.platform}: ${nameSome(files)}`,
      };
    }
  }
  for (const label of REQUIRED_LABELS) {
    if (layout.annotations[label] === first.config.config.Labels?.[label]) continue;
    yield { rule: 'annotations', message: `the annotation ${label} of the index differs from the label` };
  }
}

function configDifferences(one: PlatformImage, other: PlatformImage): string[] {
  const [a, b]: Record<string, unknown>[] = [one.config.config, other.config.config];
  return differing(a ?? {}, b ?? {}).map((key) => {
    const [inA, inB] = [named(a?.[key]), named(b?.[key])];
    const names = inA === undefined || inB === undefined ? [] : differing(inA, inB);
    return names.length === 0 ? key : `${key} (${nameSome(names)})`;
  });
}

/** The parts of a field that have names: labels, and variables such as `NODE_ENV=production`. */
function named(value: unknown): Record<string, unknown> | undefined {
  if (Array.isArray(value)) {
    const variables = value.map((entry) => /^(\w+)=(.*)$/s.exec(String(entry)));
    if (variables.length === 0 || variables.includes(null)) return undefined;
    return Object.fromEntries(variables.map((match) => [match?.[1], match?.[2]]));
  }
  return typeof value === 'object' && value !== null ? { ...value } : undefined;
}

function differing(a: Record<string, unknown>, b: Record<string, unknown>): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter(
    (key) => !isDeepStrictEqual(a[key], b[key]),
  );
}

function fileDifferences(one: ImageFiles, other: ImageFiles): string[] {
  const paths = [...new Set([...one.keys(), ...other.keys()])].sort();
  return paths.flatMap((path) => {
    const [a, b] = [one.get(path), other.get(path)];
    if (ARCHITECTURE.test(path) || (a !== undefined && b !== undefined && shape(a) === shape(b))) return [];
    return [
      a === undefined
        ? `${path} is new`
        : b === undefined
          ? `${path} is missing`
          : `${path} (${shape(b)} for ${shape(a)})`,
    ];
  });
}

/** All of a file but its content, which an architecture may change: `file 755 0:0`. */
function shape({ type, mode, uid, gid, target = '' }: ImageFile): string {
  // Links into an architecture's folder point to another one on each.
  const to = ARCHITECTURE.test(target) || target === '' ? '' : ` -> ${target}`;
  return `${type} ${mode.toString(8)} ${uid}:${gid}${to}`;
}
