import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { chooseRunner } from '../../../../src/release/start/runner/choose.ts';
import { failure } from '../../machine/failure.ts';
import { withPrograms } from '../../machine/fake-programs.ts';

const DOCKER = 'echo 28.0';
const SILENT = 'echo "Cannot connect to the Docker daemon" >&2; exit 1';

type Programs = Readonly<Record<string, string>>;
const choose = (programs: Programs, runner: 'auto' | 'docker' | 'buildah') =>
  withPrograms(programs, (home) =>
    chooseRunner({ runner, home }, async () => ({ exitCode: 0, stdout: '', stderr: '' })),
  );

describe('what starts the image', () => {
  const CHOSEN: readonly [string, Programs, Parameters<typeof choose>[1], string][] = [
    ['auto: Docker where its daemon answers', { docker: DOCKER, buildah: '' }, 'auto', 'docker 28.0'],
    ['auto: buildah where no daemon answers', { docker: SILENT, buildah: '' }, 'auto', 'buildah'],
    ['auto: buildah where there is no docker', { buildah: '' }, 'auto', 'buildah'],
    ['Docker where it was named', { docker: DOCKER }, 'docker', 'docker 28.0'],
    ['buildah where it was named', { docker: DOCKER, buildah: '' }, 'buildah', 'buildah'],
  ];
  for (const [title, programs, runner, name] of CHOSEN) {
    test(title, async () => assert.equal((await choose(programs, runner)).name, name));
  }

  const REFUSED: readonly [string, Programs, Parameters<typeof choose>[1], string, RegExp][] = [
    ['nothing at all', {}, 'auto', 'NO_RUNNER', /Docker.*buildah/],
    ['Docker that is not there', { buildah: '' }, 'docker', 'TOOL_MISSING', /Install Docker/],
    ['Docker without a daemon', { docker: SILENT, buildah: '' }, 'docker', 'TOOL_MISSING', /Start Docker/],
    ['buildah that is not there', { docker: DOCKER }, 'buildah', 'TOOL_MISSING', /apt-get install buildah/],
  ];
  for (const [title, programs, runner, code, remedy] of REFUSED) {
    test(`refuses ${title}`, async () => {
      const error = await failure(choose(programs, runner));
      assert.equal(error.code, code);
      assert.match(error.remedy, remedy);
    });
  }
});
