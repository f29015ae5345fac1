import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { ADMIN_KEY } from '../data.ts';
import { breakOff, eventsThenBreak, json, type Reaction, raw } from '../providers/fake-server.ts';
import { VENDORS } from '../providers/vendors.ts';
import { PROVIDER_KEYS, type WholeService } from '../whole-service.ts';

const HERE = import.meta.dirname;
const TOOLS = resolve(HERE, '../../..', process.env.THOTH_HOME ?? '.thoth', 'tools');
const FAULT_EVERY_MS = 50;

/** What is looked into anew with each run. */
export interface FuzzOptions {
  /** Most cases of one route and one way to make them up. */
  readonly cases: number;
  readonly seed: number;
  /** Ways to make cases up, of Schemathesis' own. */
  readonly phases: string;
}

export interface FuzzReport {
  readonly passed: boolean;
  /** How many requests were made up. */
  readonly cases: number;
  /** Schemathesis' own words. */
  readonly text: string;
}

/** Has Schemathesis make up requests for a service from its /openapi.json, while its providers fail now and then. */
export async function fuzz(whole: WholeService, { cases, seed, phases }: FuzzOptions): Promise<FuzzReport> {
  const folder = mkdtempSync(join(tmpdir(), 'thoth-fuzz-'));
  const planting = setInterval(() => plantFault(whole), FAULT_EVERY_MS);
  try {
    const options = [
      `--max-examples=${cases}`,
      `--seed=${seed}`,
      `--phases=${phases}`,
      '--generation-database=none',
      '--continue-on-failure',
      '--no-color',
    ];
    const own = ['--config-file', join(HERE, 'schemathesis.toml')];
    const program = spawn(
      join(TOOLS, 'bin/schemathesis'),
      [...own, 'run', `${whole.url}/openapi.json`, ...options],
      {
        cwd: folder,
        env: {
          ...process.env,
          PYTHONPATH: [HERE, process.env.PYTHONPATH ?? ''].join(delimiter),
          PYTHONDONTWRITEBYTECODE: '1',
          THOTH_ADMIN_KEY: ADMIN_KEY,
          THOTH_FUZZ_SECRETS: [ADMIN_KEY, ...Object.values(PROVIDER_KEYS)].join(','),
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    let text = '';
    for (const stream of [program.stdout, program.stderr])
      stream.on('data', (chunk) => (text += String(chunk)));
    const [code] = await once(program, 'close');
    const made = /(\d+) generated/.exec(text)?.[1];
    return { passed: code === 0, cases: Number(made ?? 0), text };
  } finally {
    clearInterval(planting);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The next request to one of the providers meets one of these. */
function plantFault({ fakes }: WholeService): void {
  const vendor = pick(VENDORS);
  const faults: readonly Reaction[] = [
    json(vendor.fault(500), 500),
    json(vendor.fault(429), 429, { 'retry-after': '1' }),
    json(vendor.fault(401), 401),
    breakOff,
    eventsThenBreak(vendor.events().slice(0, 2)),
    raw('<html>nonsense'),
  ];
  fakes[vendor.name].reset();
  fakes[vendor.name].next(pick(faults));
}

function pick<T>(list: readonly T[]): T {
  const chosen = list[Math.floor(Math.random() * list.length)];
  if (chosen === undefined) throw new Error('there is nothing to pick from');
  return chosen;
}
