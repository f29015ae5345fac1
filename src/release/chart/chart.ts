import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Document, isMap, parseDocument } from 'yaml';
import { z } from 'zod';
import { ReleaseError } from '../errors.ts';
import { filesIn } from '../history/git.ts';
import { REVISION_ANNOTATION } from '../image/oci.ts';
import type { Version } from '../versions/version.ts';
import { packChart, unpackChart } from './chart-archive.ts';
import { type Chart, chartArtifact, type Metadata } from './chart-layout.ts';

/** What of a release goes into its chart. */
export interface ChartFacts {
  readonly version: Version;
  /** Of the image, with its registry: `docker.io/marcopancotti/thoth`. */
  readonly image: string;
  /** Digest of the image index. */
  readonly index: string;
  /** Where the chart goes: `marcopancotti/thoth-chart`. */
  readonly repository: string;
  readonly revision: string;
  /** The commit's time, in unix seconds. */
  readonly time: number;
}

/** Which image a chart runs, as its values say. */
const Values = z.object({ image: z.object({ tag: z.string(), digest: z.string() }) });

/** Where a chart says which image it runs: all three are written by the release. */
const IMAGE_VALUES = ['repository', 'tag', 'digest'] as const;

/**
 * Packs the project's chart for a release: it is of the release's version, and runs the release's image by its digest.
 * Only what git has goes in. The same commit and image give the same bytes.
 *
 * The chart takes the name of the repository: where they differ Helm can pull a chart, but no chart can depend on it
 * (https://github.com/helm/helm/issues/9627).
 *
 * @param folder of the chart, in the project
 * @throws ReleaseError CHART_INVALID where it is no chart, or has no values for the image; GIT_*
 */
export async function makeChart(project: string, folder: string, facts: ChartFacts): Promise<Chart> {
  const paths = await filesIn(project, folder);
  const files = new Map<string, Buffer>();
  for (const path of paths) files.set(path, await readFile(join(project, folder, path)));
  const { version, revision, time } = facts;
  const name = facts.repository.split('/').at(-1) ?? '';
  const about = parseYaml(folder, files, 'Chart.yaml');
  const said = about.toJS() as Metadata & { dependencies?: unknown[] };
  if ((said.dependencies ?? []).length > 0 && !paths.some((path) => path.startsWith('charts/')))
    throw invalid(folder, 'it depends on other charts, and git has none of them in charts/');
  for (const [key, value] of Object.entries({ name, version: version.version, appVersion: version.tag }))
    about.set(key, value);
  const values = parseYaml(folder, files, 'values.yaml');
  const image = { repository: facts.image, tag: version.tag, digest: facts.index };
  for (const key of IMAGE_VALUES) {
    if (!values.hasIn(['image', key])) throw invalid(folder, `its values.yaml has no image.${key}`);
    values.setIn(['image', key], image[key]);
  }
  files.set('Chart.yaml', textOf(about));
  files.set('values.yaml', textOf(values));
  const metadata = about.toJS() as Metadata;
  return chartArtifact(metadata, await packChart(name, files, time), annotationsOf(metadata, revision, time));
}

/**
 * Which image a chart runs.
 *
 * @throws Error where its archive can not be read, or its values do not say
 */
export async function imageIn(chart: Chart): Promise<{ tag: string; digest: string }> {
  const files = await unpackChart(chart.archive);
  return Values.parse(parseDocument(files.get('values.yaml')?.toString() ?? '').toJS()).image;
}

/** What Helm annotates a chart with that it pushes, and the commit. */
function annotationsOf(metadata: Metadata, revision: string, time: number): Record<string, string> {
  const { description, home, sources } = metadata;
  const source = Array.isArray(sources) ? sources[0] : undefined;
  const said = { description, url: home, source, title: metadata.name, version: metadata.version };
  const created = new Date(time * 1_000).toISOString().replace('.000Z', 'Z');
  const entries = Object.entries({ ...said, created }).filter(([, value]) => typeof value === 'string');
  return {
    ...Object.fromEntries(entries.map(([key, value]) => [`org.opencontainers.image.${key}`, String(value)])),
    [REVISION_ANNOTATION]: revision,
  };
}

function parseYaml(folder: string, files: ReadonlyMap<string, Buffer>, name: string): Document {
  const text = files.get(name)?.toString();
  if (text === undefined) throw invalid(folder, `git has no ${name} in it`);
  const document = parseDocument(text);
  if (document.errors.length > 0 || !isMap(document.contents))
    throw invalid(folder, `its ${name} is no YAML mapping`, document.errors.map(String));
  return document;
}

/** With its comments, and no line broken anew. */
function textOf(document: Document): Buffer {
  return Buffer.from(document.toString({ lineWidth: 0 }));
}

function invalid(folder: string, why: string, details: readonly string[] = []): ReleaseError {
  return new ReleaseError(
    'CHART_INVALID',
    `${folder} can not be released as a Helm chart: ${why}.`,
    'Mend the chart, or set THOTH_CHART to the folder of another one, or to "none".',
    details,
  );
}
