// Measures Thoth beside Portkey and LiteLLM over one provider: node --import tsx bench/server/main.ts [SECONDS]
//
// In every round each gateway is started anew, and the provider is asked without one, so that what the machine
// does meanwhile meets all of them. Prints a table of medians; asserts nothing.
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { execa } from 'execa';
import { freePort } from '../../test/server/free-port.ts';
import { memory } from '../memory.ts';
import { type Gateway, gateways } from './gateways.ts';
import { type Load, load } from './load.ts';
import { startProvider } from './provider-process.ts';

const SECONDS = Number(process.argv[2] ?? 5);
const ROUNDS = 3;
const LANES = 32;
const MESSAGES = [{ role: 'user', content: 'Tell me in a few words how the machine is. '.repeat(10) }];

interface Measured {
  readonly start: number;
  readonly idle: number;
  readonly loaded: number;
  readonly alone: Load;
  readonly many: Load;
}

const body = (model: string) => JSON.stringify({ model, messages: MESSAGES });

async function measure(gateway: Gateway): Promise<Measured> {
  const begun = performance.now();
  const [program, ...args] = gateway.command;
  const child = execa(program, args, {
    env: gateway.env,
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'ignore',
    reject: false,
  });
  try {
    while (!(await answers(gateway.health))) {
      if (child.exitCode !== null && child.exitCode !== undefined) throw new Error(`${gateway.name} ended`);
      await after(5);
    }
    const start = performance.now() - begun;
    await after(1_000);
    const idle = await memory(child.pid ?? 0);
    const request = { headers: gateway.headers, body: body(gateway.model) };
    await load(gateway.chat, request, { lanes: 4, seconds: 2 }); // warm
    const alone = await load(gateway.chat, request, { lanes: 1, seconds: SECONDS });
    const many = await load(gateway.chat, request, { lanes: LANES, seconds: SECONDS });
    return { start, idle, alone, many, loaded: await memory(child.pid ?? 0) };
  } finally {
    child.kill('SIGTERM', new Error('measured'));
    await child;
  }
}

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    (answer) => answer.ok,
    () => false,
  );
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

const folder = await mkdtemp(join(tmpdir(), 'thoth-bench-'));
const provider = await startProvider();
try {
  const { address } = provider;
  const list = await gateways(folder, address, freePort);
  const direct: Load[] = [];
  const found = new Map<string, Measured[]>(list.map(({ name }) => [name, []]));
  for (let round = 1; round <= ROUNDS; round += 1) {
    const request = { headers: {}, body: body('gpt-4o-mini') };
    direct.push(await load(`${address}/v1/chat/completions`, request, { lanes: 1, seconds: SECONDS }));
    for (const gateway of list) {
      console.error(`round ${round} of ${ROUNDS}: ${gateway.name}`);
      found.get(gateway.name)?.push(await measure(gateway));
    }
  }
  const [processor] = cpus();
  console.log(
    `${cpus().length} x ${processor?.model}, Node ${process.versions.node}; medians of ${ROUNDS} rounds of ${SECONDS} s\n`,
  );
  const base = { p50: median(direct.map(({ p50 }) => p50)), p99: median(direct.map(({ p99 }) => p99)) };
  console.log(
    '| Gateway | Start | Memory idle | after load | Added p50 | Added p99 | Requests/s, 32 at once | p99 of those |',
  );
  console.log('|---|---|---|---|---|---|---|---|');
  for (const [name, rounds] of found) {
    const of = (pick: (one: Measured) => number) => median(rounds.map(pick));
    const cells = [
      `${of((one) => one.start).toFixed(0)} ms`,
      `${of((one) => one.idle).toFixed(0)} MB`,
      `${of((one) => one.loaded).toFixed(0)} MB`,
      `${(of((one) => one.alone.p50) - base.p50).toFixed(2)} ms`,
      `${(of((one) => one.alone.p99) - base.p99).toFixed(2)} ms`,
      of((one) => one.many.perSecond).toFixed(0),
      `${of((one) => one.many.p99).toFixed(1)} ms`,
    ];
    console.log(`| ${name} | ${cells.join(' | ')} |`);
  }
} finally {
  await provider.stop();
  await rm(folder, { recursive: true, force: true });
}
