import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Layout } from '../../../src/release/image/layout.ts';
import { requireTool } from '../../../src/release/machine/tools.ts';
import { plannedAttachments } from '../../../src/release/publish/attachments.ts';
import type { Notary } from '../../../src/release/publish/attest.ts';
import type { Plan } from '../../../src/release/publish/plan.ts';
import type { Attestation } from '../../../src/release/publish/publish.ts';
import type { Registry } from '../../../src/release/registry/registry.ts';
import { sbomDigests, sbomFiles } from '../../../src/release/scan/sbom.ts';
import { type Cosign, createCosign, fingerprint } from '../../../src/release/signing/cosign.ts';
import { planFor } from '../publish/release-fixture.ts';
import { HOME } from '../registry/registry-workshop.ts';

/** A key pair that cosign made, with an empty password. */
export class SigningKey implements Notary {
  readonly key: string;
  readonly publicFile: string;
  readonly publicKey: string;
  readonly #cosign: Cosign;

  private constructor(cosign: Cosign, folder: string, publicKey: string) {
    this.#cosign = cosign;
    this.key = join(folder, 'cosign.key');
    this.publicFile = join(folder, 'cosign.pub');
    this.publicKey = publicKey;
  }

  /** @param dir a folder that the test removes */
  static async make(dir: string): Promise<SigningKey> {
    const cosign = createCosign(await requireTool('cosign', HOME), { home: dir });
    const folder = join(await mkdtemp(join(dir, 'key-')), 'pair');
    await cosign.makeKey(folder);
    return new SigningKey(cosign, folder, await readFile(join(folder, 'cosign.pub'), 'utf8'));
  }

  get fingerprint(): string {
    return fingerprint(this.publicKey);
  }

  sign(statement: string): Promise<string> {
    return this.#cosign.sign(statement, { key: this.key, password: '' });
  }

  verify(bundle: string, about: { digest: string; type: string }): Promise<string | undefined> {
    return this.#cosign.verify(bundle, about, { publicKey: this.publicKey });
  }
}

/** A release that is planned to be signed. */
export interface Signed {
  readonly plan: Plan;
  readonly attest: Attestation;
}

/** Plans the release of a layout that is signed by `key`, with SBOMs in a folder of its own in `dir`. */
export async function signedPlan(
  registry: Registry,
  version: string,
  layout: Layout,
  key: SigningKey,
  dir: string,
): Promise<Signed> {
  const sboms = await mkdtemp(join(dir, 'sbom-'));
  await writeSbomsOf(layout, sboms);
  const digests = await sbomDigests(sboms, platformsOf(layout));
  const signing = { mode: 'key', fingerprint: key.fingerprint } as const;
  const plan = await planFor(registry, version, layout, { signing, sboms: digests });
  const kept = await mkdtemp(join(dir, 'signed-'));
  return { plan, attest: { notary: key, planned: await plannedAttachments(plan, sboms), kept } };
}

/** Writes the least that is an SBOM of each platform into a folder. */
export async function writeSbomsOf(
  layout: { readonly platforms: readonly { platform: string; digest: string }[] },
  folder: string,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const { platform, digest } of layout.platforms) {
    const name = `registry.example/thoth@${digest}`;
    const files = sbomFiles(folder, platform);
    const component = { 'bom-ref': 'root', type: 'container', name };
    const cyclonedx = { bomFormat: 'CycloneDX', specVersion: '1.6', metadata: { component }, components: [] };
    await writeFile(files.cyclonedx, JSON.stringify(cyclonedx));
    await writeFile(
      files.spdx,
      JSON.stringify({ spdxVersion: 'SPDX-2.3', SPDXID: 'SPDXRef-DOCUMENT', name }),
    );
  }
}

function platformsOf(layout: Layout): string[] {
  return layout.platforms.map(({ platform }) => platform);
}
