import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasToken, readWorkflow, releaseIdentity } from '../../../src/release/machine/workflow.ts';

const GITHUB = {
  GITHUB_ACTIONS: 'true',
  GITHUB_SERVER_URL: 'https://github.com',
  GITHUB_REPOSITORY: 'a/b',
  GITHUB_WORKFLOW_REF: 'a/b/.github/workflows/docker-publish.yml@refs/tags/v1.0.0',
  GITHUB_RUN_ID: '12',
  GITHUB_RUN_ATTEMPT: '2',
};

test('a run of a GitHub workflow is named by its file at its ref, and by its page', () => {
  assert.deepEqual(readWorkflow(GITHUB), {
    identity: 'https://github.com/a/b/.github/workflows/docker-publish.yml@refs/tags/v1.0.0',
    invocation: 'https://github.com/a/b/actions/runs/12/attempts/2',
  });
});

for (const name of Object.keys(GITHUB)) {
  test(`without ${name} there is no workflow`, () => {
    assert.equal(readWorkflow({ ...GITHUB, [name]: '' }), undefined);
  });
}

const TOKENS: readonly (readonly [Record<string, string>, boolean])[] = [
  [{}, false],
  [{ ACTIONS_ID_TOKEN_REQUEST_URL: 'https://x' }, false],
  [{ ACTIONS_ID_TOKEN_REQUEST_URL: 'https://x', ACTIONS_ID_TOKEN_REQUEST_TOKEN: 't' }, true],
  [{ SIGSTORE_ID_TOKEN: 't' }, true],
  [{ SIGSTORE_ID_TOKEN: '' }, false],
];
for (const [env, expected] of TOKENS) {
  test(`with ${Object.keys(env).join(' and ') || 'nothing'} there is ${expected ? 'a' : 'no'} token`, () => {
    assert.equal(hasToken(env), expected);
  });
}

test('a release on GitHub is signed by the workflow that its tag started, and any other by nobody known', () => {
  assert.equal(
    releaseIdentity('https://github.com/a/b', 'docker-publish.yml', 'v1.0.0'),
    'https://github.com/a/b/.github/workflows/docker-publish.yml@refs/tags/v1.0.0',
  );
  for (const source of [undefined, 'https://gitlab.com/a/b', 'https://github.com.example/a/b']) {
    assert.equal(releaseIdentity(source, 'docker-publish.yml', 'v1.0.0'), undefined);
  }
});
