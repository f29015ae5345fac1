import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  expectedAttachments,
  plannedAttachments,
  releasedBy,
} from '../../../src/release/publish/attachments.ts';
import { consumerCommands } from '../../../src/release/publish/consumer.ts';
import type { Plan } from '../../../src/release/publish/plan.ts';
import { sbomDigests, sbomFiles } from '../../../src/release/scan/sbom.ts';
import { Statement } from '../../../src/release/signing/statement.ts';
import { failure } from '../machine/failure.ts';
import { writeSbomsOf } from '../signing/signing-fixture.ts';

const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
const IMAGES = [
  { platform: 'linux/amd64', digest: digest('1') },
  { platform: 'linux/arm64', digest: digest('2') },
];

let folder: string;
let plan: Plan;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'thoth-attachments-'));
  await writeSbomsOf({ platforms: IMAGES }, folder);
  const platforms = IMAGES.map((image) => ({
    ...image,
    size: 1,
    start: { ...image, seconds: 1, runner: 'x' },
  }));
  plan = {
    schema: 1,
    action: 'publish',
    version: 'v1.0.0',
    registry: 'docker.io',
    repository: 'a/b',
    rehearsal: false,
    index: digest('0'),
    moves: [{ tag: 'v1.0.0', from: null, to: digest('0') }],
    signing: { mode: 'key', fingerprint: 'f'.repeat(64) },
    made: {
      source: { revision: 'c0ffee', time: 0 },
      platforms,
      scan: {
        scanner: 'x',
        severity: [],
        licenses: [],
        vulnerabilities: { status: 'not-checked', reason: 'x' },
        platforms: [],
      },
      tools: {},
      build: { builder: 'https://builder.example/1', dockerfile: 'Dockerfile' },
      sboms: await sbomDigests(folder, ['linux/amd64', 'linux/arm64', 'linux/s390x']),
    },
  };
});
after(() => rm(folder, { recursive: true, force: true }));

describe('what is attached to a release', () => {
  test('is an SBOM in each form, the provenance, and last the signatures', async () => {
    const planned = await plannedAttachments(plan, folder);
    assert.deepEqual(
      planned.map(({ name, subject }) => `${name} ${subject.slice(7, 8)}`),
      [
        'SBOM of linux/amd64 (CycloneDX) 1',
        'SBOM of linux/amd64 (SPDX) 1',
        'SBOM of linux/arm64 (CycloneDX) 2',
        'SBOM of linux/arm64 (SPDX) 2',
        'provenance 0',
        'signature of the index 0',
        'signature of linux/amd64 1',
        'signature of linux/arm64 2',
      ],
    );
  });

  test('is what is expected of it, and says what is expected', async () => {
    const planned = await plannedAttachments(plan, folder);
    const expected = expectedAttachments(releasedBy(plan));
    const key = ({ name, subject, type }: { name: string; subject: string; type: string }) =>
      `${name} ${subject} ${type}`;
    assert.deepEqual(planned.map(key).sort(), expected.map(key).sort());
    for (const { name, judge } of expected) {
      const { statement = '' } = planned.find((one) => one.name === name) ?? {};
      assert.equal(judge(Statement.parse(JSON.parse(statement))), undefined, name);
    }
  });

  test('is refused where an SBOM is not the planned one, or gone', async () => {
    const path = sbomFiles(folder, 'linux/arm64').spdx;
    await writeFile(path, '{}');
    const changed = await failure(plannedAttachments(plan, folder));
    assert.equal(changed.code, 'PLAN_INVALID');
    assert.match(changed.message, /linux-arm64\.spdx\.json is not the one that was planned/);
    await rm(path);
    assert.match((await failure(plannedAttachments(plan, folder))).message, /is missing/);
    assert.deepEqual(
      (await sbomDigests(folder, ['linux/amd64', 'linux/arm64'])).map(({ platform }) => platform),
      ['linux/amd64'],
    );
  });
});

test('anybody can verify it by these command lines', () => {
  const consumer = {
    name: 'docker.io/a/b',
    index: digest('0'),
    platforms: IMAGES.slice(0, 1),
    trust: ['--key', "it's a key.pub"],
    registry: ['--allow-http-registry'],
  };
  const flags = "--key 'it'\\''s a key.pub' --allow-http-registry docker.io/a/b@sha256:";
  const [index, platform] = ['0', '1'].map((letter) => letter.repeat(64));
  assert.deepEqual(consumerCommands(consumer), [
    `cosign verify ${flags}${index}`,
    `cosign verify ${flags}${platform}`,
    `cosign verify-attestation --type slsaprovenance1 ${flags}${index}`,
    `cosign verify-attestation --type cyclonedx ${flags}${platform}`,
    `cosign verify-attestation --type spdxjson ${flags}${platform}`,
  ]);
});
