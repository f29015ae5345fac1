import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { type Tree, unpinned } from './pins.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const DIGEST = `sha256:${'a'.repeat(64)}`;
const COMMIT = 'b'.repeat(40);

/** The files that are in the repository, or would be with the next commit. */
function project(): Tree {
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  const paths = listed.split('\0').filter((path) => path !== '' && existsSync(join(ROOT, path)));
  return new Map(paths.map((path) => [path, readFileSync(join(ROOT, path), 'utf8')]));
}

test('every image, action, module and package of others that the project uses is pinned', () => {
  const tree = project();
  // So that a file that moved elsewhere is not just passed over.
  for (const path of [
    'Dockerfile',
    'ci/src/images.ts',
    'docker-compose.yml',
    'package-lock.json',
    'tools/trivy/go.mod',
  ])
    assert.ok(tree.has(path), path);
  assert.deepEqual(unpinned(tree), []);
});

const lock = (entry: unknown) => JSON.stringify({ packages: { '': {}, 'node_modules/x': entry } });
const mod = 'module m\n\nrequire (\n\texample.com/x v1.2.3\n\texample.com/y v0.1.0 // indirect\n)\n';
const sum = (name: string, version: string) => `${name} ${version} h1:q\n${name} ${version}/go.mod h1:q\n`;

/** Planted: the file, the rest of its tree, and what is said of it. */
const planted: readonly (readonly [
  string,
  string,
  string,
  readonly string[],
  Readonly<Record<string, string>>?,
])[] = [
  [
    'a base image',
    'Dockerfile',
    `ARG NODE_IMAGE=docker.io/library/node:24\nFROM \${NODE_IMAGE}\n`,
    ['image docker.io/library/node:24'],
  ],
  [
    'a base image without an argument',
    'deploy/x/Dockerfile',
    'FROM --platform=$BUILDPLATFORM alpine AS a\nFROM a\n',
    ['image alpine'],
  ],
  [
    'an image copied from',
    'Dockerfile',
    'FROM scratch\nCOPY --from=busybox:1 /bin/sh /bin/sh\n',
    ['image busybox:1'],
  ],
  [
    'an image mounted from',
    'Dockerfile',
    'FROM scratch\nRUN --mount=type=bind,from=busybox:1,target=/x x\n',
    ['image busybox:1'],
  ],
  [
    'an image of the module',
    'ci/src/images.ts',
    "export const X = 'ghcr.io/a/b:1';\n",
    ['image ghcr.io/a/b:1'],
  ],
  ['an image in a script', 'scripts/x.sh', 'docker run quay.io/a/b true\n', ['image quay.io/a/b']],
  [
    'an image of a compose file',
    'deploy/compose/x.yml',
    'services:\n  a:\n    image: caddy:2\n',
    ['image caddy:2'],
  ],
  [
    'an image that a variable may replace',
    'docker-compose.yml',
    `services: {}\nx:\n  image: \${A:-docker.io/library/caddy:2}\n`,
    ['image docker.io/library/caddy:2'],
  ],
  [
    'an image of a manifest',
    'deploy/k8s.yaml',
    "containers:\n  - image: 'registry.k8s.io/x:1' # why\n",
    ['image registry.k8s.io/x:1'],
  ],
  [
    'an image of a chart',
    'deploy/helm/x/values.yaml',
    'db:\n  image:\n    repository: docker.io/library/postgres\n    tag: "17"\n',
    ['image docker.io/library/postgres'],
  ],
  [
    'an image of a workflow',
    '.github/workflows/x.yml',
    'jobs:\n  a:\n    container: node:24\n',
    ['image node:24'],
  ],
  [
    'an action by its tag',
    '.github/workflows/x.yml',
    'steps:\n  - uses: actions/checkout@v6\n',
    ['action actions/checkout@v6'],
  ],
  [
    'an action by a short commit',
    '.github/workflows/x.yml',
    '    uses: a/b/c@0123456 # v1\n',
    ['action a/b/c@0123456'],
  ],
  [
    'an action that is an image',
    '.github/actions/x/action.yml',
    'runs:\n  steps:\n    - uses: docker://alpine:3\n',
    ['action docker://alpine:3'],
  ],
  [
    'a Go module without its hash',
    'tools/x/go.mod',
    mod,
    ['Go module example.com/y v0.1.0'],
    { 'tools/x/go.sum': sum('example.com/x', 'v1.2.3') },
  ],
  [
    'Go modules without go.sum',
    'tools/x/go.mod',
    mod,
    ['Go module example.com/x v1.2.3', 'Go module example.com/y v0.1.0'],
  ],
  [
    'a Go module from a folder',
    'tools/x/go.mod',
    'module m\n\nreplace example.com/x => ../x\n',
    ['Go module ../x'],
  ],
  [
    'an npm package without its hash',
    'package-lock.json',
    lock({ version: '1.0.0' }),
    ['npm package node_modules/x'],
  ],
  [
    'an npm package by a weak hash',
    'package-lock.json',
    lock({ integrity: 'sha1-x' }),
    ['npm package node_modules/x'],
  ],
  [
    'an npm package from elsewhere',
    'x/package-lock.json',
    lock({ integrity: 'sha512-x', resolved: 'git+ssh://git@example.com/x' }),
    ['npm package node_modules/x'],
  ],
  [
    'an npm package by a range, without a lock',
    'ci/package.json',
    '{"dependencies":{"x":"^1.0.0"}}',
    ['npm package x ^1.0.0'],
  ],
  [
    'a Python package without its hash',
    'tools/x/requirements.txt',
    'x==1.0\ny==1.0 \\\n    --hash=sha256:0\n',
    ['Python package x==1.0'],
  ],
  [
    'a Python package by a range',
    'tools/x/requirements.txt',
    'x>=1.0 --hash=sha256:0\n',
    ['Python package x>=1.0'],
  ],
  [
    'a script that is downloaded and run',
    'tools/x.sh',
    'curl -fsSL https://example.com/x | sudo sh -s\n',
    ['command runs what it downloads: curl -fsSL https://example.com/x | sudo sh'],
  ],
  [
    'a package that npx fetches',
    'Makefile',
    'x:\n\tnpx cowsay\n',
    ['command runs a package that no lock file pins: npx '],
  ],
  [
    'a global package',
    '.github/workflows/x.yml',
    '      - run: npm install --global cowsay\n',
    ['command installs a package that no lock file pins: npm install --global'],
  ],
  [
    'a Go program of whatever version',
    'tools/x.sh',
    'go install example.com/x@latest\n',
    ['command builds a moving version: go install example.com/x@latest'],
  ],
  [
    'Python packages without their hashes',
    'tools/x.sh',
    'python3 -m pip install -r requirements.txt\n',
    ['command installs without hashes: pip install'],
  ],
  [
    'Debian packages without their signature',
    'tools/x.sh',
    'mmdebstrap bookworm x "deb [trusted=yes] http://deb.debian.org/debian bookworm main"\n',
    ['command takes Debian packages without their signature: trusted=yes'],
  ],
];
for (const [name, path, text, said, rest = {}] of planted) {
  test(`caught: ${name}`, () => {
    const tree = new Map([...Object.entries(rest), [path, text]]);
    assert.deepEqual(
      unpinned(tree),
      said.map((what) => `${path}: ${what}`),
    );
  });
}

const fine: readonly (readonly [string, string, string, Readonly<Record<string, string>>?])[] = [
  [
    'images by their digest',
    'Dockerfile',
    `ARG NODE_IMAGE=node:24@${DIGEST}\nFROM \${NODE_IMAGE} AS build\nFROM scratch\nCOPY --from=build a b\nCOPY --from=0 a b\n`,
  ],
  [
    'an image of a compose file by its digest',
    'docker-compose.yml',
    `a:\n  image: \${X:-caddy:2@${DIGEST}}\n`,
  ],
  [
    "the product's own image",
    'docker-compose.yml',
    `a:\n  image: \${X:-docker.io/marcopancotti/thoth:latest}\n`,
  ],
  [
    "the product's own chart",
    'deploy/helm/thoth/values.yaml',
    "image:\n  repository: docker.io/marcopancotti/thoth\n  digest: ''\n",
  ],
  [
    'another chart by its digest',
    'deploy/helm/x/values.yaml',
    `image:\n  repository: postgres\n  digest: ${DIGEST}\n`,
  ],
  ['what a template computes', 'deploy/helm/x/templates/x.yaml', 'image: {{ include "x" . | quote }}\n'],
  [
    'actions by their commit, and of the repository',
    '.github/workflows/x.yml',
    `- uses: a/b@${COMMIT} # v1\n- uses: ./.github/actions/x\n`,
  ],
  [
    'Go modules with their hashes',
    'go.mod',
    mod,
    { 'go.sum': sum('example.com/x', 'v1.2.3') + sum('example.com/y', 'v0.1.0') },
  ],
  [
    'ranges that a lock file pins',
    'package.json',
    '{"dependencies":{"x":"^1.0.0"}}',
    { 'package-lock.json': '{"packages":{}}' },
  ],
  [
    'commands in comments, and those that the lock file pins',
    'Makefile',
    '# curl x | sh\nx:\n\tnpx --no-install tsc\n',
  ],
  ['Python packages with their hashes', 'x.sh', 'pip --quiet install --require-hashes \\\n  -r x\n'],
];
for (const [name, path, text, rest = {}] of fine) {
  test(`let through: ${name}`, () => {
    assert.deepEqual(unpinned(new Map([...Object.entries(rest), [path, text]])), []);
  });
}
