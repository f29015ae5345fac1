import type { Container, Directory, File, Platform } from '@dagger.io/dagger';
import { judgeLayout, PATHS, scanLayout, writeSboms } from './command.ts';
import { buildLayout } from './image.ts';
import type { Pipeline } from './pipeline.ts';
import { run, type Tool, toolbox, uncached } from './toolbox.ts';

const SBOM_ENDING: Readonly<Record<string, string>> = { cyclonedx: 'cdx.json', spdx: 'spdx.json' };

/** @returns the report; @throws Error where the gate is closed or the vulnerability data is old */
export async function scan(
  pipeline: Pipeline,
  severity: string | undefined,
  format: string,
  layout: Directory | undefined,
): Promise<string> {
  const box = uncached(await withLayout(pipeline, ['regctl', 'trivy'], layout));
  return (await run('scan', box, scanLayout(PATHS.layout, severity, format))).stdout();
}

/** @returns what the policy looked at; @throws Error naming every rule that is broken */
export async function policy(pipeline: Pipeline, layout: Directory | undefined): Promise<string> {
  const box = await withLayout(pipeline, ['regctl'], layout);
  return (await run('policy', box, judgeLayout(PATHS.layout))).stdout();
}

/** @returns the SBOM of one platform */
export async function sbom(
  pipeline: Pipeline,
  platform: Platform,
  format: string,
  layout: Directory | undefined,
): Promise<File> {
  const name = sbomName(platform, format);
  const box = await withLayout(pipeline, ['regctl', 'trivy'], layout);
  return (await run('sbom', box, writeSboms(PATHS.layout, '/release/sbom'))).file(`/release/sbom/${name}`);
}

/** The file `thoth-release sbom` writes for a platform. @throws Error for a format it has none of */
export function sbomName(platform: string, format: string): string {
  const ending = SBOM_ENDING[format];
  if (ending === undefined) {
    throw new Error(`"${format}" is no SBOM format; give one of ${Object.keys(SBOM_ENDING).join(', ')}.`);
  }
  return `${platform.replaceAll('/', '-')}.${ending}`;
}

async function withLayout(
  pipeline: Pipeline,
  tools: readonly Tool[],
  layout: Directory | undefined,
): Promise<Container> {
  const box = await toolbox(pipeline, tools);
  return box.withMountedDirectory(PATHS.layout, layout ?? (await buildLayout(pipeline)));
}
