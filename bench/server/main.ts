// Measures Thoth beside Portkey and LiteLLM over one provider: node --import tsx bench/server/main.ts [SECONDS]
//
// In every round each gateway is started anew, and the provider is asked without one, so that what the machine
// does meanwhile meets all of them. Prints tables of medians, and writes them to docs/bench/SERVICE.md; asserts nothing.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { execa } from 'execa';
import { freePort } from '../../test/server/free-port.ts';
import { describeMachine } from '../machine.ts';
import { memory } from '../memory.ts';
import { installPackages, writePage } from '../page.ts';
import { type Group, groupText } from '../results.ts';
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

/** What was measured of each gateway, over what the provider takes without one. */
function groupsOf(found: ReadonlyMap<string, readonly Measured[]>, direct: readonly Load[]): Group[] {
  const base = { p50: median(direct.map(({ p50 }) => p50)), p99: median(direct.map(({ p99 }) => p99)) };
  const group = (
    title: string,
    unit: Group['unit'],
    columns: Readonly<Record<string, (one: Measured) => number>>,
    note: string,
  ): Group => ({
    title,
    unit,
    columns: Object.keys(columns),
    ratioTo: 'column',
    rows: [...found].map(([what, rounds]) => ({
      what,
      values: Object.values(columns).map((pick) => median(rounds.map(pick))),
    })),
    notes: [note],
  });
  const rounds = `Medians of ${ROUNDS} rounds of ${SECONDS} s.`;
  return [
    group('Start', 'ms', { 'to the first answer': (one) => one.start }, `Medians of ${ROUNDS} rounds.`),
    group('Memory', 'MB', { idle: (one) => one.idle, 'after load': (one) => one.loaded }, rounds),
    group(
      'Time added to a request',
      'ms',
      { p50: (one) => one.alone.p50 - base.p50, p99: (one) => one.alone.p99 - base.p99 },
      `${rounds} One request at a time, less what the provider takes without a gateway.`,
    ),
    group(
      `Requests, ${LANES} at once`,
      'requests/s',
      { answered: (one) => one.many.perSecond },
      `${rounds} Gateway, provider and clients share this machine's processors.`,
    ),
    group(`Time of a request, ${LANES} at once`, 'ms', { p99: (one) => one.many.p99 }, rounds),
  ];
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
  const groups = groupsOf(found, direct);
  process.stdout.write(`${groups.map(groupText).join('\n')}\n`);
  const page = { title: 'The service, measured', machine: await describeMachine(), groups };
  await writePage('service', page, await installPackages(folder));
} finally {
  await provider.stop();
  await rm(folder, { recursive: true, force: true });
}
