import { randomUUID } from 'node:crypto';
import { FakeWeb, type WebCall } from '../machine/fake-web.ts';

export const HUB_USER = 'marcopancotti';
export const HUB_TOKEN = ['dckr', 'pat', 'for-tests'].join('_');
/** A token that may push and not edit, as one with "Read & Write" is. */
export const PUSH_TOKEN = ['dckr', 'pat', 'push-only'].join('_');
const REPOSITORY = /^\/v2\/namespaces\/([^/]+)\/repositories\/([^/]+)(\/tags)?$/;

/**
 * Docker Hub's API, as docs.docker.com/reference/api/hub/latest describes it: tokens from `/v2/auth/token`, a
 * repository and its tags below `/v2/namespaces`, `{ message, errinfo }` for errors.
 */
export class FakeHub extends FakeWeb {
  repository = 'marcopancotti/thoth';
  description = '';
  fullDescription = '';
  tags: { name: string; digest: string | null }[] = [];
  pageSize = 100;
  /** Something done between a write and its answer, as by another person. */
  afterWrite: () => void = () => undefined;
  readonly #tokens = new Map<string, string>();

  /** Every token given so far has run out. */
  expireTokens(): void {
    this.#tokens.clear();
  }

  protected answer({ method, url, headers, body }: WebCall): [number, unknown] {
    if (method === 'POST' && url.pathname === '/v2/auth/token') return this.#login(JSON.parse(String(body)));
    const [, namespace, name, tags] = REPOSITORY.exec(url.pathname) ?? [];
    const bearer = headers.authorization?.replace('Bearer ', '');
    const secret = bearer === undefined ? undefined : this.#tokens.get(bearer);
    if (bearer !== undefined && secret === undefined)
      return [401, { message: 'unauthorized', errinfo: null }];
    if (`${namespace}/${name}` !== this.repository)
      return [404, { message: 'object not found', errinfo: {} }];
    if (tags !== undefined) return [200, this.#tagPage(Number(url.searchParams.get('page') ?? 1), url)];
    if (method === 'PATCH') {
      if (secret !== HUB_TOKEN) return [403, { message: 'insufficient scope', errinfo: {} }];
      const { description, full_description } = JSON.parse(String(body));
      // Blanks at the end are not kept.
      this.description = description.trimEnd();
      this.fullDescription = full_description.trimEnd();
      this.afterWrite();
    } else if (method !== 'GET') return [405, { message: 'method not allowed', errinfo: {} }];
    return [
      200,
      {
        ...{ name: 'thoth', namespace: 'marcopancotti', repository_type: 'image', is_private: false },
        description: this.description,
        full_description: this.fullDescription === '' ? null : this.fullDescription,
      },
    ];
  }

  #login({ identifier, secret }: { identifier: string; secret: string }): [number, unknown] {
    if (identifier !== HUB_USER || ![HUB_TOKEN, PUSH_TOKEN].includes(secret)) {
      return [401, { message: `incorrect authentication credentials for ${secret}`, errinfo: {} }];
    }
    const token = `jwt.${randomUUID()}`;
    this.#tokens.set(token, secret);
    return [200, { access_token: token }];
  }

  #tagPage(page: number, url: URL) {
    const from = (page - 1) * this.pageSize;
    const more = from + this.pageSize < this.tags.length;
    return {
      count: this.tags.length,
      next: more ? `https://hub.docker.com${url.pathname}?page=${page + 1}` : null,
      results: this.tags.slice(from, from + this.pageSize),
    };
  }
}
