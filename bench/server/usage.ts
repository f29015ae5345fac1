// What keys and usage cost a request: node --import tsx bench/server/usage.ts
//
// Run on the disk that TMPDIR names. Prints microseconds; asserts nothing.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { pino } from 'pino';
import { NO_LIMITS } from '../../src/server/keys/client-key.ts';
import { Keyring } from '../../src/server/keys/keyring.ts';
import { Store } from '../../src/server/store/store.ts';
import type { Entry } from '../../src/server/usage/entry.ts';
import { Recorder } from '../../src/server/usage/recorder.ts';
import { UsageTable } from '../../src/server/usage/usage-table.ts';

const REQUESTS = 20_000;
/** How many come within the 20 ms that a batch gathers, at some 5,000 a second. */
const A_BATCH = 100;

const REQUEST: Omit<Entry, 'at'> = {
  request_id: '6f7b0c0e-5c43-4f0a-9f0e-6a4e8f0a9b1c',
  key_id: '0f1e2d3c4b5a',
  endpoint: 'chat.completions',
  model: 'openai/gpt-4o-mini',
  provider: 'openai',
  upstream_model: 'gpt-4o-mini',
  status: 200,
  streamed: 1,
  input_tokens: 1200,
  output_tokens: 340,
  cached_tokens: 0,
  cost: 384_000,
  measured: 'provider',
  ms: 1834,
  first_byte_ms: 412,
  tries: 1,
};

const directory = mkdtempSync(join(tmpdir(), 'thoth-bench-'));
const store = new Store(directory, { service: true });
try {
  const keyring = new Keyring(store);
  const { token } = keyring.create({ name: 'bench', scopes: ['chat'], expiresAt: null, limits: NO_LIMITS });
  report(
    'check a client key',
    times(REQUESTS, () => keyring.authenticate(token)),
  );

  const recorder = new Recorder(store, pino({ level: 'silent' }));
  recorder.flush();
  const recorded: number[] = [];
  const flushed: number[] = [];
  for (let batch = 0; batch < REQUESTS / A_BATCH; batch += 1) {
    recorded.push(...times(A_BATCH, () => recorder.record(REQUEST)));
    flushed.push(...times(1, () => recorder.flush()));
    if (batch % 50 === 49) await wait(1_000); // as at 5,000 a second
  }
  report('record a request: it survives the end of the process', recorded);
  report(`write a batch of ${A_BATCH} to the database`, flushed);
  recorder.close();

  const table = new UsageTable(store);
  let at = Date.now() * 1000 + 1e9;
  report(
    'for comparison, a transaction for each request',
    times(REQUESTS / 10, () => table.add([{ ...REQUEST, at: at++ }])),
  );
} finally {
  store.close();
  rmSync(directory, { recursive: true });
}

/** Microseconds of each call. */
function times(count: number, work: () => unknown): number[] {
  return Array.from({ length: count }, () => {
    const started = performance.now();
    work();
    return (performance.now() - started) * 1000;
  });
}

function report(what: string, took: readonly number[]): void {
  const sorted = [...took].sort((a, b) => a - b);
  const mean = took.reduce((sum, one) => sum + one, 0) / took.length;
  const at = (part: number) => sorted[Math.floor(sorted.length * part)] ?? 0;
  const numbers = [mean, at(0.5), at(0.99), at(0.9999)].map((value) => value.toFixed(1).padStart(9));
  process.stdout.write(`${what.padEnd(54)} mean, p50, p99, p99.99 in us: ${numbers.join('')}\n`);
}
