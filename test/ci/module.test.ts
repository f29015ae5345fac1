import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { BUNDLER, ENGINE_SOURCES } from '../../ci/src/command.ts';
import * as images from '../../ci/src/images.ts';
import { faults, findCalls } from './cli-call.ts';
import { LoadedModule } from './module.ts';
import { type Reference, readReference, referenceTables } from './reference.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const read = (...path: string[]) => readFileSync(join(ROOT, ...path), 'utf8');

/** What changes or reads something outside, and so must never be answered from the engine's cache. */
const OUTSIDE = [
  'notes',
  'serve',
  'scan',
  'plan',
  'publish',
  'rehearse',
  'verify',
  'rollback',
  'promote',
  'rescan',
];

interface Workflow {
  readonly on: unknown;
  readonly permissions: unknown;
  readonly jobs: Record<
    string,
    { permissions?: unknown; steps: { uses?: string; run?: string; with?: Record<string, unknown> }[] }
  >;
}

describe('the module as it registers itself', () => {
  const module = new LoadedModule();
  let reference: Reference;
  before(async () => {
    await module.start();
    reference = readReference(await module.register());
  });
  after(() => module.stop());

  test('has the functions of docs/DAGGER.md, with their arguments, defaults and cache policy', () => {
    const document = read('docs/DAGGER.md');
    const written = /<!-- generated[^>]*-->\n([\s\S]*)\n<!-- end -->/.exec(document)?.[1];
    assert.equal(written, referenceTables(reference), 'run: node --import tsx test/ci/write-reference.ts');
  });

  test('describes itself, every function and every argument', () => {
    assert.notEqual(reference.description, '');
    const silent = [
      ...reference.constructorArguments.map((argument) => ({ ...argument, name: `--${argument.flag}` })),
      ...reference.functions,
      ...reference.functions.flatMap((entry) =>
        entry.arguments.map((argument) => ({ ...argument, name: `${entry.name} --${argument.flag}` })),
      ),
    ].filter((part) => part.description === '');
    assert.deepEqual(
      silent.map((part) => part.name),
      [],
    );
  });

  test('never answers from the cache what touches the outside, and caches the rest', () => {
    const never = reference.functions.filter((entry) => entry.cache === 'Never').map((entry) => entry.name);
    assert.deepEqual(never.sort(), [...OUTSIDE].sort());
  });

  test('offers test, lint, scan and policy as checks, which need no argument', () => {
    const checks = reference.functions.filter((entry) => entry.check);
    assert.deepEqual(
      checks.map((entry) => entry.name),
      ['test', 'lint', 'scan', 'policy'],
    );
    assert.ok(checks.every((entry) => entry.arguments.every((argument) => argument.optional)));
  });

  test('needs no flag of its own, and takes credentials and certificates as secrets', () => {
    assert.ok(reference.constructorArguments.every((argument) => argument.optional));
    const secrets = reference.constructorArguments.filter((argument) => argument.type === 'Secret');
    assert.deepEqual(
      secrets.map((argument) => argument.name),
      ['registryToken', 'extraCa', 'githubToken', 'hubToken', 'signKey', 'signPassword', 'oidcToken'],
    );
  });

  test('has every pinned image as the default of a flag', () => {
    const defaults = reference.constructorArguments.map((argument) => argument.defaultValue);
    for (const image of Object.values(images)) {
      assert.match(image, /^[a-z0-9./-]+:[\w.-]+@sha256:[0-9a-f]{64}$/);
      assert.ok(defaults.includes(JSON.stringify(image)), image);
    }
  });

  test('leaves out of the source only what git ignores: anything else would make the tree dirty', () => {
    const ignored = read('.gitignore')
      .split('\n')
      .map((line) => line.replace(/\/$/, ''));
    const source = reference.constructorArguments.find((argument) => argument.name === 'source');
    assert.ok(source !== undefined && source.ignore.length > 0);
    for (const pattern of source.ignore) {
      assert.ok(ignored.includes(pattern.replace('**/', '')), `${pattern} is not in .gitignore`);
    }
  });

  test('takes as its engine nothing but what that is bundled of', () => {
    const engine = reference.constructorArguments.find((argument) => argument.name === 'engine');
    assert.equal(engine?.defaultPath, '/');
    assert.deepEqual(engine?.ignore, ['*', '!package.json', '!package-lock.json', `!${ENGINE_SOURCES}`]);
    assert.ok(existsSync(join(ROOT, BUNDLER)));
  });

  test('takes no setting of the service for a default: Dagger reads .env too', () => {
    const settings = [...read('.env.example').matchAll(/^#? ?([A-Z_]+)=/gm)].map((match) => match[1] ?? '');
    assert.ok(settings.length > 5);
    const names = reference.constructorArguments.map((argument) => argument.name.toLowerCase());
    assert.deepEqual(
      settings.filter((setting) => names.includes(setting.toLowerCase())),
      [],
    );
  });

  test('knows the settings that docs/DAGGER.md puts in .env', () => {
    const names = reference.constructorArguments.map((argument) => argument.name);
    const settings = [...read('docs/DAGGER.md').matchAll(/\bTHOTH_(\w+)=/g)].map((match) => match[1] ?? '');
    assert.ok(settings.length >= 3);
    assert.deepEqual(
      settings.filter((setting) => !names.includes(setting)),
      [],
    );
  });

  test('is called by workflows, scripts and documents with functions and flags that it has', async () => {
    const workflows = (await readdir(join(ROOT, '.github/workflows'))).map(
      (name) => `.github/workflows/${name}`,
    );
    const documents = (await readdir(join(ROOT, 'docs')))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name}`);
    const others = (await readdir(ROOT)).filter((name) => name.endsWith('.md') || name === 'Makefile');
    const least: Record<string, number> = {
      '.github/workflows/docker-publish.yml': 1,
      'docs/DAGGER.md': 10,
      'ci/test-engine.sh': 30,
    };
    for (const file of [...workflows, ...documents, ...others, 'ci/test-engine.sh']) {
      const text = file.endsWith('.yml') ? workflowCommands(file).join('\n') : read(file);
      const calls = findCalls(text);
      assert.ok(calls.length >= (least[file] ?? 0), `${file}: only ${calls.length} calls were found`);
      const found = calls.flatMap((call) => faults(call, reference, file.endsWith('.md')));
      assert.deepEqual(found, [], file);
    }
  });

  const WRONG: readonly [string, RegExp][] = [
    ['dagger call release --tag v1', /no function "release"/],
    ['dagger call publish --tga v1', /publish has no flag --tga/],
    ['dagger call publish', /publish needs --tag/],
    ['dagger call --user me publish --tag v1', /the module has no flag --user/],
    ['dagger call -o out rehearse --to=v1', /rehearse has no flag --to/],
    ['dagger check build', /"build" is no check/],
  ];
  for (const [text, fault] of WRONG) {
    test(`a wrong call is found: ${text}`, () => {
      const [call] = findCalls(text);
      assert.ok(call !== undefined);
      assert.match(faults(call, reference).join('\n'), fault);
    });
  }

  test('calls every function of it in the engine suite', () => {
    const called = new Set(findCalls(read('ci/test-engine.sh')).flatMap((call) => call.words));
    assert.deepEqual(
      reference.functions.map((entry) => entry.command).filter((name) => !called.has(name)),
      [],
    );
  });
});

describe('the workflows', () => {
  /** What each job may do, and nothing beside. */
  const PERMISSIONS: Readonly<Record<string, object>> = {
    'ci.yml': { contents: 'read' },
    'docker-publish.yml': { contents: 'write', 'id-token': 'write' },
    'install.yml': { contents: 'read' },
    'rescan.yml': { contents: 'read', issues: 'write' },
  };
  const files = Object.keys(PERMISSIONS);

  test('are all looked at here', async () => {
    assert.deepEqual((await readdir(join(ROOT, '.github/workflows'))).sort(), files);
  });

  for (const file of files) {
    test(`${file}: every action is pinned by commit, with its version beside it`, () => {
      const uses = [...read('.github/workflows', file).matchAll(/^\s*-?\s*uses: (.*)$/gm)];
      assert.ok(uses.length > 0);
      for (const [, action] of uses) assert.match(action ?? '', /^[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    });

    test(`${file}: no permission that it has no use for, and no credentials left on disk`, () => {
      const workflow = parse(read('.github/workflows', file)) as Workflow;
      assert.deepEqual(workflow.permissions, {});
      for (const job of Object.values(workflow.jobs)) {
        assert.deepEqual(job.permissions, PERMISSIONS[file]);
        const checkout = job.steps.find((step) => step.uses?.startsWith('actions/checkout@'));
        assert.equal(checkout?.with?.['persist-credentials'], false);
      }
    });
  }

  test('docker-publish.yml does nothing but call the module: under 40 lines, on tags v*', () => {
    const text = read('.github/workflows/docker-publish.yml');
    assert.ok(text.split('\n').length < 40);
    assert.deepEqual((parse(text) as Workflow).on, { push: { tags: ['v*'] } });
    const commands = workflowCommands('.github/workflows/docker-publish.yml');
    assert.equal(commands.length, 1);
    assert.match(commands[0] ?? '', /^dagger call .*publish --tag "\$GITHUB_REF_NAME"$/);
  });

  test('the engine they install is the one that dagger.json names', () => {
    const { engineVersion } = JSON.parse(read('dagger.json')) as { engineVersion: string };
    for (const file of files) {
      for (const job of Object.values((parse(read('.github/workflows', file)) as Workflow).jobs)) {
        for (const step of job.steps.filter((entry) => entry.uses?.startsWith('dagger/'))) {
          assert.equal(`v${step.with?.version}`, engineVersion);
        }
      }
    }
  });
});

function workflowCommands(file: string): string[] {
  const { jobs } = parse(read(file)) as Workflow;
  return Object.values(jobs).flatMap((job) => job.steps.flatMap((step) => (step.run ?? '').trim() || []));
}
