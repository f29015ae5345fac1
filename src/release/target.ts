import { type EmbeddedRegistry, startEmbedded } from './embedded.ts';
import { findPlan, releaseFolder } from './folder.ts';
import { createRegctl, type Regctl } from './regctl.ts';
import { createRegistry, type Registry } from './registry.ts';
import type { Settings } from './settings.ts';
import { requireTool } from './tools.ts';
import type { Version } from './version.ts';

/** Where a command reads and writes. */
export interface Target {
  readonly registry: Registry;
  readonly regctl: Regctl;
  readonly host: string;
  readonly repository: string;
  /** Whether this is the registry of rehearsals, on this machine. */
  readonly rehearsal: boolean;
  close(): Promise<void>;
}

/**
 * Opens the registry that a command about `version` means: the one the settings name; else the embedded
 * one, where that version was last rehearsed here; else Docker Hub.
 */
export async function openTarget(settings: Settings, version: Version, signal: AbortSignal): Promise<Target> {
  if (!settings.registryNamed) {
    const last = await findPlan(releaseFolder(settings.home, version).plan);
    if (last?.plan.rehearsal === true && isLoopback(last.plan.registry))
      return openEmbedded(settings, signal);
  }
  return connect(settings, settings.registry, false, signal, undefined);
}

/** Opens the embedded registry, starting it. @param port a free one where none is named */
export async function openEmbedded(settings: Settings, signal: AbortSignal, port?: number): Promise<Target> {
  const embedded = await startEmbedded(settings.home, { port, signal });
  return connect(settings, embedded.host, true, signal, embedded);
}

async function connect(
  settings: Settings,
  host: string,
  rehearsal: boolean,
  signal: AbortSignal,
  embedded: EmbeddedRegistry | undefined,
): Promise<Target> {
  const { repository, registryCa } = settings;
  const loopback = isLoopback(host) && registryCa === undefined ? [host] : [];
  const program = await requireTool('regctl', settings.home);
  const regctl = createRegctl(program, {
    plainHttp: [...new Set([...loopback, ...settings.plainHttp])],
    ca: registryCa,
    signal,
  });
  return {
    registry: createRegistry({ registry: host, repository }, regctl),
    regctl,
    host,
    repository,
    rehearsal,
    close: async () => embedded?.stop(),
  };
}

/** Whether a registry is on this machine: the one case in which plain HTTP is safe without being asked for. */
export function isLoopback(registry: string): boolean {
  return /^(?:localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?$/.test(registry);
}
