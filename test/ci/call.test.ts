import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { type Chain, ExecFailed, type Step } from './engine.ts';
import { LoadedModule, type Outcome } from './module.ts';

const SECRET = 'dckr_pat_planted';

/** What \`thoth-release config\` says of a project that is nothing like Thoth. */
const GREETER = {
  registry: 'ghcr.io',
  repository: 'ada/greeter',
  platforms: ['linux/amd64', 'linux/riscv64'],
  build: {
    dockerfile: 'app/docker/Dockerfile',
    context: 'app',
    args: { PYTHON_IMAGE: 'python:3.11', VERSION: '1.0.0' },
    epoch: 1_700_000_000,
  },
  start: { path: '/healthz', port: 9090, env: { PORT: '9090' } },
};
/** What it says of Thoth, in the parts that differ. */
const THOTH = {
  ...{ registry: 'docker.io', repository: 'marcopancotti/thoth', platforms: ['linux/amd64', 'linux/arm64'] },
  build: { dockerfile: 'Dockerfile', context: '.', args: { THOTH_VERSION: '1.0.0' }, epoch: 1_700_000_000 },
  start: { path: '/health', port: 8000, env: { HOST: '0.0.0.0', PORT: '8000' } },
};

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
  /** What the project's configuration says. */
  let config: object = THOTH;
  /** Files that are in neither directory. */
  let absent: readonly string[] = [];
  let source: string;
  let engine: string;

  before(async () => {
    await module.start();
    source = module.engine.identify([{ field: 'source', args: {} }]);
    engine = module.engine.identify([{ field: 'engine', args: {} }]);
    module.engine.answer = (chain) => {
      const command = lastCommand(chain);
      const field = chain.at(-1)?.field;
      const failure = failing.find(([part]) => command.includes(part));
      if (failure !== undefined && field !== 'withExec') throw new ExecFailed(failure[1], failure[2]);
      if (field === 'plaintext') return SECRET;
      if (field === 'glob') return ['test/a.test.ts', 'test/b.itg.test.ts'];
      if (field === 'exists') return !absent.includes(String(chain.at(-1)?.args.path));
      if (field !== 'stdout') return undefined;
      if (command.includes(' config ')) return JSON.stringify(config);
      return command.includes(' tags ') ? '["v1.0.1","v1.0","v1"]' : `printed by ${command}\n`;
    };
  });
  beforeEach(() => {
    failing = [];
    absent = [];
    config = THOTH;
    module.engine.documents = [];
  });
  after(() => module.stop());

  const call = (name: string, args: object = {}, options: object = {}): Promise<Outcome> =>
    module.call(name, args, {
      source,
      engine,
      baseImages: [],
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
  /** The commands of thoth-release that do something; what it was asked is not among them. */
  const commands = () => {
    const lines = module.engine.evaluated.filter((chain) => chain.at(-1)?.field === 'sync').map(lastCommand);
    return lines
      .filter((line) => line.startsWith('node /thoth/thoth-release.mjs'))
      .map((line) => line.split(' ')[2])
      .filter((name) => name !== 'config');
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
    const baseImages = ['NODE_IMAGE=node@sha256:a', 'RUNTIME_IMAGE=run@sha256:b'];
    assert.deepEqual(await planned({ baseImages }), [
      ...['dagger v0.21.9', 'THOTH_NODE_IMAGE=node@sha256:a', 'THOTH_RUNTIME_IMAGE=run@sha256:b'],
    ]);
  });

  test('every command of the engine is told where the chart goes, where that is named', async () => {
    await call(
      'publish',
      { tag: 'v1.0.0', dryRun: false },
      { ...credentials(), chartRepository: 'me/charts' },
    );
    const ours = module.engine.evaluated.filter((chain) => lastCommand(chain).startsWith('node /thoth/'));
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
    assert.deepEqual(builds[0]?.args.buildArgs, [
      { name: 'THOTH_VERSION', value: '1.0.0' },
      { name: 'SOURCE_DATE_EPOCH', value: '1700000000' },
    ]);
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

  test('another project is built, started and pushed as its own file says, and nothing as Thoth', async () => {
    config = GREETER;
    await call('publish', { tag: 'v1.0.0', dryRun: false }, credentials());
    const builds = everything().filter((step) => step.field === 'dockerBuild');
    assert.deepEqual([...new Set(builds.map((step) => step.args.platform))].sort(), GREETER.platforms);
    for (const { args } of builds) {
      assert.equal(args.dockerfile, 'docker/Dockerfile');
      assert.deepEqual(args.buildArgs, [
        { name: 'PYTHON_IMAGE', value: 'python:3.11' },
        { name: 'VERSION', value: '1.0.0' },
        { name: 'SOURCE_DATE_EPOCH', value: '1700000000' },
      ]);
    }
    const services = everything()
      .filter((step) => step.field === 'withServiceBinding')
      .map((step) => step.args.service as Chain);
    assert.ok(services.length > 0);
    for (const service of services) {
      assert.equal(service.find((step) => step.field === 'withExposedPort')?.args.port, 9090);
      assert.deepEqual(
        service.filter((step) => step.field === 'withEnvVariable').map(({ args }) => [args.name, args.value]),
        [['PORT', '9090']],
      );
    }
    const lines = [...new Set(module.engine.evaluated.map(lastCommand))];
    const starts = lines.filter((line) => line.includes(' start '));
    assert.deepEqual(
      starts.map((line) => [/--platform (\S+)/.exec(line)?.[1], /--url (\S+)/.exec(line)?.[1]]),
      GREETER.platforms.map((platform) => [platform, 'http://image:9090/healthz']),
    );
    for (const name of ['plan', 'publish', 'verify']) {
      const line = lines.find((one) => one.includes(` ${name} `)) ?? '';
      assert.match(line, /--registry ghcr\.io --repository ada\/greeter /, name);
    }
    assert.doesNotMatch(JSON.stringify(lines), /marcopancotti|docker\.io|:8000|\/health[^z]/);
  });

  test("the engine is bundled of its own sources alone, and the image is built of the project's alone", async () => {
    await call('publish', { tag: 'v1.0.0', dryRun: true });
    const all = everything();
    const roots = (chain: Chain) =>
      [...steps(chain)].map(({ field }) => field).filter((field) => ['source', 'engine'].includes(field));
    const bundles = all
      .filter((step) => step.field === 'withFile' && step.args.path === '/thoth/thoth-release.mjs')
      .map((step) => step.args.source as Chain);
    assert.ok(bundles.length > 0);
    for (const bundle of bundles) {
      assert.equal(lastCommand(bundle), 'node src/release/bundle.mjs');
      assert.deepEqual([...new Set(roots(bundle))], ['engine']);
    }
    const images = module.engine.evaluated.filter((chain) =>
      chain.some((step) => step.field === 'dockerBuild'),
    );
    assert.ok(images.length > 0);
    for (const image of images) assert.deepEqual([...new Set(roots(image))], ['source']);
  });

  test('what the module was told goes before what the file says', async () => {
    const told = { registry: 'registry.example', repository: 'me/it', npmRegistry: 'https://npm.example' };
    await call('verify', { tag: 'v1.0.0' }, { ...told, baseImages: ['PYTHON_IMAGE=python:mine'] });
    const asked = module.engine.evaluated.find((chain) => lastCommand(chain).includes(' config ')) ?? [];
    const variables = Object.fromEntries(
      asked
        .filter((step) => step.field === 'withEnvVariable' && String(step.args.name).startsWith('THOTH_'))
        .map(({ args }) => [args.name, args.value]),
    );
    assert.deepEqual(variables, {
      THOTH_HOME: '/thoth/home',
      THOTH_NPM_REGISTRY: 'https://npm.example',
      THOTH_PYTHON_IMAGE: 'python:mine',
      THOTH_REGISTRY: 'registry.example',
      THOTH_REPOSITORY: 'me/it',
    });
  });

  const REFUSED: readonly (readonly [string, string, object, () => void, RegExp])[] = [
    [
      'an engine that is no checkout of Thoth',
      'tags',
      { tag: 'v1.0.0' },
      () => {
        absent = ['src/release/bundle.mjs'];
      },
      /no checkout of Thoth.*--engine/s,
    ],
    [
      'a project that names no repository',
      'verify',
      { tag: 'v1.0.0' },
      () => {
        config = { ...GREETER, repository: undefined };
      },
      /which repository.*thoth-release\.json.*--repository/s,
    ],
    [
      'a Dockerfile outside of the build context',
      'layout',
      {},
      () => {
        config = { ...GREETER, build: { ...GREETER.build, dockerfile: 'Dockerfile' } };
      },
      /Dockerfile is not in app/,
    ],
    ...['test', 'lint'].map(
      (name) =>
        [
          `${name} of a project without npm packages`,
          name,
          {},
          () => {
            absent = ['package.json'];
          },
          /no npm packages.*scan and policy/s,
        ] as const,
    ),
  ];
  for (const [what, name, args, prepare, message] of REFUSED) {
    test(`refused, saying what to do: ${what}`, async () => {
      prepare();
      assert.match((await call(name, args)).error?.message ?? '', message);
    });
  }

  test('a base image that is none is refused', async () => {
    const { error } = await call('layout', {}, { baseImages: ['node:24'] });
    assert.match(error?.message ?? '', /--base-images: "node:24" is not an ARG and an image/);
  });

  for (const [what, start, ports] of [
    ['the port that the project names', GREETER.start, [9090]],
    ['the ports that the image exposes, where it names none', { ...GREETER.start, port: undefined }, [5000]],
  ] as const) {
    test(`serve listens on ${what}`, async () => {
      config = { ...GREETER, start };
      const { result } = await call('serve', {});
      const service = module.engine.chainOf(String(result));
      assert.deepEqual(
        service.filter((step) => step.field === 'withExposedPort').map((step) => step.args.port),
        ports,
      );
    });
  }

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
