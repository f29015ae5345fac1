import { createHash } from 'node:crypto';
import { FakeWeb, type WebCall } from '../machine/fake-web.ts';

export const GITHUB_REPOSITORY = 'marcopancotti/thoth';
export const GITHUB_TOKEN = ['ghs', 'for', 'tests'].join('_');
/** A token with `contents: read` alone. */
export const READ_TOKEN = ['ghs', 'reads', 'only'].join('_');

interface FakeAsset {
  id: number;
  name: string;
  state: string;
  size: number;
  digest: string | null;
  bytes: Buffer;
}

interface FakeRelease {
  id: number;
  tag_name: string;
  target_commitish: string;
  name: string | null;
  body: string | null;
  draft: boolean;
  prerelease: boolean;
  immutable: boolean;
  assets: FakeAsset[];
}

export interface FakeIssue {
  number: number;
  title: string;
  body: string | null;
  state: string;
  state_reason: string | null;
  author_association: string;
  user: { type: string };
  comments: string[];
  pull_request?: object;
}

type Answer = [number, unknown];
const NOT_FOUND: Answer = [
  404,
  { message: 'Not Found', documentation_url: 'https://docs.github.com/rest', status: '404' },
];
const invalid = (error: object): Answer => [422, { message: 'Validation Failed', errors: [error] }];

/** GitHub's REST API as docs.github.com/rest describes it (2022-11-28): releases, their files, git tags, issues. */
export class FakeGitHub extends FakeWeb {
  releases: FakeRelease[] = [];
  issues: FakeIssue[] = [];
  /** Lightweight tags: name and commit. */
  tags = new Map<string, string>();
  /** Annotated tags: name, and the tag object that stands between. */
  annotated = new Map<string, string>();
  latest: string | undefined;
  /** Whether what is published can not be changed any more ("immutable releases"). */
  immutable = false;
  #id = 0;

  nextId(): number {
    this.#id += 1;
    return this.#id;
  }

  /** What an upload that was cut off leaves behind. */
  leaveStarter({ url }: WebCall): void {
    const [, id] = /\/releases\/(\d+)\/assets$/.exec(url.pathname) ?? [];
    const name = url.searchParams.get('name') ?? '';
    this.#release(Number(id))?.assets.push({
      ...{ id: this.nextId(), name, state: 'starter', size: 0, digest: null, bytes: Buffer.alloc(0) },
    });
  }

  protected answer(call: WebCall): Answer {
    const { method, url, headers } = call;
    const bearer = headers.authorization?.replace('Bearer ', '');
    if (bearer !== undefined && ![GITHUB_TOKEN, READ_TOKEN].includes(bearer)) {
      return [401, { message: 'Bad credentials' }];
    }
    const path = url.pathname.replace(/^\/uploads/, '');
    const root = `/repos/${GITHUB_REPOSITORY}`;
    if (!path.startsWith(root)) return NOT_FOUND;
    if (method !== 'GET' && bearer === undefined) return [401, { message: 'Requires authentication' }];
    if (method !== 'GET' && bearer !== GITHUB_TOKEN) {
      return [403, { message: 'Resource not accessible by integration' }];
    }
    const parts = path.slice(root.length + 1).split('/');
    if (parts[0] === 'releases') return this.#releases(call, parts.slice(1), bearer === GITHUB_TOKEN);
    if (parts[0] === 'issues') return this.#issues(call, parts.slice(1));
    if (parts[0] === 'git') return this.#git(parts.slice(1));
    return NOT_FOUND;
  }

  #git([kind, ...rest]: string[]): Answer {
    if (kind === 'ref') {
      const name = rest.slice(1).join('/');
      const object = this.annotated.get(name);
      const commit = this.tags.get(name);
      if (object !== undefined)
        return [200, { ref: `refs/tags/${name}`, object: { type: 'tag', sha: object } }];
      if (commit !== undefined)
        return [200, { ref: `refs/tags/${name}`, object: { type: 'commit', sha: commit } }];
    }
    if (kind === 'tags') {
      const [name] = [...this.annotated].find(([, object]) => object === rest[0]) ?? [];
      const commit = this.tags.get(name ?? '');
      if (commit !== undefined) return [200, { tag: name, object: { type: 'commit', sha: commit } }];
    }
    return NOT_FOUND;
  }

  #releases({ method, url, body }: WebCall, parts: string[], mayWrite: boolean): Answer {
    const [first, second] = parts;
    if (first === undefined && method === 'GET') {
      return [
        200,
        page(
          url,
          this.releases.filter((one) => mayWrite || !one.draft),
        ).map((one) => this.#shown(one)),
      ];
    }
    if (first === undefined) return this.#create(JSON.parse(String(body)));
    if (first === 'tags') {
      const found = this.releases.find((one) => one.tag_name === second && !one.draft);
      return found === undefined ? NOT_FOUND : [200, this.#shown(found)];
    }
    if (first === 'assets') return this.#removeAsset(Number(second));
    const release = this.#release(Number(first));
    if (release === undefined) return NOT_FOUND;
    if (second === undefined) return this.#edit(release, JSON.parse(String(body)));
    if (method === 'GET') return [200, page(url, release.assets).map(shownAsset)];
    return this.#upload(release, url.searchParams.get('name') ?? '', body);
  }

  #create(fields: Partial<FakeRelease>): Answer {
    const { tag_name = '', target_commitish = 'main', name = null, body = null } = fields;
    const published = this.releases.some((one) => one.tag_name === tag_name && !one.draft);
    if (published && fields.draft !== true) {
      return invalid({ resource: 'Release', code: 'already_exists', field: 'tag_name' });
    }
    const fault = tooLong(body);
    if (fault !== undefined) return fault;
    const made = {
      ...{ id: this.nextId(), tag_name, target_commitish, name, body, draft: fields.draft ?? false },
      ...{ prerelease: fields.prerelease ?? false, immutable: false, assets: [] },
    };
    this.releases.push(made);
    return [201, this.#shown(made)];
  }

  #edit(release: FakeRelease, fields: Partial<FakeRelease> & { make_latest?: string }): Answer {
    const fault = tooLong(fields.body ?? null);
    if (fault !== undefined) return fault;
    const { make_latest: latest, ...others } = fields;
    const publishes = release.draft && fields.draft === false;
    Object.assign(release, others);
    if (publishes) {
      release.immutable = this.immutable;
      // GitHub makes the git tag where there is none.
      if (!this.tags.has(release.tag_name)) this.tags.set(release.tag_name, release.target_commitish);
      if (latest !== 'false' && !release.prerelease) this.latest = release.tag_name;
    }
    return [200, this.#shown(release)];
  }

  #upload(release: FakeRelease, name: string, bytes: Buffer): Answer {
    if (release.immutable) return [422, { message: 'Cannot upload assets to an immutable release.' }];
    if (release.assets.some((asset) => asset.name === name)) {
      return invalid({ resource: 'ReleaseAsset', code: 'already_exists', field: 'name' });
    }
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    const asset = { id: this.nextId(), name, state: 'uploaded', size: bytes.length, digest, bytes };
    release.assets.push(asset);
    return [201, shownAsset(asset)];
  }

  #removeAsset(id: number): Answer {
    const release = this.releases.find((one) => one.assets.some((asset) => asset.id === id));
    if (release === undefined) return NOT_FOUND;
    if (release.immutable) return [422, { message: 'Cannot delete asset from an immutable release' }];
    release.assets = release.assets.filter((asset) => asset.id !== id);
    return [204, undefined];
  }

  #issues({ method, url, body }: WebCall, [number, comments]: string[]): Answer {
    if (number === undefined && method === 'GET') {
      const state = url.searchParams.get('state') ?? 'open';
      return [
        200,
        page(
          url,
          this.issues.filter((one) => state === 'all' || one.state === state),
        ),
      ];
    }
    const fields = JSON.parse(String(body));
    if ((fields.body ?? '').length > 65_536) {
      return invalid({ resource: 'Issue', code: 'custom', field: 'body', message: 'body is too long' });
    }
    if (number === undefined) {
      const made: FakeIssue = {
        ...{
          number: this.nextId(),
          title: fields.title,
          body: fields.body,
          state: 'open',
          state_reason: null,
        },
        ...{ author_association: 'NONE', user: { type: 'Bot' }, comments: [] },
      };
      this.issues.unshift(made);
      return [201, made];
    }
    const issue = this.issues.find((one) => one.number === Number(number));
    if (issue === undefined) return NOT_FOUND;
    if (comments === undefined) return [200, Object.assign(issue, fields)];
    issue.comments.push(fields.body);
    return [201, { id: this.nextId(), body: fields.body }];
  }

  #release(id: number): FakeRelease | undefined {
    return this.releases.find((one) => one.id === id);
  }

  #shown(release: FakeRelease): object {
    const page = `${this.address}/${GITHUB_REPOSITORY}/releases/${release.draft ? `untagged-${release.id}` : `tag/${release.tag_name}`}`;
    const upload = `${this.address}/uploads/repos/${GITHUB_REPOSITORY}/releases/${release.id}/assets{?name,label}`;
    return { ...release, html_url: page, upload_url: upload, assets: release.assets.map(shownAsset) };
  }
}

function shownAsset({ bytes: _, ...asset }: FakeAsset): object {
  return { ...asset, label: '', content_type: 'application/octet-stream', download_count: 0 };
}

function page<T>(url: URL, items: readonly T[]): T[] {
  const size = Number(url.searchParams.get('per_page') ?? 30);
  const number = Number(url.searchParams.get('page') ?? 1);
  return items.slice((number - 1) * size, number * size);
}

/** The limit is in no document; this is the answer that others report. */
function tooLong(body: string | null): Answer | undefined {
  if ((body ?? '').length <= 125_000) return undefined;
  const message = 'body is too long (maximum is 125000 characters)';
  return invalid({ resource: 'Release', code: 'custom', field: 'body', message });
}
