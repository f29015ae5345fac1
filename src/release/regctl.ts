import { dirname } from 'node:path';
import { type CommandOptions, type CommandResult, run } from './command.ts';

/** Calls regctl; every registry host named in `plainHttp` is spoken to without TLS. */
export type Regctl = (
  args: readonly string[],
  options?: Pick<CommandOptions, 'onLine' | 'timeout'>,
) => Promise<CommandResult>;

/**
 * Binds regctl to the hosts that are plain HTTP, to a certificate authority of the registry's own, and to a
 * signal. Credentials are read by regctl itself, from Docker's `config.json`.
 *
 * @param options.ca PEM file; it is trusted besides the system's own
 */
export function createRegctl(
  program: string,
  options: {
    plainHttp?: readonly string[];
    ca?: string | undefined;
    signal?: AbortSignal | undefined;
  } = {},
): Regctl {
  const hosts = (options.plainHttp ?? []).flatMap((host) => ['--host', `reg=${host},tls=disabled`]);
  // Go reads every certificate in these folders, besides the system's own file (crypto/x509).
  const env = options.ca === undefined ? {} : { SSL_CERT_DIR: `/etc/ssl/certs:${dirname(options.ca)}` };
  return (args, extra = {}) => run(program, [...hosts, ...args], { signal: options.signal, env, ...extra });
}
