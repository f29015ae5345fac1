// Changes the decisions of src/release, one place at a time, and asks whether a test notices: make mutation.
import { join } from 'node:path';

const HERE = import.meta.dirname;

/** Decisions: pure, so that a change of any must show in a test that needs nothing but Node. */
const DECISIONS = [
  'versions/tags.ts',
  'versions/version.ts',
  'scan/gate.ts',
  'scan/ignored.ts',
  'publish/plan.ts',
  'registry/registry-fault.ts',
  'policy/config-rules.ts',
  'policy/file-rules.ts',
  'policy/same-rules.ts',
];

// biome-ignore lint/style/noDefaultExport: Stryker takes it from there
export default {
  plugins: [join(HERE, 'node_modules/@stryker-mutator/tap-runner/dist/src/index.js')],
  testRunner: 'tap',
  tap: {
    testFiles: [
      ...DECISIONS.map((file) => `test/release/${file.replace(/\.ts$/, '.test.ts')}`),
      'test/release/policy/policy.test.ts',
    ],
    // Node strips the types itself, in half the time of tsx.
    nodeArgs: [
      '--experimental-strip-types',
      '--test-reporter=tap',
      '--require',
      '{{hookFile}}',
      '{{testFile}}',
    ],
    forceBail: true,
  },
  mutate: DECISIONS.map((file) => `src/release/${file}`),
  // The words of an error are for people; its code, what it names and what it decides are what tests hold on to.
  mutator: { excludedMutations: ['StringLiteral'] },
  ignorePatterns: [
    '**',
    '!src/**',
    '!test/**',
    '!package.json',
    '!tsconfig.json',
    '!security/**',
    '!Dockerfile',
    '!thoth-release.json',
  ],
  coverageAnalysis: 'perTest',
  concurrency: 2,
  timeoutMS: 20_000,
  tempDirName: '.thoth/stryker',
  reporters: ['clear-text', 'json', 'progress-append-only'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  jsonReporter: { fileName: '.thoth/mutation.json' },
  thresholds: { high: 95, low: 90, break: 90 },
};
