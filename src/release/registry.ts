import { setTimeout as sleep } from 'node:timers/promises';
import { type CommandResult, tail } from './command.ts';
import { type ErrorCode, ReleaseError } from './errors.ts';
import type { Regctl } from './regctl.ts';

/** A repository in a registry, and all that a release does with it. */
export interface Registry {
  /** `docker.io/marcopancotti/thoth`. */
  readonly name: string;
  /** Every tag; empty where the repository does not exist yet. */
  tags(): Promise<string[]>;
  /** The digest a tag points to, or `undefined` where there is no such tag. */
  digestOf(tag: string): Promise<string | undefined>;
  /** The manifest behind a tag or a digest, as the registry serves it: its bytes are what is hashed. */
  manifest(reference: string): Promise<string>;
  /** Uploads an image index and all under it by digest. Blobs that are there already are not sent again. */
  push(layout: string, digest: string): Promise<void>;
  /** Points a tag at a digest that is in the repository. One request; the registry does it as a whole. */
  tag(tag: string, digest: string): Promise<void>;
  /** Downloads an image index and all under it into an OCI layout. */
  download(digest: string, layout: string): Promise<void>;
  /** Removes a tag: only the embedded registry of a rehearsal is asked for this. */
  removeTag(tag: string): Promise<void>;
}

/** An upload of many requests gets on a little at each try, so there are many; a busy day is outlasted. */
const ATTEMPTS = 30;
/** A registry of many servers may not know at once what one of them was just given. */
const ABSENT_ATTEMPTS = 6;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 10_000;

/** What regctl prints, and what it means. The first that fits counts. */
const MEANINGS: readonly [RegExp, ErrorCode | 'absent'][] = [
  [/\[http 40[13]\]|unauthorized|forbidden|denied|challenge header/i, 'REGISTRY_DENIED'],
  [/\[http 404\]|not found/i, 'absent'],
  [/\[http 4(?!08|29)\d\d\]/i, 'REGISTRY_FAILED'],
  [/no such host|connection refused|certificate|x509|server gave HTTP response/i, 'REGISTRY_UNREACHABLE'],
];

/**
 * Binds regctl to one repository.
 *
 * regctl itself waits and repeats on 429 and 504, and obeys `Retry-After`. Every call is idempotent, so
 * other server errors, resets and time-outs are met here by calling it again, after a random pause that
 * grows; 401, 403 and other refusals are final at once. A 404 is an answer where a tag is looked up; where a
 * thing that was pushed is missing, or an upload whose answer was lost, it is a fault that may pass.
 *
 * @param limits.attempts how often a call is made at the most
 * @param limits.pause waits that many milliseconds; a test puts its own in place
 */
export function createRegistry(
  target: { registry: string; repository: string },
  regctl: Regctl,
  limits: { attempts?: number; pause?: (ms: number) => Promise<unknown> } = {},
): Registry {
  const name = `${target.registry}/${target.repository}`;
  const { attempts = ATTEMPTS, pause = sleep } = limits;

  /**
   * @param absent what a 404 means: an answer, or a fault that may pass
   * @returns what regctl printed, or `undefined` where what it asked for is not there
   */
  async function ask(args: readonly string[], absent: 'answer' | 'fault' = 'answer') {
    for (let attempt = 1; ; attempt += 1) {
      const result = await regctl(args);
      if (result.exitCode === 0) return result.stdout;
      const meaning = MEANINGS.find(([pattern]) => pattern.test(result.stderr))?.[1];
      if (meaning === 'absent' && (absent === 'answer' || attempt >= ABSENT_ATTEMPTS)) return undefined;
      if (meaning !== undefined && meaning !== 'absent') throw failure(name, meaning, result);
      if (attempt >= attempts) throw failure(name, undefined, result);
      await pause(Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt));
    }
  }

  async function need(args: readonly string[], what: string): Promise<string> {
    const printed = await ask(args, 'fault');
    if (printed !== undefined) return printed;
    throw new ReleaseError(
      'REGISTRY_FAILED',
      `${name} does not hold ${what}.`,
      'Run the same command again; if it stays so, the registry lost it.',
    );
  }

  return {
    name,
    async tags() {
      const printed = await ask(['tag', 'ls', name]);
      return (printed ?? '').split('\n').filter((line) => line !== '');
    },
    async digestOf(tag) {
      return (await ask(['manifest', 'head', `${name}:${tag}`]))?.trim();
    },
    manifest: (reference) =>
      need(['manifest', 'get', '--format', 'raw-body', at(name, reference)], reference),
    async push(layout, digest) {
      await need(['image', 'copy', `ocidir://${layout}@${digest}`, `${name}@${digest}`], digest);
    },
    async tag(tag, digest) {
      await need(['image', 'copy', '--fast', `${name}@${digest}`, `${name}:${tag}`], digest);
    },
    async download(digest, layout) {
      await need(['image', 'copy', `${name}@${digest}`, `ocidir://${layout}:release`], digest);
    },
    async removeTag(tag) {
      await need(['tag', 'delete', `${name}:${tag}`], tag);
    },
  };
}

/** `name:tag` or `name@digest`. */
function at(name: string, reference: string): string {
  return reference.includes(':') ? `${name}@${reference}` : `${name}:${reference}`;
}

function failure(name: string, code: ErrorCode | undefined, result: CommandResult): ReleaseError {
  const details = tail(result, 3);
  switch (code) {
    case 'REGISTRY_DENIED':
      return new ReleaseError(
        code,
        `${name} refused the credentials, or gives them no right to do this.`,
        'Log in with `docker login`, or point DOCKER_CONFIG to a folder with a config.json that holds a valid token.',
        details,
      );
    case 'REGISTRY_FAILED':
      return new ReleaseError(
        code,
        `${name} refused the request.`,
        'Read the line below: it is the registry that said so. A repeated run goes on from where this one stopped.',
        details,
      );
    default:
      return new ReleaseError(
        'REGISTRY_UNREACHABLE',
        `${name} can not be reached.`,
        'Check its name, the network and a proxy, and run the same command again: it goes on from where it stopped.',
        details,
      );
  }
}
