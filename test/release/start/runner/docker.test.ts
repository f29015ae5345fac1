import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { healthCommand, runArguments } from '../../../../src/release/start/runner/docker.ts';
import { START } from '../../config/defaults.ts';

const NAMES = { container: 'c', network: 'n', image: 'i:release' };
const HOW = { ...START, port: 8000, volumes: ['/app/data'] };
const start = (emulator?: string, how = HOW) =>
  runArguments(NAMES, 'linux/arm64', '127.0.0.1:5001:8000', how, emulator, ['/node', 'serve']).join(' ');

describe('docker run', () => {
  test('starts an image as users are told to, on loopback and on a network of its own', () => {
    assert.equal(
      start(),
      'run --detach --name c --network n --platform linux/arm64 --publish 127.0.0.1:5001:8000 ' +
        '--read-only --tmpfs /tmp --volume /app/data --cap-drop ALL --security-opt no-new-privileges ' +
        '--env HOST=0.0.0.0 --env PORT=8000 i:release',
    );
  });

  test('starts an image as its project asks for', () => {
    const how = { ...HOW, readOnly: false, volumes: [], env: { LISTEN: '{host}:{port}', MODE: 'test' } };
    assert.match(
      start(undefined, how),
      /8000 --cap-drop ALL --security-opt no-new-privileges --env LISTEN=0\.0\.0\.0:8000 --env MODE=test i:/,
    );
  });

  test('hands the program to an emulator', () => {
    assert.match(
      start('/usr/bin/qemu'),
      /--mount type=bind,source=\/usr\/bin\/qemu,target=\/\.qemu,readonly --entrypoint \/\.qemu i:release \/node serve$/,
    );
  });
});

const CHECKS: readonly [readonly string[], string[] | undefined][] = [
  [
    ['CMD', '/node', 'check'],
    ['/node', 'check'],
  ],
  [
    ['CMD-SHELL', 'curl x || exit 1'],
    ['/bin/sh', '-c', 'curl x || exit 1'],
  ],
  [['NONE'], undefined],
  [[], undefined],
];
for (const [declared, command] of CHECKS) {
  test(`HEALTHCHECK ${JSON.stringify(declared)}`, () => assert.deepEqual(healthCommand(declared), command));
}
