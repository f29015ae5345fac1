import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { type Chain, ExecFailed, type Step } from './engine.ts';
import { LoadedModule, type Outcome } from './module.ts';

const SECRET = 'dckr_pat_planted';
const REVISION = `${'c0ffee'.repeat(6)}beef`;

/** Arguments of the last command of a chain. */
function lastCommand(chain: Chain): string {
  const exec = chain.filter((step) => step.field === 'withExec').at(-1);
  return ((exec?.args.args as string[] | undefined) ?? []).join(' ');
}

/** Every step of a chain and of the chains in its arguments. */
function* steps(chain: Chain): Generator<Step> {
  for (const step of chain) {
    yield step;
    for (const value of Object.values(step.args)) {
      for (const entry of Array.isArray(value) ? value : []) {
        if (Array.isArray(entry)) yield* steps(entry as Chain);
        else if (typeof entry === 'object' && entry !== null && 'field' in entry)
          yield* steps([entry as Step]);
      }
    }
  }
}

describe('what a call asks of the engine', () => {
  const module = new LoadedModule();
  /** Commands that fail: a part of the command line, the exit code, what it prints. */
  let failing: readonly [string, number, string][] = [];
  let source: string;

  before(async () => {
    await module.start();
    source = module.engine.identify([{ field: 'source', args: {} }]);
    module.engine.answer = (chain) => {
      const command = lastCommand(chain);
      const field = chain.at(-1)?.field;
      const failure = failing.find(([part]) => command.includes(part));
      if (failure !== undefined && field !== 'withExec') throw new ExecFailed(failure[1], failure[2]);
      if (field === 'plaintext') return SECRET;
      if (field === 'glob') return ['test/a.test.ts', 'test/b.itg.test.ts'];
      if (field !== 'stdout') return undefined;
      if (command.startsWith('git log')) return `${REVISION} 1700000000\n`;
      return command.includes(' tags ') ? '["v1.0.1","v1.0","v1"]' : `printed by ${command}\n`;
    };
  });
  beforeEach(() => {
    failing = [];
    module.engine.documents = [];
  });
  after(() => module.stop());

  const call = (name: string, args: object = {}, options: object = {}): Promise<Outcome> =>
    module.call(name, args, {
      source,
      registry: 'docker.io',
      repository: 'marcopancotti/thoth',
      toolboxImage: 'toolbox',
      trivyImage: 'trivy',
      regctlImage: 'regctl',
      cosignImage: 'cosign',
      registryImage: 'registry',
      sign: 'auto',
      workflow: ['GITHUB_RUN_ID=42'],
      ...options,
    });
  const secret = (uri: string) => module.engine.identify([{ field: 'secret', args: { uri } }]);
  const login = () => ({ registryUser: 'me', registryToken: secret('env://TOKEN') });
  const credentials = () => ({ ...login(), signKey: secret('file://cosign.key') });
  const everything = () => module.engine.evaluated.flatMap((chain) => [...steps(chain)]);
  const commands = () => {
    const lines = module.engine.evaluated.filter((chain) => chain.at(-1)?.field === 'sync').map(lastCommand);
    return lines
      .filter((line) => line.startsWith('node dist/thoth-release.mjs'))
      .map((line) => line.split(' ')[2]);
  };

  test('publish without credentials stops before it asks for anything', async () => {
    const { error } = await call('publish', { tag: 'v1.0.0', dryRun: false });
    assert.match(error?.message ?? '', /Nothing was built.*registryUser and registryToken/);
    assert.deepEqual(module.engine.evaluated, []);
  });

  test('publish that nobody signs stops before it asks for anything', async () => {
    const { error } = await call('publish', { tag: 'v1.0.0', dryRun: false }, login());
    assert.match(error?.message ?? '', /Nothing was built.*signKey, or oidcUrl and oidcToken/);
    assert.deepEqual(
      module.engine.evaluated.filter((chain) => chain.at(-1)?.field !== 'plaintext'),
      [],
    );
  });

  for (const [name, args] of [
    ['rollback', { to: 'v1.0.0', dryRun: false }],
    ['promote', { to: 'v1.0.0', channel: 'next', dryRun: false }],
  ] as const) {
    test(`${name} without credentials stops before it asks for anything`, async () => {
      assert.match((await call(name, args)).error?.message ?? '', /Nothing was built/);
      assert.deepEqual(module.engine.evaluated, []);
    });
  }

  test('publish goes from the layout over every gate to the push, and reads it back', async () => {
    const { result } = await call('publish', { tag: 'v1.0.0', dryRun: false }, credentials());
    assert.deepEqual(commands(), [
      ...['layout', 'start', 'start', 'policy', 'scan', 'sbom', 'plan', 'notes', 'publish', 'verify'],
    ]);
    assert.match(String(result), /printed by .* publish .*printed by .* verify /s);
  });

  test('with their tokens, the release on GitHub is a draft until it is out, and the page on Docker Hub follows', async () => {
    const tokens = { githubToken: secret('env://GITHUB_TOKEN'), hubToken: secret('env://HUB_TOKEN') };
    await call('publish', { tag: 'v1.0.0', dryRun: false }, { ...credentials(), ...tokens });
    assert.deepEqual(commands().slice(-6), [
      ...['notes', 'github-release', 'publish', 'verify', 'github-release', 'docker-hub'],
    ]);
    const lines = module.engine.evaluated.map(lastCommand).filter((line) => line.includes('github-release'));
    assert.deepEqual(
      [...new Set(lines)].map((line) => line.endsWith(' --draft')),
      [true, false],
    );
    const holding = (variable: string) =>
      new Set(
        module.engine.evaluated
          .filter((chain) =>
            chain.some((step) => step.field === 'withSecretVariable' && step.args.name === variable),
          )
          .map((chain) => lastCommand(chain).split(' ')[2]),
      );
    assert.deepEqual([...holding('GITHUB_TOKEN')], ['github-release']);
    assert.deepEqual([...holding('DOCKERHUB_TOKEN')], ['docker-hub']);
  });

  test('a release is signed with what was given, by the run that was named', async () => {
    const oidc = { oidcUrl: 'https://token.example', oidcToken: secret('env://OIDC') };
    await call('publish', { tag: 'v1.0.0', dryRun: false }, { ...login(), ...oidc });
    const given = (part: string) => {
      const chain = module.engine.evaluated.find((one) => lastCommand(one).includes(part)) ?? [];
      return chain
        .filter((step) => /^with(Env|Secret)Variable$/.test(step.field))
        .map((step) => step.args.name);
    };
    for (const part of [' plan ', ' publish ']) {
      assert.ok(given(part).includes('ACTIONS_ID_TOKEN_REQUEST_TOKEN'), part);
      assert.ok(given(part).includes('GITHUB_RUN_ID'), part);
    }
    assert.ok(!given(' scan ').includes('ACTIONS_ID_TOKEN_REQUEST_TOKEN'));
  });

  test('the provenance is told which engine built it, and which base images were named in place of the pinned ones', async () => {
    const planned = async (options: object) => {
      await call('publish', { tag: 'v1.0.0', dryRun: false }, { ...credentials(), ...options });
      const chain = module.engine.evaluated.find((one) => lastCommand(one).includes(' plan ')) ?? [];
      const images = chain.filter(
        ({ field, args }) => field === 'withEnvVariable' && /^THOTH_.*_IMAGE$/.test(String(args.name)),
      );
      return [
        /--built-by (\S+ \S+)/.exec(lastCommand(chain))?.[1],
        ...images.map(({ args }) => `${args.name}=${args.value}`),
      ];
    };
    assert.deepEqual(await planned({}), ['dagger v0.21.9']);
    assert.deepEqual(await planned({ nodeImage: 'node@sha256:a', runtimeImage: 'run@sha256:b' }), [
      ...['dagger v0.21.9', 'THOTH_NODE_IMAGE=node@sha256:a', 'THOTH_RUNTIME_IMAGE=run@sha256:b'],
    ]);
  });

  test('every command of the engine is told where the chart goes, where that is named', async () => {
    await call(
      'publish',
      { tag: 'v1.0.0', dryRun: false },
      { ...credentials(), chartRepository: 'me/charts' },
    );
    const ours = module.engine.evaluated.filter((chain) => lastCommand(chain).startsWith('node dist/'));
    for (const chain of ours) {
      const named = chain.find((step) => step.args.name === 'THOTH_CHART_REPOSITORY');
      assert.equal(named?.args.value, 'me/charts', lastCommand(chain));
    }
  });

  test('a variable that is none of a workflow, or holds a token, is refused and not repeated', async () => {
    for (const workflow of [['PATH=/x'], ['GITHUB_TOKEN=ghs_planted']]) {
      const { error } = await call(
        'publish',
        { tag: 'v1.0.0', dryRun: false },
        { ...credentials(), workflow },
      );
      assert.match(error?.message ?? '', /is no variable of a workflow/);
      assert.doesNotMatch(error?.message ?? '', /planted/);
    }
  });

  test('a dry run needs no credentials, pushes nothing and verifies nothing', async () => {
    const { error } = await call('publish', { tag: 'v1.0.0', dryRun: true });
    assert.equal(error, undefined);
    assert.equal(commands().at(-1), 'publish');
    assert.ok(module.engine.evaluated.some((chain) => lastCommand(chain).endsWith('--dry-run')));
  });

  const GATES: readonly [string, number, RegExp][] = [
    [' policy ', 4, /^policy: the image breaks the image policy.*planted/s],
    [' scan ', 3, /^scan: the scan gate is closed.*planted/s],
    [' scan ', 7, /^scan: the vulnerability data is missing or too old.*planted/s],
    [' plan ', 6, /^plan: refused: the tag is immutable.*planted/s],
    [' start ', 4, /^start linux\/amd64: .*planted/s],
  ];
  for (const [part, code, message] of GATES) {
    test(`nothing is pushed after${part}exits ${code}, and the exit code reaches the caller`, async () => {
      failing = [[part, code, 'planted']];
      const { error } = await call('publish', { tag: 'v1.0.0', dryRun: false }, credentials());
      assert.match(error?.message ?? '', message);
      assert.equal(error?.exitCode, code);
      assert.ok(!commands().includes('publish'));
    });
  }

  test('a rehearsal may go on without vulnerability data, and stops at a finding', async () => {
    const lenient = async (name: string, args: object, options?: object) => {
      await call(name, args, options);
      const lines = new Set(module.engine.evaluated.map(lastCommand));
      return [...lines].filter((line) => /--allow-unchecked$|--rehearsal$/.test(line)).length;
    };
    assert.equal(await lenient('rehearse', { tag: 'v1.0.0' }), 2);
    assert.equal(await lenient('publish', { tag: 'v1.0.0', dryRun: false }, credentials()), 0);
    assert.equal(await lenient('publish', { tag: 'v1.0.0', dryRun: true }), 0);
    failing = [[' scan ', 3, 'planted']];
    assert.match((await call('rehearse', { tag: 'v1.0.0' })).error?.message ?? '', /scan gate.*planted/s);
    assert.ok(!commands().includes('publish'));
  });

  test('a rehearsal holds its own registry up, is shown no credentials, and stops it even on failure', async () => {
    for (const failures of [[], [[' plan ', 2, 'planted']]] as (typeof failing)[]) {
      failing = failures;
      await call('rehearse', { tag: 'v1.0.0' }, credentials());
      const fields = module.engine.evaluated.map((chain) => chain.at(-1)?.field);
      assert.deepEqual(
        [
          fields.filter((field) => field === 'start').length,
          fields.filter((field) => field === 'stop').length,
        ],
        [1, 1],
      );
      assert.ok(!fields.includes('plaintext'));
      assert.ok(
        module.engine.evaluated.some((chain) => lastCommand(chain).includes('--registry registry:5000')),
      );
    }
  });

  test("a secret is in no command, file or variable: only the engine's own secret store is given it", async () => {
    const extraCa = module.engine.identify([{ field: 'secret', args: { uri: 'file:///ca.pem' } }]);
    await call('publish', { tag: 'v1.0.0', dryRun: false }, { ...credentials(), extraCa });
    const encoded = Buffer.from(`me:${SECRET}`).toString('base64');
    const carrying = everything().filter((step) => {
      const { plaintext: _, ...others } = step.args;
      const own = Object.values(step.field === 'setSecret' ? others : step.args).filter(
        (value) =>
          typeof value === 'string' || (Array.isArray(value) && value.every((v) => typeof v === 'string')),
      );
      return own.some((value) => String(value).includes(SECRET) || String(value).includes(encoded));
    });
    assert.deepEqual(carrying, []);
    const stored = everything().filter((step) => step.field === 'setSecret');
    assert.deepEqual([...new Set(stored.map((step) => step.args.name))].sort(), [
      'extra_ca',
      'thoth-docker-config',
    ]);
  });

  test('the scanner is shown no credentials', async () => {
    await call('publish', { tag: 'v1.0.0', dryRun: false }, credentials());
    const holding = (part: string) =>
      module.engine.evaluated
        .filter((chain) => lastCommand(chain).includes(part))
        .some((chain) => [...steps(chain)].some((step) => step.field === 'withMountedSecret'));
    assert.deepEqual([' policy ', ' scan ', ' sbom '].map(holding), [false, false, false]);
    assert.ok(holding(' publish '));
  });

  test('every platform is built with the commit and one fixed compression, and started from the layout', async () => {
    await call('publish', { tag: 'v1.0.0', dryRun: true });
    const builds = everything().filter((step) => step.field === 'dockerBuild');
    assert.deepEqual([...new Set(builds.map((step) => step.args.platform))].sort(), [
      'linux/amd64',
      'linux/arm64',
    ]);
    const given = builds[0]?.args.buildArgs as { name: string; value: string }[];
    assert.ok(given.some(({ name, value }) => name === 'THOTH_REVISION' && value === REVISION));
    const [archive] = everything().filter((step) => step.field === 'asTarball');
    assert.deepEqual(
      [
        archive?.args.forcedCompression,
        archive?.args.mediaTypes,
        (archive?.args.platformVariants as [] | undefined)?.length,
      ],
      ['Gzip', 'OCI', 2],
    );
    const services = everything().filter((step) => step.field === 'withServiceBinding');
    assert.ok(services.every((step) => (step.args.service as Chain).some(({ field }) => field === 'import')));
  });

  test('what touches the outside carries a value of its own on each call', async () => {
    const runs = async () => {
      await call('verify', { tag: 'v1.0.0' });
      return everything()
        .filter((step) => step.field === 'withEnvVariable' && step.args.name === 'THOTH_RUN')
        .map((step) => step.args.value);
    };
    const [first, second] = [await runs(), await runs()];
    assert.ok(first.length > 0);
    assert.notEqual(first[0], second[0]);
  });

  test('a registry that is a service is bound to every command that speaks to it, by name and without TLS', async () => {
    const registryService = module.engine.identify([{ field: 'hostService', args: {} }]);
    module.engine.documents = [];
    await call('verify', { tag: 'v1.0.0' }, { registryService });
    const variables = everything().filter((step) => step.field === 'withEnvVariable');
    assert.ok(
      variables.some(
        ({ args }) => args.name === 'THOTH_REGISTRY_PLAIN_HTTP' && args.value === 'registry:5000',
      ),
    );
    assert.ok(
      everything().some((step) => step.field === 'withServiceBinding' && step.args.alias === 'registry'),
    );
  });

  const PLAIN: readonly [string, object, RegExp][] = [
    ['tags', { tag: 'v1.0.1', existing: ['v1.0.0', 'v2.0.0'] }, /v1\.0\.1,v1\.0,v1/],
    ['test', {}, /printed by node --import tsx --test test\/a\.test\.ts/],
    ['lint', {}, /printed by npm run --silent check/],
    ['scan', { severity: 'HIGH', format: 'json' }, /scan .*--severity HIGH --format json/],
    ['policy', {}, /printed by .* policy /],
    ['verify', { tag: 'v1.0.0' }, /printed by .* verify .*--tag v1\.0\.0/],
  ];
  for (const [name, args, expected] of PLAIN) {
    test(`${name} returns what its command printed`, async () =>
      assert.match(String((await call(name, args)).result), expected));
  }

  for (const [name, args] of [
    ['build', { platform: 'linux/arm64', tag: 'v1.0.0' }],
    ['layout', {}],
    ['sbom', { format: 'spdx' }],
    ['notes', { tag: 'v1.0.0' }],
    ['changelog', { tag: 'v1.0.0' }],
    ['serve', {}],
  ] as const) {
    test(`${name} returns an object of the engine`, async () =>
      assert.match(String((await call(name, args)).result), /^id-\d+$/));
  }

  test('plan returns an object of the engine', async () =>
    assert.match(String((await call('plan', { tag: 'v1.0.0' }, credentials())).result), /^id-\d+$/));

  test('an unknown SBOM format is refused by name', async () =>
    assert.match((await call('sbom', { format: 'swid' })).error?.message ?? '', /"swid".*cyclonedx, spdx/));
});
