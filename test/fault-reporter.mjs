// A reporter beside test/report.mjs: a line of JSON for each report of test/count-faults.ts.
import { relative } from 'node:path';

const REPORT = 'faults: ';

// biome-ignore lint/style/noDefaultExport: node takes the reporter from there
export default async function* report(events) {
  for await (const { type, data } of events) {
    if (type !== 'test:diagnostic' || !data.message.startsWith(REPORT)) continue;
    const counted = JSON.parse(data.message.slice(REPORT.length));
    yield `${JSON.stringify({ file: relative(import.meta.dirname, data.file), ...counted })}\n`;
  }
}
