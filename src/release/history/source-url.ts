import { z } from 'zod';

/** `git@host:owner/name`, git's short form of an ssh address; a host without a dot is a name of this machine's. */
const SCP = /^(?:[\w.-]+@)?([\w-]+(?:\.[\w-]+)+):(?!\/\/)([\w.~/-]+)$/;
/** `owner/name` and `github:owner/name`, as package.json may have it. */
const SHORTHAND = /^(?:github:)?([\w-]+\/[\w.-]+)$/;
/** Path of a repository: an owner, maybe groups under it, and a name. */
const PATH = /^(?:\/[\w.~-]+){2,}$/;

const Package = z.object({ repository: z.union([z.string(), z.object({ url: z.string() })]) });

/**
 * The https address of a project's source, for links in what people read.
 *
 * The rule: what package.json says, else where `origin` points. package.json is part of the commit, so a fork,
 * a mirror or a machine with another remote writes the same bytes.
 *
 * @param packageJson the file's text
 * @returns without a credential, a trailing slash or `.git`; `undefined` where neither names one
 */
export function sourceUrl(packageJson: string | undefined, origin: string | undefined): string | undefined {
  const named = repositoryOf(packageJson ?? '');
  const short = SHORTHAND.exec(named ?? '')?.[1];
  return (short === undefined ? httpsUrl(named) : `https://github.com/${short}`) ?? httpsUrl(origin);
}

function repositoryOf(packageJson: string): string | undefined {
  try {
    const { repository } = Package.parse(JSON.parse(packageJson));
    return typeof repository === 'string' ? repository : repository.url;
  } catch {
    return undefined; // no package.json, or it names no repository: its form is npm's business
  }
}

/** Only an address on a network has an https form; a path, as of a mirror on the same machine, has none. */
function httpsUrl(address = ''): string | undefined {
  const [, host, path] = SCP.exec(address) ?? [];
  const full = host === undefined ? address.replace(/^git\+/, '') : `ssh://${host}/${path}`;
  if (!/^(?:https?|ssh|git):/.test(full) || !URL.canParse(full)) return undefined;
  const url = new URL(full);
  const web = url.protocol.startsWith('http') ? url.host : url.hostname;
  const clean = url.pathname.replace(/\/+$/, '').replace(/\.git$/, '');
  return PATH.test(clean) ? `https://${web}${clean}` : undefined;
}
