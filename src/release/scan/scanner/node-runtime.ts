import { posix } from 'node:path';
import { z } from 'zod';
import { readArchive } from '../../image/layer-archive.ts';
import type { PlatformImage } from '../../image/layout.ts';
import { parseOutput, type Trivy, trivySbom } from './trivy.ts';

/** Node.js as an image holds it, and as no package manager knows it. */
export interface NodeRuntime {
  /** `24.21.0`. */
  readonly version: string;
  /** `/nodejs/bin/node`. */
  readonly path: string;
}

/** What every build of Node.js has in it (`process.release`, the user agent of its fetch). */
const VERSION = /node\.js\/v(\d+\.\d+\.\d+)/;
/** More than the text that is looked for: what is kept where it may lie across two chunks. */
const OVERLAP = 64;
/** A script by that name is smaller. */
const SMALLEST = 1_000_000;

/** Finds the Node.js of an image by the bytes of its program; `undefined` where there is none. */
export async function findNode(dir: string, image: PlatformImage): Promise<NodeRuntime | undefined> {
  // From the top: what is there is what the last layer put there.
  for (const layer of image.layers.toReversed()) {
    let found: NodeRuntime | undefined;
    await readArchive(dir, layer, (entry) => {
      if (posix.basename(entry.path) !== 'node' || entry.type !== 'File' || entry.size < SMALLEST) {
        entry.resume();
        return;
      }
      const path = posix.join('/', entry.path);
      let end = '';
      entry.on('data', (chunk: Buffer) => {
        const text = end + chunk.toString('latin1');
        const [, version] = VERSION.exec(text) ?? [];
        if (version !== undefined) found ??= { version, path };
        end = text.slice(-OVERLAP);
      });
    });
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * Node.js as one more result of Trivy's report: no scanner of packages sees it, for it is a program of its own.
 * What is known of it is looked up by Bitnami's name for it: their advisories are on Node.js as it is published
 * (https://github.com/bitnami/vulndb), and Trivy's database has them. In the SBOM it has its own name.
 */
export async function nodeResult(
  trivy: Trivy,
  node: NodeRuntime,
  vulnerabilities: 'checked' | 'not-checked',
): Promise<Record<string, unknown>> {
  const name = `node@${node.version}`;
  const known = vulnerabilities === 'checked' ? await lookUp(trivy, node.version) : [];
  return {
    Target: node.path.slice(1),
    Class: 'lang-pkgs',
    Type: 'bitnami',
    Packages: [
      {
        ID: name,
        Name: 'node',
        Version: node.version,
        Identifier: { PURL: `pkg:generic/${name}` },
        Licenses: ['MIT'],
        FilePath: node.path.slice(1),
      },
    ],
    Vulnerabilities: known,
  };
}

const Report = z.object({
  Results: z
    .array(z.object({ Packages: z.array(z.unknown()), Vulnerabilities: z.array(z.unknown()).default([]) }))
    .length(1),
});

async function lookUp(trivy: Trivy, version: string): Promise<unknown[]> {
  const component = { type: 'application', name: 'node', version, purl: `pkg:bitnami/node@${version}` };
  const sbom = { bomFormat: 'CycloneDX', specVersion: '1.6', version: 1, components: [component] };
  const json = await trivySbom(trivy, JSON.stringify(sbom));
  const report = parseOutput(
    Report,
    json.replaceAll('pkg:bitnami/', 'pkg:generic/'),
    "Trivy's report on Node.js",
  );
  return report.Results.flatMap((result) => result.Vulnerabilities);
}
