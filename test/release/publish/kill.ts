import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { HOST_NODE } from '../host-node.ts';
import type { FaultProxy, Seen } from '../registry/proxy.ts';
import type { Work } from './publish-process.ts';

/** Starts a publish in a process of its own. @param script what `bundlePublish` wrote */
export function launchPublish(script: string, work: Work): ChildProcess {
  return spawn(HOST_NODE, [script, JSON.stringify(work)], { stdio: 'ignore' });
}

/** Bundled, a process starts in a third of the time; there are a hundred of them. */
export async function bundlePublish(outfile: string): Promise<void> {
  await build({
    entryPoints: [join(import.meta.dirname, 'publish-process.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    define: { 'import.meta.dirname': JSON.stringify(import.meta.dirname) },
  });
}

/**
 * Waits for a publish that is killed, with all it started, at a request of its own.
 *
 * @param cut.at the number of the request among those that count, from 1
 * @param cut.mode whether that request reaches the registry
 */
export async function killedAt(
  proxy: FaultProxy,
  child: ChildProcess,
  cut: { at: number; mode: 'reset' | 'swallow-answer'; counts: (request: Seen) => boolean },
): Promise<void> {
  const ended = once(child, 'exit');
  let seen = 0;
  proxy.fault = (request) => {
    if (seen === cut.at) return 'reset'; // on its way when everything was killed
    if (cut.counts(request)) seen += 1;
    if (seen < cut.at) return undefined;
    killAll(child.pid ?? 0);
    return cut.mode;
  };
  await ended;
  await proxy.settled();
  proxy.fault = () => undefined;
}

/** What a run sent of those blobs, though the registry had them. */
export function sentAgain(proxy: FaultProxy, there: readonly string[]): Seen[] {
  return proxy.writes.filter(
    ({ path, bytes }) => bytes > 0 && there.some((blob) => path.includes(blob.slice('sha256:'.length))),
  );
}

/** Ends a process and all it started, at once: a power cut. */
function killAll(pid: number): void {
  const pids = [pid, ...descendants(pid)];
  for (const one of pids) {
    try {
      process.kill(one, 'SIGKILL');
    } catch {
      // it has ended by itself
    }
  }
}

function descendants(parent: number): number[] {
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => parentOf(name) === parent)
    .map(Number);
  return children.flatMap((child) => [child, ...descendants(child)]);
}

function parentOf(pid: string): number | undefined {
  try {
    return Number(/^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  } catch {
    return undefined;
  }
}
