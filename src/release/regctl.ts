import { type CommandResult, run } from './command.ts';

/** Calls regctl; every registry host named in `plainHttp` is spoken to without TLS. */
export type Regctl = (
  args: readonly string[],
  options?: { onLine?: (line: string) => void },
) => Promise<CommandResult>;

/** Binds regctl to the hosts that are plain HTTP (loopback registries) and to a signal. */
export function createRegctl(
  program: string,
  options: { plainHttp?: readonly string[]; signal?: AbortSignal | undefined } = {},
): Regctl {
  const hosts = (options.plainHttp ?? []).flatMap((host) => ['--host', `reg=${host},tls=disabled`]);
  return (args, extra = {}) => run(program, [...hosts, ...args], { signal: options.signal, ...extra });
}
