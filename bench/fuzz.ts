/**
 * Fuzzes the API: make fuzz CASES=1000
 *
 * CASES is the most that are made up for one route and one way to make them up; 1000 come to more than 10,000
 * requests. Prints Schemathesis' summary and what became of the service. Exit code: 0 nothing was found, 1 it was.
 */

import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fuzz } from '../test/server/fuzz/fuzz.ts';
import { WholeService } from '../test/server/whole-service.ts';

const cases = Number(process.argv[2] ?? 1000);
const seed = Number(process.argv[3] ?? randomInt(2 ** 31));

/** Memory that the process holds, in megabytes. */
function memory(pid: number | undefined): string {
  const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return `${Math.round(Number(kilobytes) / 1024)} MB`;
}

const whole = await WholeService.start({ UPSTREAM_RETRIES: '0', BREAKER_FAILURES: '1000' });
const { process: child } = whole.service;
try {
  const before = memory(child.pid);
  const report = await fuzz(whole, { cases, seed, phases: 'examples,coverage,fuzzing,stateful' });
  process.stdout.write(report.text);
  const runs = child.exitCode === null;
  const faults = whole.service.lines().filter(({ level }) => level === 'error' || level === 'fatal');
  for (const fault of faults.slice(0, 10)) process.stdout.write(`${JSON.stringify(fault)}\n`);
  process.stdout.write(
    `\nService: ${runs ? 'still runs' : 'ENDED'}; ${faults.length} errors in its log; ` +
      `memory ${before} before, ${runs ? memory(child.pid) : '-'} after; ${report.cases} cases, seed ${seed}\n`,
  );
  process.exitCode = report.passed && runs && faults.length === 0 ? 0 : 1;
} finally {
  await whole.stop();
}
