import { once } from 'node:events';
import { z } from 'zod';
import { run } from '../machine/command.ts';
import { startEmbedded } from '../registry/embedded.ts';
import type { CommandModule } from './context.ts';

const Flags = z.object({ port: z.coerce.number().int().min(1).max(65_535).optional() });

/**
 * `registry [-- COMMAND...]`: serves the registry of rehearsals until it is stopped, or while COMMAND runs,
 * which finds its address in THOTH_REGISTRY.
 */
export const registry: CommandModule = {
  async run({ settings, print, signal }, command, flags) {
    const { host, stop } = await startEmbedded(settings.home, { port: Flags.parse(flags).port, signal });
    try {
      const [program, ...args] = command;
      if (program === undefined) {
        print(host, {
          registry: host,
          ...(settings.repository === undefined ? {} : { repository: settings.repository }),
        });
        if (!signal.aborted) await once(signal, 'abort');
        return;
      }
      const result = await run(program, args, { signal, env: { THOTH_REGISTRY: host } });
      process.stdout.write(result.stdout);
      process.stderr.write(result.stderr);
      process.exitCode = result.exitCode;
    } finally {
      await stop();
    }
  },
};
