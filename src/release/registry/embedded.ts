import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { ReleaseError } from '../errors.ts';
import { writeWhole } from '../machine/file.ts';
import { freePort } from '../machine/port.ts';
import { findTool, requireTool } from '../machine/tools.ts';

/** A registry of this machine's own, up until `stop`. */
export interface EmbeddedRegistry {
  /** `127.0.0.1:PORT`; plain HTTP. */
  readonly host: string;
  stop(): Promise<void>;
}

const READY_WITHIN_MS = 15_000;
const PAUSE_MS = 30;

/**
 * Starts Debian's docker-registry (CNCF Distribution) on loopback, its data in `HOME/registry`.
 *
 * @param options.port the port to take; a free one where none is named
 * @throws ReleaseError PORT_IN_USE; TOOL_MISSING; REGISTRY_FAILED where it does not come up
 */
export async function startEmbedded(
  home: string,
  options: { port?: number | undefined; signal?: AbortSignal | undefined } = {},
): Promise<EmbeddedRegistry> {
  const program = await requireTool('docker-registry', home);
  const host = `127.0.0.1:${await portFor(options.port)}`;
  const config = join(home, 'registry.json');
  await mkdir(join(home, 'registry'), { recursive: true });
  await writeWhole(config, configuration(join(home, 'registry')));
  // Ends with this process even where that is killed: the kernel tells it (prctl, PR_SET_PDEATHSIG).
  const setpriv = await findTool('setpriv', home);
  const command = [program, 'serve', config];
  const [file = program, ...args] =
    setpriv === undefined ? command : [setpriv, '--pdeathsig', 'TERM', ...command];
  const child = execa(file, args, {
    reject: false,
    stdin: 'ignore',
    stdout: 'ignore',
    forceKillAfterDelay: 5_000,
    // REGISTRY_* variables of a shell would change its configuration. The address differs from run to run, and so
    // is not in the file, which two runs share.
    extendEnv: false,
    env: { REGISTRY_HTTP_ADDR: host },
    // A registry that hears Ctrl-C from the terminal would be gone before what uses it has ended.
    detached: true,
  });
  let ended: string | undefined;
  const exit = child.then((result) => {
    ended = result.stderr.trim().split('\n').at(-1) || `exit code ${result.exitCode}`;
  });
  const stop = async () => {
    child.kill('SIGTERM');
    await exit;
  };
  const limit = performance.now() + READY_WITHIN_MS;
  while (!(await answers(host))) {
    if (ended !== undefined) throw failed(host, ended);
    if (options.signal?.aborted === true || performance.now() > limit) {
      await stop();
      options.signal?.throwIfAborted();
      throw failed(host, `no answer within ${READY_WITHIN_MS / 1_000} s`);
    }
    await sleep(PAUSE_MS);
  }
  return { host, stop };
}

/** Its configuration (YAML, of which JSON is a part). Deleting is for a rehearsal that is done again. */
function configuration(data: string): string {
  return `${JSON.stringify({
    version: 0.1,
    log: { level: 'error', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: data }, delete: { enabled: true } },
  })}\n`;
}

/** The port that was named, if nothing listens there: what would answer on it would be taken for ours. */
async function portFor(named: number | undefined): Promise<number> {
  try {
    return await freePort(named);
  } catch (error) {
    throw failed(`127.0.0.1:${named}`, error instanceof Error ? error.message : String(error));
  }
}

async function answers(host: string): Promise<boolean> {
  try {
    const response = await fetch(`http://${host}/v2/`, { signal: AbortSignal.timeout(1_000) });
    await response.body?.cancel();
    return response.status === 200;
  } catch {
    return false;
  }
}

function failed(host: string, why: string): ReleaseError {
  if (/address already in use/i.test(why)) {
    return new ReleaseError(
      'PORT_IN_USE',
      `${host} is in use by another process.`,
      'Stop it, or leave --port out to take a free port.',
    );
  }
  return new ReleaseError(
    'REGISTRY_FAILED',
    `The embedded registry did not start on ${host}.`,
    'Read the line below, and look at the folder of its data, .thoth/registry.',
    [why],
  );
}
