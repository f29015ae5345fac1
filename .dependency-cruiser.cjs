// Which part may import which: npx depcruise (part of `npm run check`). docs/ARCHITECTURE.md says it in words.

/** The folders of src/release, from the bottom up: one may import those before its line, and those of its line. */
const LAYERS = [
  ['errors', 'machine', 'config', 'settings'],
  ['versions', 'image'],
  ['registry', 'signing', 'history'],
  ['build', 'chart'],
  ['start', 'policy', 'scan'],
  ['publish'],
  ['notes', 'github', 'docker-hub'],
  ['commands'],
  ['cli'],
];

const inLayers = (layers) => `^src/release/(${layers.flat().join('|')})(/|\\.ts$)`;

const upwards = LAYERS.slice(0, -1).map((layer, index) => ({
  name: `release-${layer.join('-')}-knows-nothing-above`,
  comment: 'Decisions stand on edges, commands on decisions: see LAYERS in .dependency-cruiser.cjs.',
  severity: 'error',
  from: { path: inLayers([layer]) },
  to: { path: inLayers(LAYERS.slice(index + 1)) },
}));

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'What needs each other is one thing, or a third thing is missing.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'every-folder-has-its-layer',
      comment: 'Give the new folder of src/release its place in LAYERS.',
      severity: 'error',
      from: { path: '^src/release/.*\\.ts$', pathNot: inLayers(LAYERS) },
      to: {},
    },
    {
      name: 'release-stands-alone',
      comment: 'The engine knows nothing of Dagger, nor of the service it ships.',
      severity: 'error',
      from: { path: '^src/release/' },
      to: { path: '^(ci|src/server|test|bench)/|@dagger\\.io' },
    },
    {
      name: 'service-stands-alone',
      comment: 'The image holds src/server alone.',
      severity: 'error',
      from: { path: '^src/server/' },
      to: { path: '^(ci|src/release|test|bench)/' },
    },
    {
      name: 'module-calls-no-source',
      comment: 'A Dagger engine loads ci/ without the rest of the project: it runs thoth-release instead.',
      severity: 'error',
      from: { path: '^ci/' },
      to: { path: '^(src|test|bench)/' },
    },
    ...upwards,
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^src/server/console/page/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.mjs', '.js'] },
  },
};
