import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { ReleaseError } from '../errors.ts';
import { Descriptor, ImageManifest } from '../image/oci.ts';
import type { Regctl } from './regctl.ts';
import { faultError, faultOf, type RegistryFault } from './registry-fault.ts';

/** What the referrers API answers (OCI distribution spec 1.1, "listing referrers"); regctl has `null` for none. */
const Referrers = z.object({
  manifests: z.array(Descriptor.extend({ artifactType: z.string().optional() })).nullable(),
});

/** What is attached to an image: a manifest of its own that names the image as its subject. */
export interface Referrer {
  readonly digest: string;
  readonly artifactType: string | undefined;
}

/** A file to be attached to what is in the repository. */
export interface Attachment {
  /** Digest of what it is attached to. */
  readonly subject: string;
  readonly file: string;
  readonly type: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** A repository in a registry, and all that a release does with it. */
export interface Registry {
  /** `docker.io/marcopancotti/thoth`. */
  readonly name: string;
  /** Every tag; empty where the repository does not exist yet. */
  tags(): Promise<string[]>;
  /**
   * The digest a tag points to, or `undefined` where there is no such tag.
   *
   * @param expected what the tag was just pointed at: where the registry says otherwise it is asked a few times
   *   more, since one of many servers may be behind
   */
  digestOf(tag: string, expected?: string): Promise<string | undefined>;
  /** The manifest behind a tag or a digest, as the registry serves it: its bytes are what is hashed. */
  manifest(reference: string): Promise<string>;
  /** Uploads an image index and all under it by digest. Blobs that are there already are not sent again. */
  push(layout: string, digest: string): Promise<void>;
  /** Points a tag at a digest that is in the repository. One request; the registry does it as a whole. */
  tag(tag: string, digest: string): Promise<void>;
  /** Downloads an image index and all under it into an OCI layout. */
  download(digest: string, layout: string): Promise<void>;
  /**
   * What is attached to a digest. A registry without the referrers API keeps the list under a tag, `sha256-…`.
   *
   * @param expected what was just attached: where the list lacks it, it is asked for a few times more
   */
  referrers(digest: string, expected?: readonly string[]): Promise<Referrer[]>;
  /** The text of an artifact that is one file of no more than 32 MB; `undefined` where it is anything else. */
  artifact(digest: string): Promise<string | undefined>;
  /** Attaches a file. The same file again changes nothing. @returns the digest of what refers to the subject */
  attach(attachment: Attachment): Promise<string>;
  /** Removes a tag: only the embedded registry of a rehearsal is asked for this. */
  removeTag(tag: string): Promise<void>;
}

/** An upload of many requests gets on a little at each try, so there are many; a busy day is outlasted. */
const ATTEMPTS = 30;
/** A registry of many servers may not know at once what one of them was just given. */
const SOON_ATTEMPTS = 6;
const FIRST_PAUSE_MS = 200;
/** Anybody who may push may attach anything. */
const MOST_BYTES = 32_000_000;
const LONGEST_PAUSE_MS = 10_000;

/**
 * Binds regctl to one repository.
 *
 * regctl itself waits and repeats on 429 and 504, and obeys `Retry-After`. Every call is idempotent, so
 * other server errors, resets and time-outs are met here by calling it again, after a random pause that
 * grows; 401, 403 and other refusals are final at once. A 404 is an answer where a tag is looked up; where a
 * thing that was pushed is missing, or an upload whose answer was lost, it is a fault that may pass. So is a
 * registry that answered and then is gone: it may be started anew. One that never answered is final.
 *
 * @param limits.attempts how often a call is made at the most
 * @param limits.pause waits that many milliseconds; a test puts its own in place
 * @param limits.signal ends the pauses
 */
export function createRegistry(
  target: { registry: string; repository: string },
  regctl: Regctl,
  limits: {
    attempts?: number;
    pause?: (ms: number) => Promise<unknown>;
    signal?: AbortSignal | undefined;
  } = {},
): Registry {
  const name = `${target.registry}/${target.repository}`;
  const { attempts = ATTEMPTS, signal } = limits;
  const pause = limits.pause ?? ((ms: number) => sleep(ms, undefined, { signal }));
  const wait = (attempt: number) =>
    pause(Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt));
  let answered = false;

  function attemptsFor({ passes }: RegistryFault): number {
    if (passes === 'never' || (passes === 'unreachable' && !answered)) return 1;
    return passes === 'soon' ? Math.min(SOON_ATTEMPTS, attempts) : attempts;
  }

  /**
   * Calls regctl until it succeeds or its fault is final.
   *
   * @param absent what a 404 is; as an answer it gives `undefined`
   * @returns what regctl printed
   */
  async function ask(args: readonly string[], absent: 'answer'): Promise<string | undefined>;
  async function ask(args: readonly string[], absent?: 'fault'): Promise<string>;
  async function ask(args: readonly string[], absent = 'fault'): Promise<string | undefined> {
    // Faults that will be over soon are counted on their own: others between them are no answer to them.
    let soon = 0;
    for (let attempt = 1; ; attempt += 1) {
      const result = await regctl(args);
      answered ||= result.exitCode === 0 || /\[http \d/.test(result.stderr);
      if (result.exitCode === 0) return result.stdout;
      const fault = faultOf(result);
      if (fault.code === 'absent' && absent === 'answer') return undefined;
      if (fault.passes === 'soon') soon += 1;
      const tried = fault.passes === 'soon' ? soon : attempt;
      if (tried >= attemptsFor(fault)) throw faultError(name, fault, result);
      await wait(attempt);
    }
  }

  /** Looks until the registry has caught up with what it was just given, a few times at the most. */
  async function settled<T>(look: () => Promise<T>, upToDate: (found: T) => boolean): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      const found = await look();
      if (upToDate(found) || attempt >= SOON_ATTEMPTS) return found;
      await wait(attempt);
    }
  }

  return {
    name,
    async tags() {
      const printed = await ask(['tag', 'ls', name], 'answer');
      return (printed ?? '').split('\n').filter((line) => line !== '');
    },
    digestOf(tag, expected) {
      const look = async () => (await ask(['manifest', 'head', `${name}:${tag}`], 'answer'))?.trim();
      return settled(look, (digest) => expected === undefined || digest === expected);
    },
    manifest: (reference) => ask(['manifest', 'get', '--format', 'raw-body', at(name, reference)]),
    async push(layout, digest) {
      await ask(['image', 'copy', `ocidir://${layout}@${digest}`, `${name}@${digest}`]);
    },
    async tag(tag, digest) {
      await ask(['image', 'copy', '--fast', `${name}@${digest}`, `${name}:${tag}`]);
    },
    async download(digest, layout) {
      await ask(['image', 'copy', `${name}@${digest}`, `ocidir://${layout}:release`]);
    },
    referrers(digest, expected = []) {
      const list = ['artifact', 'list', at(name, digest), '--format', 'raw-body'];
      const look = async () => parseReferrers(await ask(list), name);
      return settled(look, (found) =>
        expected.every((one) => found.some((referrer) => referrer.digest === one)),
      );
    },
    async artifact(digest) {
      const manifest = await ask(['manifest', 'get', '--format', 'raw-body', at(name, digest)], 'answer');
      const [layer, ...others] = layersOf(manifest);
      if (layer === undefined || others.length > 0 || layer.size > MOST_BYTES) return undefined;
      return ask(['blob', 'get', name, layer.digest], 'answer');
    },
    async attach({ subject, file, type, annotations }) {
      const printed = await ask([
        ...['artifact', 'put', '--subject', at(name, subject)],
        ...['--format', '{{.Manifest.GetDescriptor.Digest}}'],
        ...['--artifact-type', type, '--file', file, '--file-media-type', type],
        ...Object.entries(annotations).flatMap(([key, value]) => ['--annotation', `${key}=${value}`]),
      ]);
      return printed.trim();
    },
    async removeTag(tag) {
      await ask(['tag', 'delete', `${name}:${tag}`]);
    },
  };
}

function parseReferrers(text: string, name: string): Referrer[] {
  try {
    return (Referrers.parse(JSON.parse(text)).manifests ?? []).map(({ digest, artifactType }) => ({
      digest,
      artifactType,
    }));
  } catch (cause) {
    throw new ReleaseError(
      'REGISTRY_FAILED',
      `${name} does not list what is attached to an image as a registry does.`,
      'Tell whoever runs the registry.',
      cause instanceof z.ZodError ? z.prettifyError(cause).split('\n') : [],
      cause,
    );
  }
}

/** The layers of a manifest; none where it is no image's or artifact's. */
function layersOf(manifest: string | undefined): Descriptor[] {
  try {
    return ImageManifest.parse(JSON.parse(manifest ?? '')).layers;
  } catch {
    return []; // anybody who may push may attach what is none
  }
}

/** `name:tag` or `name@digest`. */
function at(name: string, reference: string): string {
  return reference.includes(':') ? `${name}@${reference}` : `${name}:${reference}`;
}
