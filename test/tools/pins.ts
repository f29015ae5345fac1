import { dirname, posix } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';

/** A tree of files: paths from its root to texts. */
export type Tree = ReadonlyMap<string, string>;

/** The product's own image, which releases pin by their digest and not by a file. */
const OWN = /^(?:docker\.io\/)?marcopancotti\/thoth(?:[:@]|$)/;
const BY_DIGEST = /@sha256:[0-9a-f]{64}$/;
/** A reference with a registry's name, wherever it stands in a text. */
const REFERENCE =
  /(?<![\w.-])(?:docker\.io|ghcr\.io|gcr\.io|quay\.io|mcr\.microsoft\.com|public\.ecr\.aws|registry\.k8s\.io)\/[a-z0-9][\w./-]*(?::[\w.-]+)?(?:@sha256:[0-9a-f]+)?/g;
/** `1.2.3`, and no range. */
const EXACT = /^\d+\.\d+\.\d+(?:-[\w.]+)?$/;

/** What must not stand in a script, or in a step of a workflow or a Dockerfile: it runs or trusts what may change. */
const UNPINNED_COMMANDS: readonly (readonly [RegExp, string])[] = [
  [/\b(?:curl|wget)\b[^|\n]*\|\s*(?:sudo\s+)?(?:ba|da|z)?sh\b/, 'runs what it downloads'],
  [/\bnpx\s+(?!--no(?:-install)?\s)/, 'runs a package that no lock file pins'],
  [/\bnpm\s+(?:i|install|add)\b[^\n]*\s(?:-g|--global)\b/, 'installs a package that no lock file pins'],
  [/\bgo\s+(?:install|run|get)\s+\S+@(?:latest|main|master|HEAD)\b/, 'builds a moving version'],
  [
    /\bpip3?["']?\s(?:[^\n\\]|\\\n)*\binstall\b(?!(?:[^\n\\]|\\\n)*--require-hashes)/,
    'installs without hashes',
  ],
  [
    /--allow-unauthenticated|trusted=yes|--no-check-gpg|AllowUnauthenticated|AllowInsecureRepositories/i,
    'takes Debian packages without their signature',
  ],
];

/** A rule for files of one kind: what in a file is not pinned, a word each. */
interface Rule {
  readonly kind: string;
  readonly files: RegExp;
  find(text: string, path: string, tree: Tree): readonly string[];
}

const RULES: readonly Rule[] = [
  { kind: 'image', files: /(?:^|\/)Dockerfile[^/]*$/, find: dockerfileImages },
  { kind: 'image', files: /^ci\/src\/.*\.ts$|\.sh$|^Makefile$/, find: references },
  {
    kind: 'image',
    files: /(?:^|\/)(?:docker-)?compose[^/]*\.ya?ml$|^deploy\/.*\.ya?ml$|^\.github\/.*\.ya?ml$/,
    find: yamlImages,
  },
  { kind: 'image', files: /(?:^|\/)values[^/]*\.ya?ml$/, find: helmImages },
  { kind: 'action', files: /^\.github\/.*\.ya?ml$/, find: actions },
  { kind: 'Go module', files: /(?:^|\/)go\.mod$/, find: goModules },
  { kind: 'npm package', files: /(?:^|\/)package-lock\.json$/, find: lockedPackages },
  { kind: 'npm package', files: /(?:^|\/)package\.json$/, find: namedPackages },
  { kind: 'Python package', files: /(?:^|\/)requirements[^/]*\.txt$/, find: pythonPackages },
  {
    kind: 'command',
    files: /\.sh$|^Makefile$|^\.ci\/|^\.github\/.*\.ya?ml$|(?:^|\/)Dockerfile[^/]*$/,
    find: commands,
  },
];

/**
 * Everything of others that a tree uses without saying by a digest, a hash or a commit which bytes it means, as
 * `deploy/caddy.yml: image caddy:2`. Tests and documents run nothing of it.
 */
export function unpinned(tree: Tree): string[] {
  return [...tree].flatMap(([path, text]) =>
    RULES.filter((rule) => rule.files.test(path)).flatMap(({ kind, find }) =>
      find(text, path, tree).map((what) => `${path}: ${kind} ${what}`),
    ),
  );
}

function isPinned(reference: string): boolean {
  return BY_DIGEST.test(reference) || OWN.test(reference) || reference === 'scratch';
}

/** Base images and copies; a stage's name and an argument stand for something that is looked at on its own. */
function dockerfileImages(text: string): string[] {
  const stages = new Set([...text.matchAll(/^FROM\s.*\sAS\s+(\S+)/gim)].map((match) => match[1]));
  const defaults = [...text.matchAll(/^ARG\s+\w*IMAGE\w*=(\S+)/gm)];
  const named = [
    ...text.matchAll(/^FROM\s+(?:--\S+\s+)*(\S+)/gim),
    ...text.matchAll(/^COPY\s.*--from=(\S+)/gim),
    ...text.matchAll(/--mount=\S*\bfrom=([^,\s]+)/g),
  ];
  return [...defaults, ...named]
    .map((match) => match[1] ?? '')
    .filter((reference) => !/^\$|^\d+$/.test(reference) && !stages.has(reference) && !isPinned(reference));
}

function references(text: string): string[] {
  return [...text.matchAll(REFERENCE)].map(([reference]) => reference).filter((one) => !isPinned(one));
}

/** `image:` in compose files, manifests, charts and workflows; what a template computes is not written there. */
function yamlImages(text: string): string[] {
  const values = [...text.matchAll(/^\s*(?:-\s+)?(?:image|container):[ \t]*(\S.*?)\s*$/gm)].map(
    (match) => match[1] ?? '',
  );
  return values
    .map((value) => value.replace(/\s+#.*$/, '').replace(/^(['"])(.*)\1$/, '$2'))
    .map((value) => /^\$\{\w+:?-(.*)\}$/.exec(value)?.[1] ?? value)
    .filter((value) => !/^\{\{|^\$\{\{/.test(value) && !isPinned(value));
}

const HelmImage = z.looseObject({ repository: z.string(), digest: z.string().optional() });

/** Objects of a chart's values that name a repository, and so an image. */
function helmImages(text: string): string[] {
  const found: string[] = [];
  const visit = (value: unknown) => {
    const image = HelmImage.safeParse(value).data;
    if (image !== undefined && !isPinned(`${image.repository}@${image.digest ?? ''}`))
      found.push(image.repository);
    if (typeof value === 'object' && value !== null) Object.values(value).forEach(visit);
  };
  for (const document of parseAllDocuments(text)) visit(document.toJSON());
  return found;
}

/** An action is pinned by its commit: a tag can be moved, and was (trivy-action, March 2026). */
function actions(text: string): string[] {
  return [...text.matchAll(/^\s*(?:-\s+)?uses:\s*['"]?([^\s'"#]+)/gm)]
    .map((match) => match[1] ?? '')
    .filter((used) => !used.startsWith('./'))
    .filter((used) => (used.startsWith('docker://') ? !isPinned(used) : !/@[0-9a-f]{40}$/.test(used)));
}

/** Every module has its hash in go.sum, which the go command checks against the log of sum.golang.org. */
function goModules(text: string, path: string, tree: Tree): string[] {
  const sums = tree.get(posix.join(dirname(path), 'go.sum')) ?? '';
  const required = [...text.matchAll(/^(?:require[ \t]+|\t)([\w.~/-]+)[ \t]+(v\S+)/gm)];
  const missing = required
    .filter(([, name, version]) =>
      [`${version}`, `${version}/go.mod`].some((one) => !sums.includes(`${name} ${one} h1:`)),
    )
    .map(([, name, version]) => `${name} ${version}`);
  const elsewhere = [...text.matchAll(/=>\s*(\S+)(?:\s+(v\S+))?/g)]
    .filter(([, , version]) => version === undefined)
    .map(([, name]) => `${name}`);
  return [...missing, ...elsewhere];
}

const Lock = z.object({
  packages: z.record(
    z.string(),
    z.object({
      integrity: z.string().optional(),
      resolved: z.string().optional(),
      link: z.boolean().default(false),
      inBundle: z.boolean().default(false),
    }),
  ),
});

/** Every package has its hash; what another one bundles is in that one's. */
function lockedPackages(text: string): string[] {
  return Object.entries(Lock.parse(JSON.parse(text)).packages)
    .filter(([name, one]) => name !== '' && !one.link && !one.inBundle)
    .filter(([, { integrity = '', resolved }]) => {
      const fromRegistry = resolved === undefined || resolved.startsWith('https://registry.npmjs.org/');
      return !integrity.startsWith('sha512-') || !fromRegistry;
    })
    .map(([name]) => name);
}

const Manifest = z.object({
  dependencies: z.record(z.string(), z.string()).default({}),
  devDependencies: z.record(z.string(), z.string()).default({}),
});

/** Without a lock file beside it, all that pins a package is its exact version. */
function namedPackages(text: string, path: string, tree: Tree): string[] {
  if (tree.has(posix.join(dirname(path), 'package-lock.json'))) return [];
  const { dependencies, devDependencies } = Manifest.parse(JSON.parse(text));
  return Object.entries({ ...dependencies, ...devDependencies })
    .filter(([, version]) => !EXACT.test(version))
    .map(([name, version]) => `${name} ${version}`);
}

function pythonPackages(text: string): string[] {
  return text
    .replaceAll('\\\n', ' ')
    .split('\n')
    .map((line) => line.replace(/(?:^|\s)#.*/, '').trim())
    .filter((line) => line !== '' && !(/^[\w.[\]-]+==[^\s;]+/.test(line) && line.includes('--hash=sha256:')))
    .map((line) => line.split(/\s/)[0] ?? line);
}

function commands(text: string): string[] {
  const code = text.replace(/^[ \t]*#.*$/gm, '');
  return UNPINNED_COMMANDS.flatMap(([pattern, what]) => {
    const found = pattern.exec(code);
    return found === null ? [] : [`${what}: ${found[0].replace(/\s+/g, ' ')}`];
  });
}
