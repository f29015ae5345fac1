import { largestLayers } from '../image/largest-layers.ts';
import type { PlatformImage } from '../image/layout.ts';
import { megabytes } from '../image/megabytes.ts';
import type { Expected, Violation } from './violation.ts';

const PREFIX = 'org.opencontainers.image.';
/** What an image must say about itself (OCI image spec, annotations). */
export const REQUIRED_LABELS = 'title description url source version created revision licenses'
  .split(' ')
  .map((name) => `${PREFIX}${name}`);
const SECRET_NAME = /(?:^|_)(?:API_?KEY|KEY|TOKEN|SECRET|CREDENTIALS?|PASS(?:WORD|WD|PHRASE)?)$/i;
/** Values that are a secret under any name: of the providers, of the registries, of clouds, and in URLs. */
const SECRET_VALUE =
  /\b(?:sk-[\w-]{16,}|AIza[\w-]{35}|(?:AKIA|ASIA)[A-Z0-9]{16}|gh[pousr]_\w{36,}|github_pat_\w{22,}|npm_\w{36}|dckr_pat_[\w-]{20,})|-----BEGIN [A-Z ]*PRIVATE KEY-----|:\/\/[^\s/:@]+:[^\s/@]+@/;
const SHELL = /(?:^|\/)(?:ba|da|a|z)?sh$/;
const STEP_LENGTH = 60;

/** What the image config and the manifest of a platform say, judged. */
export function* configRules(image: PlatformImage, expected: Expected): Generator<Violation> {
  const { User = '', Entrypoint } = image.config.config;
  const { policy } = expected;
  if (!/^[1-9][0-9]*(?::|$)/.test(User)) {
    yield {
      rule: 'user',
      message: `it runs as "${User || 'root'}", and must as a numeric user other than root`,
    };
  }
  if (policy.user !== undefined && User !== policy.user) {
    yield { rule: 'user', message: `it runs as "${User || 'root'}", and must as "${policy.user}"` };
  }
  if (policy.healthcheck !== false) yield* healthcheck(image, policy.healthcheck);
  if (isShell(Entrypoint?.[0] ?? 'sh')) {
    yield {
      rule: 'entrypoint',
      message: 'its ENTRYPOINT is missing or a shell, which would not pass signals on',
    };
  }
  const limit = policy.sizeLimit * 1_000_000;
  if (image.size > limit) {
    const over = `over ${megabytes(limit)} MB; its largest layers are ${describeLargest(image)}`;
    yield { rule: 'size', message: `it is ${megabytes(image.size)} MB, ${over}` };
  }
  yield* labels(image, expected);
  yield* secrets(image, policy.notSecret);
}

/** Whether a program is a shell: in `ENTRYPOINT`, `CMD` and `HEALTHCHECK` it stands for their shell form. */
export function isShell(program: string | undefined): boolean {
  return program !== undefined && SHELL.test(program);
}

/** What is 0 or left out is Docker's default, 30 s each (Dockerfile reference, HEALTHCHECK). */
function* healthcheck(
  image: PlatformImage,
  wanted: { readonly interval: number; readonly timeout: number },
): Generator<Violation> {
  const rule = 'healthcheck';
  const { Test, Interval, Timeout } = image.config.config.Healthcheck ?? {};
  if (Test?.[0] !== 'CMD') {
    yield { rule, message: 'it has no HEALTHCHECK in exec form, and a shell is not always there' };
    return;
  }
  const [interval, timeout] = [(Interval || 30e9) / 1e9, (Timeout || 30e9) / 1e9];
  for (const [what, found, right] of [
    ['interval', interval, wanted.interval],
    ['timeout', timeout, wanted.timeout],
  ] as const) {
    if (found !== right)
      yield { rule, message: `its HEALTHCHECK ${what} is ${found} s, and must be ${right}` };
  }
}

function* labels(
  { config, annotations }: PlatformImage,
  { version, policy }: Expected,
): Generator<Violation> {
  const { Labels } = config.config;
  for (const label of REQUIRED_LABELS) {
    const value = Labels?.[label];
    if (!value) yield { rule: 'labels', message: `the label ${label} is missing` };
    if (value !== annotations[label]) {
      yield { rule: 'annotations', message: `the annotation ${label} differs from the label` };
    }
  }
  for (const [label, value] of Object.entries(policy.labels)) {
    if (Labels?.[label] !== value)
      yield {
        rule: 'labels',
        message: `the label ${label} says "${Labels?.[label] ?? ''}", and must "${value}"`,
      };
  }
  const said = Labels?.[`${PREFIX}version`] ?? '';
  if (version !== undefined && said !== version.version) {
    yield { rule: 'version', message: `its label says "${said}", and the release is ${version.version}` };
  }
}

/** Names what holds a secret, and never the secret itself. Files are the scanner's part. */
function* secrets({ config }: PlatformImage, except: readonly string[]): Generator<Violation> {
  const rule = 'secrets';
  const { Env, Labels, Entrypoint, Cmd } = config.config;
  for (const variable of Env ?? []) {
    const [name = '', ...rest] = variable.split('=');
    const value = rest.join('=');
    if (SECRET_NAME.test(name) && value !== '' && !except.includes(name)) {
      yield { rule, message: `the environment variable ${name} has a value in the image` };
    } else if (SECRET_VALUE.test(value)) {
      yield { rule, message: `the environment variable ${name} holds what looks like a key or a password` };
    }
  }
  for (const [name, value] of Object.entries(Labels ?? {})) {
    if (SECRET_VALUE.test(value))
      yield { rule, message: `the label ${name} holds what looks like a key or a password` };
  }
  for (const [name, args] of Object.entries({ ENTRYPOINT: Entrypoint, CMD: Cmd })) {
    if (args?.some((arg) => SECRET_VALUE.test(arg)) === true)
      yield { rule, message: `its ${name} holds what looks like a key or a password` };
  }
}

function describeLargest(image: PlatformImage): string {
  return largestLayers(image)
    .map(({ digest, size, madeBy }) => {
      const step = madeBy === undefined ? '' : ` (${madeBy.slice(0, STEP_LENGTH)})`;
      return `${digest.slice(0, 19)} ${megabytes(size)} MB${step}`;
    })
    .join(', ');
}
