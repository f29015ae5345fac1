import { isLoopback } from '../machine/loopback.ts';
import { requireTool } from '../machine/tools.ts';
import { trustAuthority } from '../registry/authority.ts';
import { type EmbeddedRegistry, startEmbedded } from '../registry/embedded.ts';
import { createRegctl, type Regctl } from '../registry/regctl.ts';
import { createRegistry, type Registry } from '../registry/registry.ts';
import { repositoryOf, type Settings } from '../settings.ts';
import type { Version } from '../versions/version.ts';
import { findPlan, releaseFolder } from './folder.ts';

/** Where a command reads and writes. */
export interface Target {
  readonly registry: Registry;
  readonly regctl: Regctl;
  readonly host: string;
  readonly repository: string;
  /** Whether this is the registry of rehearsals, on this machine. */
  readonly rehearsal: boolean;
  /** Whether it is spoken to without TLS. */
  readonly plain: boolean;
  /** Another repository of the same registry. */
  repositoryAt(name: string): Registry;
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
  return connect(settings, signal);
}

/** Opens the embedded registry, starting it. @param port a free one where none is named */
export async function openEmbedded(settings: Settings, signal: AbortSignal, port?: number): Promise<Target> {
  return connect(settings, signal, () => startEmbedded(settings.home, { port, signal }));
}

/**
 * Opens the registry that the settings name, Docker Hub where they name none.
 *
 * @param start what starts the embedded one in its place; it comes last, so that nothing runs where a setting is wrong
 */
export async function connect(
  settings: Settings,
  signal: AbortSignal,
  start?: () => Promise<EmbeddedRegistry>,
): Promise<Target> {
  const { home, registry, registryCa } = settings;
  const repository = repositoryOf(settings);
  const program = await requireTool('regctl', home);
  const config = registryCa === undefined ? undefined : await trustAuthority(home, registry, registryCa);
  const embedded = await start?.();
  const host = embedded?.host ?? registry;
  // The authority is the named registry's; the embedded one is always plain HTTP.
  const plain = embedded !== undefined || (isLoopback(host) && registryCa === undefined) ? [host] : [];
  const plainHttp = new Set([...plain, ...settings.plainHttp]);
  const regctl = createRegctl(program, { plainHttp: [...plainHttp], config, signal });
  const repositoryAt = (name: string) =>
    createRegistry({ registry: host, repository: name }, regctl, { signal });
  return {
    registry: repositoryAt(repository),
    repositoryAt,
    regctl,
    host,
    repository,
    rehearsal: embedded !== undefined,
    plain: plainHttp.has(host),
    close: async () => embedded?.stop(),
  };
}
