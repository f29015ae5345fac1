import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { createHub, differences, syncPage } from '../docker-hub/hub.ts';
import { renderPage } from '../docker-hub/hub-page.ts';
import { ReleaseError } from '../errors.ts';
import { readIfThere } from '../machine/file.ts';
import { findPlan, releaseFolder } from '../publish/folder.ts';
import { repositoryOf, type Settings } from '../settings.ts';
import { parseVersion } from '../versions/version.ts';
import type { CommandModule } from './context.ts';

const Flags = z.object({
  tag: z.string().optional(),
  page: z.string().optional(),
  description: z.string().optional(),
  dryRun: z.boolean().default(false),
});
const Package = z.object({ description: z.string() });

/** `docker-hub`: brings the repository's page on Docker Hub up to date, where it is not. */
export const dockerHub: CommandModule = {
  async run({ settings, print, progress, signal }, _, flags) {
    const {
      tag,
      page: template = settings.dockerHub.page,
      description = settings.dockerHub.description,
      dryRun,
    } = Flags.parse(flags);
    const { registry } = settings;
    const repository = repositoryOf(settings);
    if (registry !== 'docker.io') {
      print(`${registry} has no such page: nothing to do`, { repository, changed: [], skipped: registry });
      return;
    }
    const access = { address: settings.hubUrl, repository, user: settings.hubUser, token: settings.hubToken };
    if (!dryRun) assertLogin(settings);
    const hub = createHub(access, { signal, warn: progress.warn });
    const short = description ?? (await packageDescription(settings.project));
    const text = await readText(join(settings.project, template));
    // Docker Hub may need a while until it lists what was just pushed, so the plan counts.
    const planned = tag === undefined ? [] : await plannedTags(settings, tag);
    const tags = new Map([...(await hub.tags()), ...planned]);
    const page = renderPage(text, short, repository, tags);
    const changed = dryRun ? differences(await hub.page(), page) : await syncPage(hub, page);
    const what = changed.map((part) => `${part} description`).join(' and ');
    const done =
      changed.length === 0
        ? `${repository} on Docker Hub was up to date, nothing was written`
        : `${repository} on Docker Hub: ${what} ${dryRun ? 'would be written' : 'written'}`;
    print(dryRun ? `${page.full}\n${done}\ndry run: nothing was written` : done, {
      ...{ repository, changed, dryRun, short: page.short, bytes: Buffer.byteLength(page.full) },
      ...(dryRun ? { full: page.full } : {}),
    });
  },
};

/** Where a release's tags are once it is out, as its plan says. @throws ReleaseError PLAN_INVALID where there is none */
async function plannedTags(settings: Settings, tag: string): Promise<[string, string][]> {
  const version = parseVersion(tag);
  const path = releaseFolder(settings.home, version).plan;
  const found = await findPlan(path);
  if (found !== undefined && !found.plan.rehearsal)
    return found.plan.moves.map((move) => [move.tag, move.to]);
  throw new ReleaseError(
    'PLAN_INVALID',
    found === undefined ? `There is no plan at ${path}.` : `${path} is a rehearsal's plan.`,
    'Publish the release first, or leave out --tag: then the page tells what Docker Hub lists.',
  );
}

function assertLogin({ hubUser, hubToken }: Settings): void {
  const missing = [
    ...(hubUser === undefined ? ['DOCKERHUB_USERNAME'] : []),
    ...(hubToken === undefined ? ['DOCKERHUB_TOKEN'] : []),
  ];
  if (missing.length === 0) return;
  throw new ReleaseError(
    'SETTING_INVALID',
    `Writing to Docker Hub needs ${missing.join(' and ')} in the environment.`,
    'Set a user and an access token of theirs with the right to read, write and delete; --dry-run needs none.',
  );
}

async function packageDescription(project: string): Promise<string> {
  const text = await readFile(join(project, 'package.json'), 'utf8').catch(() => '{}');
  const found = Package.safeParse(JSON.parse(text));
  if (found.success) return found.data.description;
  throw new ReleaseError(
    'HUB_PAGE',
    'There is no short description: neither the configuration nor package.json has one.',
    'Write dockerHub.description into thoth-release.json, or name it with --description.',
  );
}

async function readText(path: string): Promise<string> {
  const bytes = await readIfThere(path);
  if (bytes !== undefined) return bytes.toString();
  throw new ReleaseError(
    'HUB_PAGE',
    `There is no page at ${path}.`,
    'Write it, or name another with --page.',
  );
}
