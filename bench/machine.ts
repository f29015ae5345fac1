import { readFile } from 'node:fs/promises';
import { arch, cpus, release, totalmem } from 'node:os';

/** The machine that a figure was measured on, in one line: processors, memory, system, Node.js, day. */
export async function describeMachine(): Promise<string> {
  const [processor] = cpus();
  const system = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const name = /^PRETTY_NAME="?([^"\n]*)/m.exec(system)?.[1] ?? process.platform;
  return [
    `${cpus().length} x ${processor?.model.trim() || arch()}`,
    `${Math.round(totalmem() / 2 ** 30)} GB`,
    name,
    `Linux ${release()}`,
    `Node.js ${process.versions.node}`,
    new Date().toISOString().slice(0, 10),
  ].join(', ');
}
