// Loaded into each test file by test/run.mjs: ends one that goes on after its tests had their time, by which the
// file fails by its name. Node's own --test-timeout ends tests alone, and not what keeps a file from ending.
const LINGERS_MS = 2_000;
const LIMIT = '--test-timeout=';

// The runner loads this too; it may take as long as it needs.
if (process.env.NODE_TEST_CONTEXT !== undefined) {
  // Coverage is of what runs in the tests themselves: programs that they start are bundled, or run by another Node, and
  // their lines are elsewhere.
  delete process.env.NODE_V8_COVERAGE;
  const limit = Number(process.execArgv.findLast((arg) => arg.startsWith(LIMIT))?.slice(LIMIT.length));
  const end = () => {
    process.stderr.write(`${process.argv[1]} did not end within ${limit} ms.\n`);
    process.exit(1);
  };
  setTimeout(end, limit + LINGERS_MS).unref();
}
