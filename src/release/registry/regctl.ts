import { devNull } from 'node:os';
import { type CommandOptions, type CommandResult, run } from '../machine/command.ts';

/** Calls regctl; every registry host named in `plainHttp` is spoken to without TLS. */
export type Regctl = (
  args: readonly string[],
  options?: Pick<CommandOptions, 'onLine' | 'timeout'>,
) => Promise<CommandResult>;

/**
 * Binds regctl to the hosts that are plain HTTP, to a configuration and to a signal. Credentials are read by
 * regctl itself, from Docker's `config.json`.
 *
 * @param options.config its configuration, as `trustAuthority` writes one. Without it there is none: what a person
 *   once set for regctl in their home, such as a registry without TLS, has no say in a release.
 */
export function createRegctl(
  program: string,
  options: {
    plainHttp?: readonly string[];
    config?: string | undefined;
    signal?: AbortSignal | undefined;
  } = {},
): Regctl {
  const hosts = (options.plainHttp ?? []).flatMap((host) => ['--host', `reg=${host},tls=disabled`]);
  const env = { REGCTL_CONFIG: options.config ?? devNull };
  return (args, extra = {}) => run(program, [...hosts, ...args], { signal: options.signal, env, ...extra });
}
