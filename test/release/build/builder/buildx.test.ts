import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { buildArguments, describeBuilder } from '../../../../src/release/build/builder/buildx.ts';

const REQUEST = {
  context: '/project',
  dockerfile: '/project/Dockerfile',
  platforms: ['linux/amd64', 'linux/arm64'],
  args: { RUNTIME_IMAGE: '127.0.0.1:5000/runtime:1', THOTH_VERSION: '1.0.0' },
  secrets: { extra_ca: '/etc/ca.pem' },
  epoch: 1_700_000_000,
  staging: '127.0.0.1:5000/staging',
};
const TO = {
  builder: 'current',
  layout: '/home/layout',
  local: [{ argument: 'RUNTIME_IMAGE', layout: '/home/base', digest: 'sha256:12' }],
};

describe('the command line of buildx', () => {
  test('as a whole', () => {
    assert.deepEqual(
      buildArguments(REQUEST, TO)
        .join(' ')
        .split(/ (?=--)/),
      [
        'buildx build',
        '--builder current',
        '--progress plain',
        '--platform linux/amd64,linux/arm64',
        '--provenance=false',
        '--sbom=false',
        '--output type=oci,tar=false,dest=/home/layout,oci-mediatypes=true,compression=gzip,force-compression=true,rewrite-timestamp=true',
        '--build-arg RUNTIME_IMAGE=thoth-local/runtime_image',
        '--build-arg THOTH_VERSION=1.0.0',
        '--build-arg SOURCE_DATE_EPOCH=1700000000',
        '--build-arg BUILDKIT_MULTI_PLATFORM=1',
        '--build-context thoth-local/runtime_image=oci-layout:///home/base@sha256:12',
        '--secret id=extra_ca,src=/etc/ca.pem',
        '--file /project/Dockerfile /project',
      ],
    );
  });

  test('without the cache where that is asked for', () => {
    assert.ok(!buildArguments({ ...REQUEST, noCache: false }, TO).includes('--no-cache'));
    assert.ok(buildArguments({ ...REQUEST, noCache: true }, TO).includes('--no-cache'));
  });

  test('a base image of a real registry keeps its name', () => {
    const args = buildArguments(REQUEST, { ...TO, local: [] });
    assert.ok(args.includes('RUNTIME_IMAGE=127.0.0.1:5000/runtime:1'));
    assert.ok(!args.includes('--build-context'));
  });
});

test('reads a builder’s name and driver, not those of its nodes', () => {
  const text =
    'Name:          thoth\nDriver:        docker-container\n\nNodes:\nName:      thoth0\nDriver: x\n';
  assert.deepEqual(describeBuilder(text), { name: 'thoth', driver: 'docker-container' });
});
