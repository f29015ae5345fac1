import { z } from 'zod';
import { wantedImages } from '../build/base.ts';
import { buildArguments } from '../build/build.ts';
import { readBases } from '../build/dockerfile.ts';
import type { Start } from '../config/config.ts';
import { configSchema } from '../config/read.ts';
import { fillAll } from '../config/words.ts';
import { ReleaseError } from '../errors.ts';
import { readRepository } from '../history/git.ts';
import { readLayout } from '../image/layout.ts';
import { ownPort } from '../start/runner/runner.ts';
import { parseVersion } from '../versions/version.ts';
import type { CommandModule } from './context.ts';

const Flags = z.object({
  tag: z.string().optional(),
  layout: z.string().optional(),
  schema: z.boolean().default(false),
});

/** A project that is no git repository, such as an unpacked archive. */
const NO_COMMIT = { head: 'unknown', time: 0 };

/**
 * `config`: how the project's image is released, everything decided. An engine that builds and starts it by itself, as
 * Dagger does, does it by this.
 */
export const config: CommandModule = {
  async run({ settings, print }, _, flags) {
    const { tag, layout, schema } = Flags.parse(flags);
    if (schema) {
      print(JSON.stringify(configSchema(), null, 2), configSchema());
      return;
    }
    const version = tag === undefined ? undefined : parseVersion(tag);
    const { head, time } = await readRepository(settings.project).catch((error: unknown) => {
      if (version === undefined && error instanceof ReleaseError && error.code === 'GIT_NO_HISTORY')
        return NO_COMMIT;
      throw error;
    });
    const images = wantedImages(settings, await readBases(settings));
    const { registry, repository, title, platforms, build, policy, severity, licenses, scanner } = settings;
    const start = layout === undefined ? settings.start : await startOf(layout, settings.start);
    const value = {
      ...{ registry, repository, title, platforms },
      build: {
        dockerfile: build.dockerfile,
        context: build.context,
        args: buildArguments(settings, version, { revision: head, time }, images),
        epoch: time,
      },
      ...{ start, policy, scan: { severity, licenses, scanner }, dockerHub: settings.dockerHub },
    };
    print(JSON.stringify(value, null, 2), value);
  },
};

/** How a layout is started in a container of its own: on its own port, at every address. */
async function startOf(layout: string, start: Start): Promise<Start> {
  const [image] = (await readLayout(layout)).platforms;
  const port = image === undefined ? start.port : ownPort(image, start);
  return { ...start, port, env: fillAll(start.env, { host: '0.0.0.0', port: String(port) }) };
}
