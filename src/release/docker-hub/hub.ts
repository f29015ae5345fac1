import { z } from 'zod';
import { ReleaseError } from '../errors.ts';
import { quote, type WebAnswer } from '../machine/web-answer.ts';
import { createWebApi, type WebLimits } from '../machine/web-api.ts';

/** What Docker Hub shows of a repository besides its tags. */
export interface HubPage {
  /** One line, also shown in search results. */
  readonly short: string;
  /** Markdown. */
  readonly full: string;
}

/** A repository's page on Docker Hub. */
export interface Hub {
  /** `marcopancotti/thoth`. */
  readonly repository: string;
  page(): Promise<HubPage>;
  /** Every tag, and the digest it points to. */
  tags(): Promise<Map<string, string>>;
  write(page: HubPage): Promise<void>;
}

const Token = z.object({ access_token: z.string().min(1) });
const Repository = z.object({ description: z.string().nullish(), full_description: z.string().nullish() });
const Tags = z.object({
  next: z.string().nullish(),
  results: z.array(z.object({ name: z.string(), digest: z.string().nullish() })),
});

/** How often the page is read again after it was written: one of many servers may be behind. */
const READ_BACKS = 4;

/**
 * Opens a repository on Docker Hub by its API (docs.docker.com/reference/api/hub/latest). The documentation names no
 * request that writes a description; this one is what Docker's own MCP server sends (docker/hub-mcp, src/repos.ts).
 *
 * @param access.user,access.token from an access token with the right to read, write and delete; without them only
 *   public repositories can be read
 * @throws ReleaseError from each call: HUB_UNREACHABLE, HUB_DENIED, HUB_FAILED; HUB_REPOSITORY where there is none
 */
export function createHub(
  access: { address: string; repository: string; user?: string | undefined; token?: string | undefined },
  limits: WebLimits = {},
): Hub {
  const { repository, user, token } = access;
  const [namespace, name, ...more] = repository.split('/');
  if (name === undefined || more.length > 0) {
    throw new ReleaseError(
      'HUB_REPOSITORY',
      `${repository} is no repository of Docker Hub.`,
      'Name it with its namespace, such as marcopancotti/thoth.',
    );
  }
  const path = `/v2/namespaces/${namespace}/repositories/${name}`;
  const codes = { unreachable: 'HUB_UNREACHABLE', denied: 'HUB_DENIED', failed: 'HUB_FAILED' } as const;
  const service = { name: 'Docker Hub', address: access.address, codes, secrets: [token] };
  const api = createWebApi(service, limits);
  let bearer: string | undefined;

  async function login(): Promise<string> {
    const body = { identifier: user, secret: token };
    const answer = await api.send({ method: 'POST', path: '/v2/auth/token', body, repeat: true });
    if (answer.status !== 200)
      throw api.error('denied', `refused the login of ${user}`, LOGIN, quote(answer));
    return api.read(answer, Token).access_token;
  }

  /** Sends it with a token of a few minutes, where there is one to be had; one that ran out is replaced once. */
  async function send(method: 'GET' | 'PATCH', where: string, body?: unknown): Promise<WebAnswer> {
    for (let renewed = false; ; renewed = true) {
      if (user !== undefined && token !== undefined) bearer ??= await login();
      const headers = bearer === undefined ? {} : { authorization: `Bearer ${bearer}` };
      const answer = await api.send({ method, path: where, headers, body });
      if (answer.status === 401 && bearer !== undefined && !renewed) {
        bearer = undefined;
        continue;
      }
      if (answer.status === 200) return answer;
      throw refusal(answer);
    }
  }

  function refusal(answer: WebAnswer): ReleaseError {
    const why = quote(answer);
    if (answer.status === 401) return api.error('denied', `asks for a login to ${repository}`, LOGIN, why);
    if (answer.status === 403)
      return api.error('denied', `does not let ${user ?? 'you'} edit ${repository}`, RIGHTS, why);
    if (answer.status === 404) {
      return new ReleaseError(
        'HUB_REPOSITORY',
        `Docker Hub has no repository ${repository}, or hides it from ${user ?? 'who is not logged in'}.`,
        'Check its name. The first push creates it; a private one is seen by who may read it.',
        [why],
      );
    }
    return api.error('failed', `refused the request about ${repository}`, 'Read what it says below.', why);
  }

  return {
    repository,
    async page() {
      const read = api.read(await send('GET', path), Repository);
      return { short: read.description ?? '', full: read.full_description ?? '' };
    },
    async tags() {
      const tags = new Map<string, string>();
      // Not the address of the next page that it gives: a token goes nowhere but to the one that was set.
      for (let page = 1, more = true; more; page += 1) {
        const read = api.read(await send('GET', `${path}/tags?page_size=100&page=${page}`), Tags);
        for (const { name: tag, digest } of read.results) if (digest) tags.set(tag, digest);
        more = Boolean(read.next);
      }
      return tags;
    },
    async write(wanted) {
      await send('PATCH', path, { description: wanted.short, full_description: wanted.full });
      for (let attempt = 1; differences(await this.page(), wanted).length > 0; attempt += 1) {
        if (attempt === READ_BACKS)
          throw api.error('failed', `does not show ${repository} as it was written`, EDITED);
        await api.wait(attempt);
      }
    },
  };
}

/**
 * Makes the page as wanted; where it is so already nothing is written.
 *
 * @returns the parts that were changed
 * @throws ReleaseError as {@link createHub} says; HUB_FAILED too where the page does not stay as it was written
 */
export async function syncPage(hub: Hub, wanted: HubPage): Promise<(keyof HubPage)[]> {
  const changed = differences(await hub.page(), wanted);
  if (changed.length > 0) await hub.write(wanted);
  return changed;
}

const LOGIN =
  'Set DOCKERHUB_USERNAME and DOCKERHUB_TOKEN to a user and a valid access token of theirs (for an organisation: its name and its token).';
const RIGHTS =
  'The access token needs the right to read, write and delete, and its user must be the owner or an administrator of the repository.';
const EDITED = 'Somebody edited it at the same time, or Docker Hub is behind. Run the same command again.';

/** The parts in which two pages differ. White space at the end and line ends are Docker Hub's to change. */
export function differences(now: HubPage, wanted: HubPage): (keyof HubPage)[] {
  const settled = (text: string) => text.replaceAll('\r\n', '\n').trimEnd();
  return (['short', 'full'] as const).filter((part) => settled(now[part]) !== settled(wanted[part]));
}
