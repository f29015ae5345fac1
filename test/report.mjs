// The reporter of test/run.mjs: node's "spec", and the summary once more after the list of failures, so that it
// is always the last thing printed. What test/faults.mjs is told is left out.
import { Readable } from 'node:stream';
import { spec as Spec } from 'node:test/reporters';

const SUMMARY = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) /;

// biome-ignore lint/style/noDefaultExport: node takes the reporter from there
export default async function* report(events) {
  const summary = [];
  let failed = false;
  async function* watched() {
    for await (const event of events) {
      if (event.type === 'test:fail') failed = true;
      const { nesting, message } = event.data;
      if (event.type === 'test:diagnostic' && message.startsWith('faults: ')) continue;
      if (event.type === 'test:diagnostic' && nesting === 0 && SUMMARY.test(message)) summary.push(message);
      yield event;
    }
  }
  yield* Readable.from(watched()).pipe(new Spec());
  if (failed) yield `\n${summary.map((line) => `ℹ ${line}\n`).join('')}`;
}
