// Whether Thoth's memory stays flat: node --import tsx bench/server/soak.ts [MINUTES]
//
// One process as in the image, under requests all the time: whole answers, streams, streams that their client leaves,
// refused keys. Says its memory once a minute, and writes it to docs/bench/SOAK.md; asserts nothing.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { execa } from 'execa';
import { Pool } from 'undici';
import { freePort } from '../../test/server/free-port.ts';
import { describeMachine } from '../machine.ts';
import { memory } from '../memory.ts';
import { installPackages, writePage } from '../page.ts';
import { type Group, groupText, type Row } from '../results.ts';
import { type Gateway, thoth } from './gateways.ts';
import { startProvider } from './provider-process.ts';

const MINUTES = Number(process.argv[2] ?? 10);
const LANES = 16;
/** What each lane does in turn. */
const KINDS = ['whole', 'streamed', 'whole', 'left', 'whole', 'refused'] as const;
type Kind = (typeof KINDS)[number];

const sent: Record<Kind, number> = { whole: 0, streamed: 0, left: 0, refused: 0 };

async function send(pool: Pool, gateway: Gateway, kind: Kind): Promise<void> {
  const credential = kind === 'refused' ? { authorization: 'Bearer sk-nobody' } : gateway.headers;
  const { statusCode, body } = await pool.request({
    method: 'POST',
    path: '/v1/chat/completions',
    headers: { 'content-type': 'application/json', ...credential },
    body: JSON.stringify({
      model: gateway.model,
      messages: [{ role: 'user', content: 'How is the machine? '.repeat(10) }],
      stream: kind === 'streamed' || kind === 'left',
    }),
  });
  if (kind === 'left') {
    for await (const _piece of body) break; // ends the connection
  } else {
    const text = await body.text();
    const expected = kind === 'refused' ? 401 : 200;
    if (statusCode !== expected) throw new Error(`${kind}: answered ${statusCode}: ${text.slice(0, 300)}`);
  }
  sent[kind] += 1;
}

async function lane(pool: Pool, gateway: Gateway, first: number, end: AbortSignal): Promise<void> {
  for (let turn = first; !end.aborted; turn += 1) {
    await send(pool, gateway, KINDS[turn % KINDS.length] ?? 'whole');
  }
}

/** Megabytes of the process, of its own (neither the program nor a file), and of JavaScript's heap. */
async function measure(gateway: Gateway, pid: number, what: string): Promise<Row> {
  const metrics = await (
    await fetch(new URL('/metrics', gateway.health), { headers: gateway.headers })
  ).text();
  const heap = Number(/^nodejs_heap_size_used_bytes (\S+)/m.exec(metrics)?.[1]) / 1024 ** 2;
  const row = { what, values: [await memory(pid), await memory(pid, 'RssAnon'), heap] };
  console.error(`${what}: ${row.values.map((value) => value.toFixed(0)).join(', ')} MB`);
  return row;
}

function groupOf(rows: readonly Row[]): Group {
  const total = Object.values(sent).reduce((sum, count) => sum + count, 0);
  return {
    title: `Memory over ${MINUTES} minutes of requests, ${LANES} at once`,
    columns: ['all of it', 'not shared with a file', "JavaScript's heap"],
    unit: 'MB',
    ratioTo: 'nothing',
    rows,
    notes: [
      `${total} requests: ${sent.whole} whole answers, ${sent.streamed} streams, ${sent.left} streams left by their client, ` +
        `${sent.refused} with a refused key. Each was recorded in SQLite.`,
    ],
  };
}

const folder = await mkdtemp(join(tmpdir(), 'thoth-soak-'));
const provider = await startProvider();
try {
  const gateway = await thoth(folder, provider.address, await freePort());
  const [program, ...args] = gateway.command;
  const child = execa(program, args, { env: gateway.env, stdin: 'ignore', stdout: 'ignore', reject: false });
  const end = new AbortController();
  try {
    while (!(await fetch(gateway.health).catch(() => undefined))?.ok) await after(20);
    const pid = child.pid ?? 0;
    const rows = [await measure(gateway, pid, 'idle')];
    const pool = new Pool(new URL(gateway.chat).origin, { connections: LANES, pipelining: 1 });
    const lanes = Promise.all(
      Array.from({ length: LANES }, (_, first) => lane(pool, gateway, first, end.signal)),
    );
    for (let minute = 1; minute <= MINUTES; minute += 1) {
      await Promise.race([after(60_000), lanes]);
      rows.push(await measure(gateway, pid, `minute ${minute}`));
    }
    end.abort();
    await lanes;
    await pool.close();
    await after(30_000);
    rows.push(await measure(gateway, pid, '30 s later'));
    const groups = [groupOf(rows)];
    process.stdout.write(`${groups.map(groupText).join('\n')}\n`);
    const page = { title: 'The service under requests', machine: await describeMachine(), groups };
    await writePage('soak', { ...page, by: 'make soak' }, await installPackages(folder));
  } finally {
    end.abort();
    child.kill('SIGTERM');
    await child;
  }
} finally {
  await provider.stop();
  await rm(folder, { recursive: true, force: true });
}
