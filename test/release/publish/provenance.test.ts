import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Plan } from '../../../src/release/publish/plan.ts';
import {
  BUILD_TYPE,
  builderOf,
  describeProvenance,
  judgeProvenance,
  provenanceOf,
  type Released,
} from '../../../src/release/publish/provenance.ts';
import { Statement } from '../../../src/release/signing/statement.ts';

const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const BUILDER = 'https://github.com/a/b/.github/workflows/docker-publish.yml@refs/tags/v1.0.0';
const PLATFORMS = [
  { platform: 'linux/amd64', digest: digest('1') },
  { platform: 'linux/arm64', digest: digest('2') },
];

const made: NonNullable<Plan['made']> = {
  source: { revision: COMMIT, time: 1_700_000_000, url: 'https://github.com/a/b' },
  platforms: PLATFORMS.map(({ platform, digest }) => ({
    platform,
    digest,
    size: 1,
    start: { platform, digest, seconds: 1, runner: 'docker' },
  })),
  scan: {
    scanner: 'trivy 0.74.0',
    severity: [],
    licenses: [],
    vulnerabilities: { status: 'not-checked', reason: 'none' },
    platforms: [],
  },
  base: {
    images: {
      NODE_IMAGE: `docker.io/library/node:24-alpine@${digest('3')}`,
      RUNTIME_IMAGE: `localhost:5000/standin/runtime@${digest('4')}`,
    },
    standIn: true,
  },
  tools: { scanner: 'trivy 0.74.0', builder: 'buildah version 1.28.2' },
  build: {
    builder: BUILDER,
    invocation: 'https://github.com/a/b/actions/runs/1/attempts/1',
    startedOn: '2026-01-02T03:04:05.000Z',
    finishedOn: '2026-01-02T03:05:05.000Z',
    dockerfile: 'Dockerfile',
    lockfile: { name: 'package-lock.json', sha256: '5'.repeat(64) },
  },
  sboms: [],
};
const plan: Plan = {
  schema: 1,
  action: 'publish',
  version: 'v1.0.0',
  registry: 'docker.io',
  repository: 'a/b',
  rehearsal: true,
  index: digest('0'),
  moves: [],
  signing: { mode: 'none' },
  made,
};
const released: Released = {
  version: 'v1.0.0',
  index: plan.index,
  platforms: PLATFORMS,
  revision: COMMIT,
  builder: BUILDER,
};

describe('the provenance of a release', () => {
  test('says what SLSA v1.0 asks for, of the index and of every platform', () => {
    const name = 'docker.io/a/b';
    assert.deepEqual(JSON.parse(JSON.stringify(provenanceOf(plan, made))), {
      _type: 'https://in-toto.io/Statement/v1',
      subject: ['0', '1', '2'].map((letter) => ({ name, digest: { sha256: letter.repeat(64) } })),
      predicateType: 'https://slsa.dev/provenance/v1',
      predicate: {
        buildDefinition: {
          buildType: BUILD_TYPE,
          externalParameters: {
            version: 'v1.0.0',
            repository: name,
            platforms: ['linux/amd64', 'linux/arm64'],
            dockerfile: 'Dockerfile',
          },
          internalParameters: { sourceDateEpoch: 1_700_000_000, rehearsal: true, standIn: true },
          resolvedDependencies: [
            {
              name: 'source',
              uri: `git+https://github.com/a/b@${COMMIT}`,
              digest: { gitCommit: COMMIT, sha1: COMMIT },
            },
            {
              name: 'NODE_IMAGE',
              uri: `pkg:oci/node@${digest('3')}?repository_url=docker.io%2Flibrary%2Fnode&tag=24-alpine`,
              digest: { sha256: '3'.repeat(64) },
            },
            {
              name: 'RUNTIME_IMAGE',
              uri: `pkg:oci/runtime@${digest('4')}?repository_url=localhost%3A5000%2Fstandin%2Fruntime`,
              digest: { sha256: '4'.repeat(64) },
            },
            { name: 'package-lock.json', digest: { sha256: '5'.repeat(64) } },
          ],
        },
        runDetails: {
          builder: { id: BUILDER, version: made.tools },
          metadata: {
            invocationId: 'https://github.com/a/b/actions/runs/1/attempts/1',
            startedOn: '2026-01-02T03:04:05.000Z',
            finishedOn: '2026-01-02T03:05:05.000Z',
          },
        },
      },
    });
  });

  test('leaves out what is not known, and gives a commit by SHA-256 no SHA-1', () => {
    const revision = 'a'.repeat(64);
    const build = { builder: BUILDER, dockerfile: 'Dockerfile' };
    const bare = { ...made, source: { revision, time: 0 }, base: undefined, build };
    const { predicate } = JSON.parse(JSON.stringify(provenanceOf(plan, bare)));
    assert.deepEqual(predicate.buildDefinition.resolvedDependencies, [
      { name: 'source', digest: { gitCommit: revision } },
    ]);
    assert.deepEqual(predicate.runDetails.metadata, {});
  });

  const UNPINNED: readonly (readonly [string, string])[] = [
    ['node', 'pkg:oci/node?repository_url=node'],
    ['host:5000/x/node', 'pkg:oci/node?repository_url=host%3A5000%2Fx%2Fnode'],
    ['host:5000/x/node:24', 'pkg:oci/node?repository_url=host%3A5000%2Fx%2Fnode&tag=24'],
  ];
  for (const [reference, uri] of UNPINNED) {
    test(`names a base image that nobody pinned, ${reference}, without a digest`, () => {
      const base = { images: { NODE_IMAGE: reference }, standIn: false };
      const { predicate } = JSON.parse(JSON.stringify(provenanceOf(plan, { ...made, base })));
      const found = predicate.buildDefinition.resolvedDependencies[1];
      assert.deepEqual(found, { name: 'NODE_IMAGE', uri });
    });
  }

  test('is by the builder that is named, else the workflow, else a machine that claims nothing', () => {
    const workflow = { identity: BUILDER, invocation: 'https://x/1' };
    assert.equal(builderOf({ builderId: 'https://me.example', workflow }), 'https://me.example');
    assert.equal(builderOf({ workflow }), BUILDER);
    assert.match(builderOf({}), /RELEASING\.md#local-builder$/);
  });
});

describe('a provenance is judged', () => {
  const statement = provenanceOf(plan, made);
  test('and found true, and told in a line', () => {
    const read = Statement.parse(JSON.parse(JSON.stringify(statement)));
    assert.equal(judgeProvenance(read, released), undefined);
    assert.equal(judgeProvenance(read, { ...released, builder: undefined }), undefined);
    assert.equal(describeProvenance(read), `commit ${COMMIT}, built by ${BUILDER}`);
  });

  const WRONG: readonly (readonly [string, Partial<Released>, RegExp])[] = [
    ['of another index', { index: digest('9') }, /not about sha256:9999/],
    [
      'of another platform',
      { platforms: [...PLATFORMS, { platform: 'linux/s390x', digest: digest('8') }] },
      /not about sha256:8888/,
    ],
    ['of another version', { version: 'v1.0.1' }, /it is of v1\.0\.0/],
    ['of another commit', { revision: 'f'.repeat(40) }, /commit 0123.*label says ffff/],
    ['of an image without a label', { revision: null }, /label says null/],
    [
      'by another builder',
      { builder: 'https://other.example' },
      /docker-publish\.yml.*not https:\/\/other\.example/,
    ],
  ];
  for (const [what, changes, why] of WRONG) {
    test(`and found ${what}`, () => {
      assert.match(judgeProvenance(statement, { ...released, ...changes }) ?? 'true', why);
    });
  }

  test('and found to be of something else', () => {
    for (const predicate of [{}, null, { buildDefinition: { buildType: 'https://x.example' } }]) {
      assert.match(
        judgeProvenance({ ...statement, predicate }, released) ?? '',
        /not the provenance of a release/,
      );
    }
  });
});
