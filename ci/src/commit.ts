/** The commit a build is made from; `time` in Unix seconds. */
export interface Commit {
  readonly revision: string;
  readonly time: number;
}

/** Stands for a source that is no git repository, such as an unpacked archive. */
export const NO_COMMIT: Commit = { revision: 'unknown', time: 0 };

/** Reads `SHA SECONDS`, as `git log --format='%H %ct'` prints it. @throws Error for anything else */
export function parseCommit(line: string): Commit {
  const match = /^([0-9a-f]{40}(?:[0-9a-f]{24})?) (\d+)$/.exec(line.trim());
  if (match?.[1] === undefined) throw new Error(`git printed "${line.trim()}" in place of a commit.`);
  return { revision: match[1], time: Number(match[2]) };
}

/**
 * The Dockerfile's build arguments, the same as the local builder gives (src/release/build/build.ts).
 *
 * @param tag the release; a build without one is `0.0.0-dev`
 * @param from the two base images and the npm registry, where they replace the Dockerfile's own
 */
export function buildArguments(
  commit: Commit,
  tag: string | undefined,
  from: {
    readonly node?: string | undefined;
    readonly runtime?: string | undefined;
    readonly npm?: string | undefined;
  },
): { name: string; value: string }[] {
  const values: Record<string, string | undefined> = {
    NODE_IMAGE: from.node,
    RUNTIME_IMAGE: from.runtime,
    NPM_CONFIG_REGISTRY: from.npm,
    THOTH_VERSION: tag === undefined ? undefined : tag.replace(/^v/, ''),
    THOTH_REVISION: commit.revision,
    THOTH_CREATED: new Date(commit.time * 1_000).toISOString().replace('.000Z', 'Z'),
    SOURCE_DATE_EPOCH: String(commit.time),
  };
  return Object.entries(values).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [{ name, value }],
  );
}
