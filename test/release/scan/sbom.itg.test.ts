import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';
import { writeSboms } from '../../../src/release/scan/sbom.ts';
import type { Trivy } from '../../../src/release/scan/scanner/trivy.ts';
import { AWS_KEY } from '../leaks.ts';
import { debianLayer, nodeProgram } from './scanner/trivy-database.ts';
import {
  freshTrivy,
  KNOWN,
  layoutOf,
  newFolder,
  now,
  scanWith,
  withDatabase,
} from './scanner/trivy-fixture.ts';

const CREATED = '2026-01-02T03:04:05Z';
const REPOSITORY = 'registry.example/thoth';

/** The parts of CycloneDX 1.x and SPDX 2.3 that others rely on; strict where the specifications are. */
const Component = z.object({
  'bom-ref': z.string().min(1),
  type: z.enum(['container', 'operating-system', 'application', 'library']),
  name: z.string().min(1),
  purl: z.string().startsWith('pkg:').optional(),
});
const CycloneDx = z.object({
  bomFormat: z.literal('CycloneDX'),
  specVersion: z.string().regex(/^1\.[0-9]$/),
  serialNumber: z
    .string()
    .startsWith('urn:uuid:')
    .transform((text) => text.slice(9))
    .pipe(z.uuid()),
  version: z.int().min(1),
  metadata: z.object({ timestamp: z.iso.datetime(), component: Component }),
  components: z.array(Component),
  dependencies: z.array(z.object({ ref: z.string(), dependsOn: z.array(z.string()) })),
});
const Spdx = z.object({
  spdxVersion: z.literal('SPDX-2.3'),
  SPDXID: z.literal('SPDXRef-DOCUMENT'),
  dataLicense: z.literal('CC0-1.0'),
  name: z.string(),
  documentNamespace: z.url(),
  creationInfo: z.object({ created: z.iso.datetime({ precision: 0 }), creators: z.array(z.string()).min(1) }),
  packages: z.array(
    z.object({
      SPDXID: z.string().regex(/^SPDXRef-[A-Za-z0-9.-]+$/),
      name: z.string(),
      downloadLocation: z.string(),
    }),
  ),
  relationships: z.array(
    z.object({ spdxElementId: z.string(), relatedSpdxElement: z.string(), relationshipType: z.string() }),
  ),
});

test('an SBOM names the image and its packages, also those of an SBOM inside it, and Node.js', async () => {
  const hono = {
    type: 'library',
    name: 'hono',
    version: '4.13.19',
    purl: 'pkg:npm/hono@4.13.19',
    'bom-ref': 'hono',
  };
  const inner = { bomFormat: 'CycloneDX', specVersion: '1.6', components: [hono] };
  const layout = await layoutOf({
    platforms: ['linux/amd64', 'linux/arm64'],
    layers: [
      debianLayer({ openssl: '3.0.1' }),
      { 'app/thoth.cdx.json': JSON.stringify(inner), 'nodejs/bin/node': nodeProgram('24.21.0') },
    ],
  });
  const output = await newFolder();
  const paths = await writeSboms(await freshTrivy(), layout, output, REPOSITORY);
  const files = [
    'linux-amd64.cdx.json',
    'linux-amd64.spdx.json',
    'linux-arm64.cdx.json',
    'linux-arm64.spdx.json',
  ];
  assert.deepEqual(
    paths,
    files.map((file) => join(output, file)),
  );
  for (const { platform, digest } of layout.platforms) {
    const [os, architecture] = platform.split('/');
    const read = async (form: string) =>
      JSON.parse(await readFile(join(output, `${os}-${architecture}.${form}.json`), 'utf8'));
    const name = `${REPOSITORY}@${digest}`;

    const bom = CycloneDx.parse(await read('cdx'));
    assert.equal(bom.metadata.timestamp, CREATED);
    const root = bom.metadata.component;
    assert.equal(root.name, name);
    const query = `arch=${architecture}&repository_url=registry.example%2Fthoth`;
    assert.equal(root.purl, `pkg:oci/thoth@${digest}?${query}`);
    const purls = bom.components.map(({ purl = '' }) => purl.split('?')[0]);
    for (const purl of ['pkg:deb/debian/openssl@3.0.1', 'pkg:npm/hono@4.13.19', 'pkg:generic/node@24.21.0'])
      assert.ok(purls.includes(purl), `${purls}`);
    const refs = new Set([root, ...bom.components].map((component) => component['bom-ref']));
    assert.equal(refs.size, bom.components.length + 1, 'each part has a name of its own');
    const named = bom.dependencies.flatMap(({ ref, dependsOn }) => [ref, ...dependsOn]);
    assert.deepEqual(
      named.filter((ref) => !refs.has(ref)),
      [],
    );

    const spdx = Spdx.parse(await read('spdx'));
    assert.equal(spdx.name, name);
    assert.equal(spdx.creationInfo.created, CREATED);
    const ids = new Map(spdx.packages.map((part) => [part.SPDXID, part.name]));
    assert.equal(ids.size, spdx.packages.length);
    const described = spdx.relationships.filter(({ relationshipType }) => relationshipType === 'DESCRIBES');
    assert.deepEqual(
      described.map((relation) => ids.get(relation.relatedSpdxElement)),
      [name],
    );
    for (const name of ['openssl', 'hono', 'node'])
      assert.ok([...ids.values()].includes(name), `${[...ids.values()]}`);
  }
});

test('one image has one SBOM to the byte, whenever it is made and whatever is known of its holes', async () => {
  const layout = await layoutOf({ config: { Env: [`DEPLOY=${AWS_KEY}`] } });
  const make = async (trivy: Trivy) =>
    Promise.all((await writeSboms(trivy, layout, await newFolder())).map((path) => readFile(path, 'utf8')));
  const first = await make(await freshTrivy());
  const second = await withDatabase(now(), KNOWN, async (trivy) => {
    assert.equal((await scanWith(trivy, layout)).report.vulnerabilities.status, 'checked');
    return make(trivy);
  });
  assert.deepEqual(second, first);
  assert.equal(first.length, 2);
  for (const text of first) {
    assert.doesNotMatch(text, /CVE-/);
    assert.match(text, /"Thoth@sha256:[0-9a-f]{64}"/);
  }
});
